import { expect, test } from "bun:test"
import { join } from "node:path"
import { createServer } from "node:tls"
import * as zlib from "node:zlib"
import { type Target, ToolDenied } from "../../../src/security/target.ts"
import { openFetch } from "../../../src/security/web/fetch.ts"
import { cpuOf } from "../../cpu.ts"
import { temporaryFolder } from "../../harness.ts"
import { needs } from "../../needs.ts"
import { failure, openTestFetch, reply, startRemote, text } from "./remote.ts"

const to = (location: string, status = "302 Found") => reply(status, { location, "content-length": 0 })

test.each([
  "http://127.0.0.1:#/",
  "//127.0.0.1:#/",
  "http://[::1]:#/",
  "http://localhost:#/",
  "http://2130706433:#/",
  "https://127.0.0.1:#/",
  "http://169.254.169.254/latest/",
  "http://metadata.google.internal/",
  "http://10.0.0.1/",
  "http://user:pass@example.com/",
  "file:///etc/passwd",
  "data:text/plain,x",
  "ftp://127.0.0.1:#/",
])("a redirect to %s is refused and not followed", async (location) => {
  await using canary = await startRemote()
  await using remote = await startRemote((socket) => socket.end(to(location.replace("#", `${canary.port}`))))
  const thrown = await failure(openTestFetch([remote.host])({ url: `http://${remote.host}/` }))
  expect(thrown).toBeInstanceOf(ToolDenied)
  expect([remote.connections, canary.connections]).toEqual([1, 0])
})

test("each hop asks, with its own host and port, before it is connected to", async () => {
  await using third = await startRemote()
  await using second = await startRemote((socket) => socket.end(to(`http://${third.host}/`)))
  await using first = await startRemote((socket) => socket.end(to(`http://${second.host}/`)))
  const asked: Target[] = []
  const fetch = openTestFetch([first.host, second.host, third.host], {
    permit(target) {
      asked.push(target)
      if (target.text === third.host) throw new ToolDenied("not that one")
    },
  })
  expect(await failure(fetch({ url: `http://${first.host}/` }))).toMatchObject({ message: "not that one" })
  expect(asked).toEqual(
    [first, second, third].map(({ host }) => ({
      effect: "network",
      kind: "host",
      text: host,
      note: "this machine",
    })),
  )
  expect([first.connections, second.connections, third.connections]).toEqual([1, 1, 0])
})

test.each(["301 M", "302 F", "303 S", "307 T", "308 P"])(
  "%s takes no credential to another origin",
  async (status) => {
    await using canary = await startRemote()
    await using remote = await startRemote((socket, head) =>
      socket.end(
        head.startsWith("GET /start") ? to("/own", status) : to(`http://${canary.host}/there`, status),
      ),
    )
    const fetch = openTestFetch([remote.host, canary.host])
    const headers = {
      Authorization: "Bearer canary-secret",
      cookie: "session=canary-secret",
      "X-Api-Key": "canary-secret",
      "x-subscription-token": "canary-secret",
      referer: "http://canary-secret/",
      "User-Agent": "tester",
      Accept: "text/html",
    }
    const { url } = await fetch({ url: `http://${remote.host}/start`, headers })
    expect(url).toBe(`http://${canary.host}/there`)
    // Within the origin all goes along, beyond it nothing but what every client says.
    expect(remote.heads.map((head) => head.match(/canary-secret/g)?.length)).toEqual([5, 5])
    expect(canary.heads[0]!.toLowerCase().split("\r\n").slice(1).sort()).toEqual([
      "accept-encoding: gzip, deflate, br, zstd",
      "accept: text/html",
      "connection: close",
      `host: ${canary.host}`,
      "user-agent: tester",
    ])
  },
)

