import { expect, test } from "bun:test"
import { join } from "node:path"
import { temporaryFolder } from "../../harness.ts"
import { reply, startRemote, text } from "../../security/web/remote.ts"
import { type Guest, openGuest } from "../guest.ts"

const secret = 'p+/ä"&<s3cret>=='

test("a granted host is asked, and what it says comes back", async () => {
  await using remote = await startRemote((socket, head, body) =>
    socket.end(text(Buffer.from(`${head.split("\r\n")[0]} ${body}`, "latin1"), { "x-more": "y" })),
  )
  const grants = [`http:127.0.0.1:${remote.port}`]
  const guest = openGuest({ grants, opened: [remote.port] })
  const url = `http://${remote.host}/a?b=c`
  const said = JSON.parse(await guest.call("http_fetch", { url, method: "POST", body: "hello" }))
  expect(said).toMatchObject({ status: 200, headers: { "x-more": "y" }, body: "POST /a?b=c HTTP/1.1 hello" })
  const body_base64 = Buffer.from([0, 255, 1]).toString("base64")
  const sent = JSON.parse(await guest.call("http_fetch", { url, method: "PUT", body_base64 }))
  expect(Buffer.from(sent.body_base64, "base64").toString("latin1")).toBe("PUT /a?b=c HTTP/1.1 \0\xff\x01")
})

/** "#" stands for the port of the remote, which is opened for every name; "api.test:#" and "*.wild.test:#" are granted. */
const ungranted = [
  "http://other.test:#/",
  "http://test:#/",
  "http://api.test.evil.test:#/",
  "http://xapi.test:#/",
  "http://a.api.test:#/",
  "http://wild.test:#/",
  "http://evilwild.test:#/",
  "http://127.0.0.1:#/",
  "http://2130706433:#/",
  "http://[::1]:#/",
  "http://localhost:#/",
  "http://api.test/",
  "https://api.test/",
  "http://api.test:1/",
  "http://secure.test:443/",
  "http://secure.test/",
  "https://secure.test:8443/",
  "http://other.test:#\\@api.test:#/",
  "http://api.test:#@other.test:#/",
  "http://user:word@api.test:#/",
  "http://user@a.wild.test:#/",
  "http://api.test:#.other.test/",
  "http://аpi.test:#/",
  "http://ａpi.test.evil.test:#/",
  "http://api。test。evil:#/",
  "http://a.wild.test.:1/",
  "ftp://api.test:#/",
  "file:///etc/passwd",
  "unix:/run/x",
  "data:text/plain,x",
]

test.each(ungranted)("no request goes to %s", async (url) => {
  await using remote = await startRemote()
  const { port } = remote
  const grants = [`http:api.test:${port}`, `http:*.wild.test:${port}`, "http:secure.test"]
  const guest = openGuest({ grants, opened: [port, 80, 443, 1, 8443] })
  expect(await guest.call("http_fetch", { url: url.replaceAll("#", `${port}`) })).toMatch(
    /^error (denied|invalid)$/,
  )
  expect(remote.connections).toBe(0)
})

test.each(["http://API.test:#/", "http://api.test.:#/", "http://a.b.wild.test:#/", "http://api。test:#/"])(
  "%s is what was granted",
  async (url) => {
    await using remote = await startRemote()
    const grants = [`http:api.test:${remote.port}`, `http:*.wild.test:${remote.port}`]
    const guest = openGuest({ grants, opened: [remote.port] })
    expect(await guest.call("http_fetch", { url: url.replace("#", `${remote.port}`) })).toContain("canary")
  },
)

test("a wildcard is for names: no address ends in one", async () => {
  await using remote = await startRemote()
  const guest = openGuest({ grants: [`http:*.0.0.1:${remote.port}`], opened: [remote.port] })
  expect(await guest.call("http_fetch", { url: `http://${remote.host}/` })).toBe("error denied")
  expect(remote.connections).toBe(0)
})

test.each([301, 302, 303, 307, 308])(
  "a redirect (%d) to what was not granted is not followed",
  async (status) => {
    await using other = await startRemote()
    await using remote = await startRemote((socket) =>
      socket.end(
        reply(`${status} Moved`, { location: `http://other.test:${other.port}/`, "content-length": 0 }),
      ),
    )
    const grants = [`http:api.test:${remote.port}`]
    const guest = openGuest({ grants, opened: [remote.port, other.port] })
    expect(await guest.call("http_fetch", { url: `http://api.test:${remote.port}/` })).toBe("error denied")
    expect([remote.connections, other.connections]).toEqual([1, 0])
  },
)

test("a private address stays closed where it is not opened, whatever the grant", async () => {
  await using remote = await startRemote()
  const guest = openGuest({ grants: [`http:*.test:${remote.port}`] })
  expect(await guest.call("http_fetch", { url: `http://a.test:${remote.port}/` })).toBe("error denied")
  expect(remote.connections).toBe(0)
})

/** What echoes a request does to a secret in it. */
const echoes: [string, (sent: string) => string | Buffer][] = [
  ["as it is", (sent) => sent],
  ["as JSON", (sent) => JSON.stringify(sent)],
  ["as JSON of PHP", (sent) => JSON.stringify(sent).replaceAll("/", "\\/")],
  ["in a URL", (sent) => encodeURIComponent(sent)],
  [
    "in a URL in lower case",
    (sent) => encodeURIComponent(sent).replace(/%../g, (code) => code.toLowerCase()),
  ],
  ["in a form", (sent) => new URLSearchParams({ sent }).toString()],
  ["in HTML", (sent) => Bun.escapeHTML(sent)],
  ["in base64", (sent) => Buffer.from(sent).toString("base64")],
  ["after a name in base64", (sent) => Buffer.from(`me:${sent}`).toString("base64")],
  ["before more in base64", (sent) => Buffer.from(`x${sent} and more`).toString("base64url")],
  ["in hexadecimal", (sent) => Buffer.from(sent).toString("hex")],
  ["between bytes that are no text", (sent) => Buffer.concat([Buffer.from([0xff]), Buffer.from(sent)])],
]

test.each(echoes)("a secret goes out and does not come back: %s", async (_, echo) => {
  let received = ""
  await using remote = await startRemote((socket, _head, body) => {
    received = Buffer.from(body, "latin1").toString()
    socket.end(text(Buffer.from(echo(received)), { "x-echo": Buffer.from(received).toString("base64") }))
  })
  const guest = openGuest({
    grants: [`http:127.0.0.1:${remote.port}`, "secret:KEY"],
    secrets: { KEY: secret },
    opened: [remote.port],
  })
  const request = { url: `http://${remote.host}/`, method: "POST", body: "{{secret:KEY}}" }
  const said = await guest.call("http_fetch", request)
  expect(received).toBe(secret)
  const shown = JSON.parse(said)
  const body = shown.body_base64 ? Buffer.from(shown.body_base64, "base64").toString("latin1") : shown.body
  expect(body).toContain("[redacted]")
  expect(body).not.toContain("s3cret")
  expect(body).not.toContain(Buffer.from(echo(secret)).toString("latin1"))
  expect(shown.headers["x-echo"]).toBe("[redacted]=")
})

test("of two secrets of which one begins like the other, nothing is left", async () => {
  await using remote = await startRemote((socket) => socket.end(text("token-and-more token-")))
  const guest = openGuest({
    grants: [`http:127.0.0.1:${remote.port}`, "secret:A", "secret:B"],
    secrets: { A: "token-", B: "token-and-more" },
    opened: [remote.port],
  })
  const said = JSON.parse(await guest.call("http_fetch", { url: `http://${remote.host}/` }))
  expect(said.body).toBe("[redacted] [redacted]")
})

test("a secret is written as the place for it wants it", async () => {
  let received = ""
  await using remote = await startRemote((socket, head, body) => {
    received = `${head}\r\n\r\n${Buffer.from(body, "latin1")}`
    socket.end(text("ok"))
  })
  const guest = openGuest({
    grants: [`http:127.0.0.1:${remote.port}`, "secret:KEY", "secret:TOKEN"],
    secrets: { KEY: 'a"b', TOKEN: "12:ab/c" },
    opened: [remote.port],
  })
  await guest.call("http_fetch", {
    url: `http://${remote.host}/bot{{secret:TOKEN}}/send?key={{secret:KEY}}`,
    method: "POST",
    headers: { authorization: "Bearer {{secret:KEY}}", "Content-Type": "application/json" },
    body: '{"key":"{{secret:KEY}}"}',
  })
  expect(received).toContain("POST /bot12:ab%2Fc/send?key=a%22b HTTP/1.1")
  expect(received).toContain('authorization: Bearer a"b')
  expect(received).toContain('{"key":"a\\"b"}')
})