test("what was dropped does not come back with a redirect to the first origin", async () => {
  const hosts: string[] = []
  await using away = await startRemote((socket) => socket.end(to(`http://${hosts[0]}/again`)))
  await using home = await startRemote((socket, head) =>
    socket.end(head.startsWith("GET /again") ? text("end") : to(`http://${away.host}/`)),
  )
  hosts.push(home.host)
  const headers = { authorization: "Bearer canary-secret" }
  await openTestFetch([home.host, away.host])({ url: `http://${home.host}/`, headers })
  expect(home.heads.map((head) => head.includes("canary-secret"))).toEqual([true, false])
})

test.each([
  ["301 M", "POST", "GET", ""],
  ["302 F", "POST", "GET", ""],
  ["303 S", "PUT", "GET", ""],
  ["307 T", "POST", "POST", "secret"],
  ["308 P", "PUT", "PUT", "secret"],
  ["301 M", "PUT", "PUT", "secret"],
])("%s of a %s becomes a %s with the body %p", async (status, method, then, body) => {
  const bodies: string[] = []
  await using remote = await startRemote((socket, head, body) => {
    bodies.push(body)
    socket.end(head.includes("/again") ? text("end") : to("/again", status))
  })
  const request = {
    url: `http://${remote.host}/`,
    method,
    body: "secret",
    headers: { "content-type": "text/x" },
  }
  await openTestFetch([remote.host])(request)
  expect(remote.heads.map((head) => head.split(" ")[0])).toEqual([method, then])
  expect(remote.heads.map((head) => head.includes("text/x"))).toEqual([true, body !== ""])
  expect(bodies).toEqual(["secret", body])
})

test("a body does not follow a redirect to another origin", async () => {
  await using canary = await startRemote()
  await using remote = await startRemote((socket) => socket.end(to(`http://${canary.host}/`, "307 T")))
  const request = { url: `http://${remote.host}/`, method: "POST", body: "secret" }
  expect(await failure(openTestFetch([remote.host, canary.host])(request))).toBeInstanceOf(ToolDenied)
  expect(canary.connections).toBe(0)
})

test("five redirects are followed and a sixth is not", async () => {
  await using remote = await startRemote((socket, head) => {
    const left = Number(head.match(/\/(\d+)/)?.[1])
    socket.end(left === 0 ? text("end") : to(`/${left - 1}`))
  })
  const fetch = openTestFetch([remote.host])
  expect(await fetch({ url: `http://${remote.host}/5` })).toMatchObject({ url: `http://${remote.host}/0` })
  expect((await failure(fetch({ url: `http://${remote.host}/6` }))).message).toBe(
    `${remote.host} redirects more than 5 times.`,
  )
  expect(remote.connections).toBe(12)
})

test.each([
  ["gzip", zlib.gzipSync],
  // At its default quality the compressor would take ten seconds for the bomb.
  [
    "br",
    (bytes: Uint8Array) =>
      zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
  ],
  ["zstd", zlib.zstdCompressSync],
  ["deflate", zlib.deflateSync],
  ["deflate", zlib.deflateRawSync],
] as const)("a body in %s is unpacked, and a bomb stops at the limit", async (encoding, pack) => {
  const bomb = pack(Buffer.alloc(200_000_000))
  await using remote = await startRemote((socket, head) =>
    socket.end(
      text(head.includes("/bomb") ? bomb : pack(Buffer.from("hello")), { "content-encoding": encoding }),
    ),
  )
  const fetch = openTestFetch([remote.host])
  const small = await fetch({ url: `http://${remote.host}/` })
  expect([`${small.body}`, small.cut]).toEqual(["hello", false])
  const before = process.memoryUsage.rss()
  const { body, cut } = await fetch({ url: `http://${remote.host}/bomb`, bytes_max: 1_000_000 })
  expect([body.length, cut]).toEqual([1_000_000, true])
  expect(process.memoryUsage.rss() - before).toBeLessThan(64_000_000)
})

test("a body in pieces of one byte fills neither the memory nor the event loop", async () => {
  const pieces = Buffer.from("1\r\na\r\n".repeat(10_000))
  await using remote = await startRemote((socket) => {
    socket.write(reply("200 OK", { "transfer-encoding": "chunked" }))
    const more = () => !socket.destroyed && socket.write(pieces, more)
    more()
  })
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  const cpu_ms = await cpuOf(async () => {
    const thrown = await failure(openTestFetch([remote.host])({ url: `http://${remote.host}/` }))
    expect(thrown.message).toBe("The body comes in pieces that are too small to read all of them.")
  })
  // With what the server takes, in the same process.
  expect(cpu_ms).toBeLessThan(4_000)
  expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000)
})

test.each(["gzip, gzip", "compress", "nonsense"])("a body in %s is not unpacked", async (encoding) => {
  await using remote = await startRemote((socket) => socket.end(text("x", { "content-encoding": encoding })))
  const thrown = await failure(openTestFetch([remote.host])({ url: `http://${remote.host}/` }))
  expect(thrown.message).toBe(`127.0.0.1 answered in an encoding that is not known here.`)
})

test.each(["gzip", "br", "zstd", "deflate"])("a body that is not %s after all fails", async (encoding) => {
  await using remote = await startRemote((socket) =>
    socket.end(text("hello", { "content-encoding": encoding })),
  )
  const thrown = await failure(openTestFetch([remote.host])({ url: `http://${remote.host}/` }))
  expect(thrown.message).toBe(`${remote.host} sent a body that cannot be unpacked.`)
})

test("blocks that unpack to nothing have an end too", async () => {
  const empty = zlib.gzipSync("")
  await using remote = await startRemote((socket) => {
    socket.write(reply("200 OK", { "content-encoding": "gzip" }))
    const more = () => !socket.destroyed && socket.write(Buffer.concat(Array(1000).fill(empty)), more)
    more()
  })
  const thrown = await failure(
    openTestFetch([remote.host])({ url: `http://${remote.host}/`, bytes_max: 100_000 }),
  )
  expect(thrown.message).toBe("127.0.0.1 sent a compressed body that grows when it is unpacked.")
})

test.each([
  ["exactly the limit", 1000, false],
  ["one byte more", 1001, true],
  ["nothing", 0, false],
])("of a body of %s the limit is kept", async (_what, length, cut) => {
  await using remote = await startRemote((socket) => socket.end(text("a".repeat(length))))
  const got = await openTestFetch([remote.host])({ url: `http://${remote.host}/`, bytes_max: 1000 })
  expect([got.body.length, got.cut]).toEqual([Math.min(length, 1000), cut])
})

test("an endless body is cut and its connection closed", async () => {
  const closed = Promise.withResolvers<number>()
  await using remote = await startRemote((socket) => {
    let sent = 0
    socket.on("close", () => closed.resolve(sent))
    socket.write(reply("500 No", {}))
    const more = () => {
      if (socket.destroyed) return
      sent += 65_536
      socket.write(Buffer.alloc(65_536, 97), more)
    }
    more()
  })
  const got = await openTestFetch([remote.host])({ url: `http://${remote.host}/`, bytes_max: 1_000_000 })
  expect([got.status, got.body.length, got.cut]).toEqual([500, 1_000_000, true])
  expect(await closed.promise).toBeLessThan(16_000_000)
})

test.each([
  ["many headers", "HTTP/1.1 200 OK\r\n", `x: ${"a".repeat(100)}\r\n`],
  ["one header", "HTTP/1.1 200 OK\r\nx: ", "a".repeat(100)],
  ["a status line", "HTTP/1.1 200 ", "a".repeat(100)],
])("an endless head of %s stops at 64 KiB", async (_what, start, part) => {
  const closed = Promise.withResolvers<number>()
  await using remote = await startRemote((socket) => {
    let sent = 0
    socket.on("close", () => closed.resolve(sent))
    socket.write(start)
    const more = () => {
      if (socket.destroyed) return
      sent += part.length * 100
      socket.write(part.repeat(100), more)
    }
    more()
  })
  const thrown = await failure(
    openTestFetch([remote.host])({ url: `http://${remote.host}/`, timeout_ms: 5000 }),
  )
  expect(thrown.message).toBe(`${remote.host} sent more than 65536 bytes of headers.`)
  expect(await closed.promise).toBeLessThan(8_000_000)
})