/** "#" stands for the remote's "host:port". */
const stolen: [string, Record<string, unknown>][] = [
  ["one that was not granted", { url: "http://#/", headers: { "x-key": "{{secret:OTHER}}" } }],
  ["one that there is not", { url: "http://#/?{{secret:EMPTY}}" }],
  ["one of another case", { url: "http://#/?{{secret:key}}" }],
  ["in the host", { url: "http://{{secret:KEY}}.wild.test/" }],
  ["in the host, by a name that looks like it", { url: "http://{{secret:LETTER}}.wild.test:PORT/" }],
  ["before the host", { url: "http://{{secret:KEY}}@#/" }],
  ["as the port", { url: "http://127.0.0.1:{{secret:PORT}}/" }],
  ["as the scheme", { url: "{{secret:KEY}}://#/" }],
  ["right after the host", { url: "http://#{{secret:KEY}}/" }],
  ["as the whole URL", { url: "{{secret:URL}}" }],
  ["in a header that goes along", { url: "http://#/", headers: { "User-Agent": "{{secret:KEY}}" } }],
  ["in another such header", { url: "http://#/", headers: { accept: "x/{{secret:KEY}}" } }],
  ["a thousand times", { url: "http://#/", method: "POST", body: "{{secret:KEY}}".repeat(1000) }],
]

test.each(stolen)("a secret is not sent, nor anything else: %s", async (_, request) => {
  await using remote = await startRemote()
  const guest = openGuest({
    grants: [
      `http:127.0.0.1:${remote.port}`,
      `http:*.wild.test:${remote.port}`,
      ...["KEY", "EMPTY", "PORT", "URL", "LETTER"].map((name) => `secret:${name}`),
    ],
    secrets: {
      KEY: "k",
      OTHER: "o",
      LETTER: "a",
      EMPTY: "",
      PORT: `${remote.port}`,
      URL: `http://${remote.host}/`,
    },
    opened: [remote.port],
  })
  const filled = JSON.parse(
    JSON.stringify(request).replace("#", remote.host).replace(":PORT/", `:${remote.port}/`),
  )
  expect(await guest.call("http_fetch", filled)).toBe("error denied")
  expect(remote.connections).toBe(0)
})

/** What a plugin is given that it might put into its own request. */
const words: [string, string][] = [
  ["as they are", "say {{secret:KEY}} please"],
  ["without braces", "secret:KEY"],
  ["as JSON", JSON.stringify({ text: "{{secret:KEY}}" })],
  ["as JSON with escapes", '"\\u007b\\u007B\\u0073ecret:KEY}}"'],
  ["in a URL", "%7B%7bsecret%3AKEY%7D%7D"],
  ["in a URL twice", "%257B%257Bsecret%253AKEY"],
  ["in HTML", "&#123;&#x7b;secret&#58;KEY}}"],
  ["unfinished", "{{secret"],
  ["in base64", Buffer.from("say {{secret:KEY}} please").toString("base64")],
]

test.each(words)("somebody's words make no placeholder, wherever they come from: %s", async (_, said) => {
  await using folder = await temporaryFolder()
  await Bun.write(join(folder.path, "data", "a"), said)
  const bytes = Buffer.from(said)
  const answers: [string, Buffer][] = [
    ["/text", bytes],
    ["/bytes", Buffer.concat([Buffer.from([0xff]), bytes])],
    ["/harmless", Buffer.from("a secret: {{name}}")],
  ]
  await using remote = await startRemote((socket, head) => {
    const [, body] = answers.find(([path]) => head.startsWith(`GET ${path} `)) ?? []
    socket.end(text(body ?? "ok"))
  })
  const options = {
    grants: [`http:127.0.0.1:${remote.port}`, "secret:KEY", "store:kept", "fs:data:ro"],
    secrets: { KEY: "s3cret" },
    opened: [remote.port],
    folder: folder.path,
  }
  const url = `http://${remote.host}`
  const send = (guest: Guest) =>
    guest.call("http_fetch", { url: `${url}/x`, method: "POST", body: "{{secret:KEY}}" })
  const plain = openGuest(options)
  await plain.call("http_fetch", { url: `${url}/harmless` })
  expect(await send(plain)).toContain('"body":"ok"')
  expect(await send(openGuest({ ...options, input: bytes }))).toBe("error denied")
  const put = openGuest(options)
  await put.call("store_put", { store: "kept", key: "a", value: said })
  const givers: [string, object][] = [
    ["store_get", { store: "kept", key: "a" }],
    ["http_fetch", { url: `${url}/text` }],
    ["http_fetch", { url: `${url}/bytes` }],
    ["fs_read", { folder: "data", path: "a" }],
  ]
  for (const [name, argument] of givers) {
    const guest = openGuest({ ...options, store: put.store })
    expect(await guest.call(name, argument)).not.toStartWith("error")
    expect(await send(guest)).toBe("error denied")
    expect(await guest.call("http_fetch", { url: `${url}/x` })).toContain('"body":"ok"')
  }
})

test("a secret does not follow a redirect to another granted host", async () => {
  await using other = await startRemote()
  await using remote = await startRemote((socket) =>
    socket.end(reply("302 Found", { location: `http://b.test:${other.port}/`, "content-length": 0 })),
  )
  const guest = openGuest({
    grants: [`http:a.test:${remote.port}`, `http:b.test:${other.port}`, "secret:KEY"],
    secrets: { KEY: "s3cret" },
    opened: [remote.port, other.port],
  })
  const url = `http://a.test:${remote.port}/?k={{secret:KEY}}`
  expect(await guest.call("http_fetch", { url, headers: { authorization: "{{secret:KEY}}" } })).toContain(
    "canary",
  )
  expect(remote.heads[0]).toContain("authorization: s3cret")
  expect(other.heads[0]).toContain("GET / HTTP/1.1")
  expect(other.heads[0]).not.toContain("s3cret")
})

test("a secret for one host goes there, and with nothing to another that is granted as well", async () => {
  await using a = await startRemote()
  await using b = await startRemote()
  const [at_a, at_b] = [`a.test:${a.port}`, `b.test:${b.port}`]
  const guest = openGuest({
    grants: [`http:${at_a}`, `http:${at_b}`, `secret:KEY@${at_a}`, "secret:BOTH"],
    secrets: { KEY: "s3cret", BOTH: "for-both" },
    opened: [a.port, b.port],
  })
  const headers = { authorization: "{{secret:KEY}} {{secret:BOTH}}" }
  expect(await guest.call("http_fetch", { url: `http://${at_a}/`, headers })).toContain("canary")
  expect(a.heads[0]).toContain("authorization: s3cret for-both")
  for (const request of [
    { url: `http://${at_b}/`, headers },
    { url: `http://${at_b}/?k={{secret:KEY}}` },
    { url: `http://${at_b}/${at_a}/{{secret:KEY}}#@${at_a}/` },
    { url: `http://${at_b}\\@${at_a}/{{secret:KEY}}` },
    { url: `http://${at_b}/`, method: "POST", body: "{{secret:KEY}}" },
    { url: `http://{{secret:KEY}}${at_b}/`, headers },
    { url: "no URL", headers },
  ]) {
    expect(await guest.call("http_fetch", request)).toMatch(/^error (denied|invalid)$/)
  }
  expect(JSON.stringify(guest.lines)).toContain(`KEY is not granted for http://${at_b}`)
  expect(b.connections).toBe(0)
  expect(await guest.call("http_fetch", { url: `http://${at_b}/?k={{secret:BOTH}}` })).toContain("canary")
  expect(b.heads[0]).toContain("GET /?k=for-both HTTP/1.1")
})

test("a secret for one host is taken out of what another one says", async () => {
  await using remote = await startRemote((socket) => socket.end(text("it is s3cret")))
  const guest = openGuest({
    grants: [`http:127.0.0.1:${remote.port}`, "http:a.test", "secret:KEY@a.test"],
    secrets: { KEY: "s3cret" },
    opened: [remote.port],
  })
  const said = await guest.call("http_fetch", { url: `http://${remote.host}/` })
  expect(said).toContain("[redacted]")
  expect(said).not.toContain("s3cret")
})