const silences: Record<string, string> = {
  "before the answer": "",
  "within the head": "HTTP/1.1 200 OK\r\nx:",
  "within the body": "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
  "within a chunk": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
}

test.each(Object.entries(silences))(
  "silence %s ends by itself, by the clock and by the caller",
  async (_when, said) => {
    const closed: Promise<void>[] = []
    await using remote = await startRemote((socket) => {
      closed.push(new Promise((done) => socket.on("close", () => done())))
      socket.write(said)
    })
    const url = `http://${remote.host}/`
    const idle = await failure(openTestFetch([remote.host], { idle_ms: 50 })({ url }))
    expect(idle.message).toBe("127.0.0.1 sent nothing for 0.05 s.")
    const late = await failure(openTestFetch([remote.host])({ url, timeout_ms: 50 }))
    expect(late.message).toBe(`${remote.host} did not answer within 0.05 s.`)
    const stop = new AbortController()
    const stopped = failure(openTestFetch([remote.host])({ url, signal: stop.signal }))
    while (remote.heads.length < 3) await new Promise(setImmediate)
    const reason = new Error("the turn was stopped")
    stop.abort(reason)
    expect(await stopped).toBe(reason)
    await Promise.all(closed)
  },
)

test("a name that takes for ever to look up is given up", async () => {
  const lookup = () => new Promise<never>(() => undefined)
  const thrown = await failure(openTestFetch([], { lookup })({ url: "http://slow.example/", timeout_ms: 50 }))
  expect(thrown.message).toBe("slow.example did not answer within 0.05 s.")
  expect(
    await failure(openTestFetch()({ url: "http://a.example/", signal: AbortSignal.abort(new Error("no")) })),
  ).toEqual(new Error("no"))
})

test.each([
  ["SSH-2.0-OpenSSH\r\n", /does not speak HTTP/],
  ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc", /does not speak HTTP/],
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    /does not speak HTTP/,
  ],
  ["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", /closed the connection before/],
  ["HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", /another protocol/],
  ["HTTP/1.1 103 Hints\r\n\r\n".repeat(40), /does not come to an answer/],
  ["", /closed the connection before/],
])("a server that says %p is told of in a sentence", async (said, sentence) => {
  await using remote = await startRemote((socket) => socket.end(said))
  const thrown = await failure(
    openTestFetch([remote.host])({ url: `http://${remote.host}/`, timeout_ms: 5000 }),
  )
  expect(thrown.message).toMatch(sentence)
})

test("the next of several addresses is tried where the first has nothing to say, and a failure names no address", async () => {
  await using remote = await startRemote()
  const url = `http://two.example:${remote.port}/`
  const lookup = async () => [
    { address: "127.255.255.255", family: 4 as const },
    { address: "127.0.0.1", family: 4 as const },
  ]
  const fetch = openTestFetch([`two.example:${remote.port}`, "two.example:1"], { lookup })
  expect(await fetch({ url })).toMatchObject({ status: 200 })
  const thrown = await failure(fetch({ url: "http://two.example:1/" }))
  expect(thrown.message).toBe("Nothing answers at two.example:1.")
})

test.each([
  { Host: "inner.example" },
  { "Content-Length": "3" },
  { "transfer-encoding": "chunked" },
  { "Proxy-Authorization": "x" },
  { Connection: "upgrade" },
  { "x y": "z" },
  { "x\r\nhost": "z" },
  { x: "a\r\nhost: b" },
  { x: "a\0" },
  { x: "\u{1f600}" },
  { "": "z" },
])("the headers %p are not sent", async (headers) => {
  await using canary = await startRemote()
  const thrown = await failure(
    openTestFetch([canary.host])({
      url: `http://${canary.host}/`,
      headers: headers as Record<string, string>,
    }),
  )
  expect(thrown.message).toContain("header")
  expect(canary.connections).toBe(0)
})