test("no error says a secret, to the plugin or to the log", async () => {
  await using remote = await startRemote((socket) =>
    socket.end(reply("302 Found", { location: "http://s3cret.test/", "content-length": 0 })),
  )
  const guest = openGuest({
    grants: [`http:127.0.0.1:${remote.port}`, "secret:KEY"],
    secrets: { KEY: "s3cret" },
    opened: [remote.port],
  })
  const url = `http://${remote.host}/{{secret:KEY}}`
  await guest.call("http_fetch", { url })
  await guest.call("http_fetch", { url: "http://[{{secret:KEY}}" })
  await guest.call("http_fetch", { url, headers: { "x-a": "{{secret:KEY}}\u0001" } })
  await guest.call("log", "the key is s3cret")
  expect(guest.lines.length).toBe(4)
  expect(JSON.stringify(guest.lines)).not.toContain("s3cret")
})

test("what is too long is refused, to send and to get", async () => {
  await using remote = await startRemote((socket) => socket.end(text("x".repeat(5000))))
  const grants = [`http:127.0.0.1:${remote.port}`]
  const guest = openGuest({ grants, opened: [remote.port], output_bytes_max: 4096 })
  const url = `http://${remote.host}/`
  expect(await guest.call("http_fetch", { url })).toBe("error too_large")
  expect(await guest.call("http_fetch", { url: url + "x".repeat(9000) })).toBe("error too_large")
  expect(await guest.call("http_fetch", { url, headers: { "x-a": "x".repeat(70_000) } })).toBe(
    "error too_large",
  )
  expect(remote.connections).toBe(1)
})

test("a body is not cut where only half of a secret is left of it", async () => {
  const long = "s3cret".repeat(1000)
  await using remote = await startRemote((socket) => socket.end(text(long.repeat(2))))
  const guest = openGuest({
    grants: [`http:127.0.0.1:${remote.port}`, "secret:KEY"],
    secrets: { KEY: long },
    opened: [remote.port],
    output_bytes_max: 8192,
  })
  expect(await guest.call("http_fetch", { url: `http://${remote.host}/` })).toBe("error too_large")
})

test.each([
  "",
  "x",
  "null",
  "[]",
  "{}",
  '{"url":1}',
  '{"url":"http://a.test/","extra":1}',
  '{"url":"http://a.test/","body":"a","body_base64":"YQ=="}',
  '{"url":"http://a.test/","body_base64":"%"}',
  '{"url":"http://a.test/","headers":{"a":1}}',
  `{"url":${"[".repeat(100_000)}`,
])("an argument that makes no sense is invalid: %.40s", async (argument) => {
  const guest = openGuest({ grants: ["http:a.test"] })
  expect(await guest.call("http_fetch", argument)).toBe("error invalid")
})

test("nothing that a plugin asks for is a function of another name", async () => {
  const guest = openGuest({ grants: ["http:a.test"] })
  for (const name of ["", "toString", "__proto__", "constructor", "exec", "take_result"]) {
    expect(await guest.call(name, {})).toBe("error unknown")
  }
})

test("a call that was stopped does nothing any more", async () => {
  await using remote = await startRemote()
  const stopped = AbortSignal.abort()
  const grants = [`http:127.0.0.1:${remote.port}`, "store:kept"]
  const guest = openGuest({ grants, opened: [remote.port], signal: stopped })
  expect(await guest.call("http_fetch", { url: `http://${remote.host}/` })).toBe("error failed")
  expect(await guest.call("store_put", { store: "kept", key: "a", value: "b" })).toBe("error failed")
  expect(remote.connections).toBe(0)
  expect(guest.lines).toEqual([])
})

test("a plugin writes into the log within bounds, and so does what is said of it", async () => {
  const guest = openGuest()
  expect(await guest.call("log", "x".repeat(1000))).toBe("")
  expect(guest.lines.map(({ fields }) => (fields.text as string).length)).toEqual([512, 488])
  expect(await guest.call("log", "x".repeat(5000))).toBe("error too_large")
  for (let i = 0; i < 200; i++) await guest.call("log", `${i}`)
  expect(await guest.call("log", "more")).toBe("error too_large")
  expect(guest.lines.filter(({ message }) => message === "a plugin says").length).toBe(100)
  expect(guest.lines.length).toBe(120)
})