test.each(["CONNECT", "TRACE", "GET / HTTP/1.1\r\nx:", ""])("the method %p is not sent", async (method) => {
  await using canary = await startRemote()
  const thrown = await failure(openTestFetch([canary.host])({ url: `http://${canary.host}/`, method }))
  expect(thrown.message).toContain("method")
  expect(canary.connections).toBe(0)
})

test("no cookie is kept", async () => {
  await using remote = await startRemote((socket) =>
    socket.end(text("x", { "set-cookie": "a=canary-secret" })),
  )
  const fetch = openTestFetch([remote.host])
  await fetch({ url: `http://${remote.host}/` })
  await fetch({ url: `http://${remote.host}/` })
  expect(remote.heads.join()).not.toContain("canary-secret")
})

/** What a child with that environment prints. */
async function fetchInChild(args: string[], env: Record<string, string>): Promise<string> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "fetch-child.ts"), ...args], {
    env: { PATH: process.env.PATH, ...env },
    stderr: "inherit",
  })
  const said = await new Response(child.stdout).text()
  await child.exited
  return said.trim()
}

test("variables that name a proxy or turn the check of certificates off change nothing", async () => {
  await using proxy = await startRemote()
  await using remote = await startRemote((socket) => socket.end(text("itself")))
  const names = ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()])
  const env = {
    ...Object.fromEntries(names.map((name) => [name, `http://${proxy.host}`])),
    NODE_USE_ENV_PROXY: "1",
  }
  expect(await fetchInChild([`http://${remote.host}/`, remote.host], env)).toBe("200 itself")
  expect(await fetchInChild(["http://10.0.0.1/"], env)).toContain("private network")
  expect(proxy.connections).toBe(0)
})

needs({ command: "openssl" })("over https the name is asked for and its certificate is checked", async () => {
  await using folder = await temporaryFolder()
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")]
  const subject = ["-subj", "/CN=site.example", "-addext", "subjectAltName=DNS:site.example"]
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
  Bun.spawnSync(["openssl", "req", "-x509", ...curve, "-keyout", key, "-out", cert, ...subject])
  const seen: string[] = []
  const pair = { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() }
  const server = createServer(pair, (socket) => {
    socket.on("error", () => socket.destroy())
    socket.once("data", (head) => {
      seen.push(`${socket.servername} ${`${head}`.match(/^host: (.*)$/im)?.[1]}`)
      socket.end(`${head}`.startsWith("GET /down") ? to("http://site.example/") : text("encrypted"))
    })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()))
  const { port } = server.address() as { port: number }
  const get = (name: string, env: Record<string, string>, path = "") =>
    fetchInChild([`https://${name}:${port}/${path}`, `${name}:${port}`, "127.0.0.1"], env)
  try {
    expect(await get("site.example", { NODE_EXTRA_CA_CERTS: cert })).toBe("200 encrypted")
    expect(seen).toEqual([`site.example site.example:${port}`])
    expect(await get("other.example", { NODE_EXTRA_CA_CERTS: cert })).toContain("is not valid")
    expect(await get("site.example", { NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toContain("is not valid")
    expect(seen.length).toBe(1)
    const down = await get("site.example", { NODE_EXTRA_CA_CERTS: cert }, "down")
    expect(down).toBe(`site.example:${port} redirects from https to unencrypted http, which is refused.`)
  } finally {
    server.close()
  }
})

test("the policy is asked before a name is looked up", async () => {
  const fetch = openFetch({
    permit: () => {
      throw new ToolDenied("no")
    },
    isOpened: () => true,
    lookup: () => Promise.reject(new Error("was looked up")),
  })
  expect((await failure(fetch({ url: "http://a.example/" }))).message).toBe("no")
})
