/** What leaves for a platform: only where the adapter was granted, with secrets that it never sees. */
import { expect, test } from "bun:test"
import { type Channel, openChannels } from "../../src/channels/channel.ts"
import { sendAnswer } from "../../src/channels/channel-proxy.ts"
import { type Capability, parseCapability } from "../../src/config/capability.ts"
import { PluginFailed } from "../../src/plugins/module.ts"
import type { Formatted, Outgoing, PluginAdapter } from "../../src/plugins/plugin.ts"

const fields = {
  plugin: "talk",
  signature: "meta",
  secret: "the secret of the signature",
  verify_token: "the token of the question",
  token: "123:the-bot's token",
  chat: 5,
  app: { secret: "in another table" },
}
const channel: Channel = openChannels({ talk: fields }).get("talk")!
const secrets: Record<string, string> = { GITHUB: "the value of GITHUB", OTHER: "the value of OTHER" }

function startApi(answer: (path: string) => Response | undefined = () => undefined) {
  const got: { path: string; headers: Record<string, string>; body: string }[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      got.push({
        path: pathname + search,
        headers: request.headers.toJSON() as never,
        body: await request.text(),
      })
      return answer(pathname) ?? new Response("taken")
    },
  })
  const place = `127.0.0.1:${server.port}`
  return { got, place, url: `http://${place}`, [Symbol.asyncDispose]: () => server.stop(true) }
}

type Format = (message: Outgoing) => Formatted | Promise<Formatted>

/** An adapter that does as it is told, and keeps all that it was ever given. */
function adapterOf(granted: string[], format: Format): PluginAdapter & { seen: unknown[] } {
  const seen: unknown[] = []
  return {
    seen,
    plugin: "talk",
    channel: "talk",
    capabilities: granted.map((text) => parseCapability(text) as Capability),
    parseIncoming: () => Promise.reject(new Error("it is not asked")),
    async formatOutgoing(message) {
      seen.push(structuredClone(message))
      return format(message)
    },
  }
}

const request = (url: string, more: Partial<Extract<Formatted, { type: "request" }>> = {}): Formatted => ({
  ...{ type: "request", url, method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
  ...more,
})

async function send(adapter: PluginAdapter, outgoing: Outgoing = { content: "hello" }, payload = "") {
  const logged: unknown[] = []
  const sent = await sendAnswer({
    ...{ channel, adapter, outgoing, payload: new TextEncoder().encode(payload) },
    ...{ signal: new AbortController().signal },
    findSecret: (name) => secrets[name],
    log: { warn: (...line) => void logged.push(line) },
  })
  return { sent, logged: JSON.stringify(logged) }
}

test("a channel's own field and a granted secret are put in by the gateway, and the adapter sees neither", async () => {
  await using api = startApi()
  const adapter = adapterOf([`http:${api.place}`, "secret:GITHUB"], ({ content }) =>
    request(`${api.url}/bot{{secret:token}}/send?key={{secret:GITHUB}}`, {
      headers: { "content-type": "application/json", authorization: "Bot {{secret:token}}" },
      body: `{"text":${JSON.stringify(content)},"token":"{{secret:token}}"}`,
    }),
  )
  const { sent, logged } = await send(adapter)
  expect(sent).toEqual({ type: "sent" })
  expect(logged).toBe("[]")
  expect(api.got).toMatchObject([
    {
      path: "/bot123:the-bot's%20token/send?key=the%20value%20of%20GITHUB",
      headers: { authorization: "Bot 123:the-bot's token" },
      body: '{"text":"hello","token":"123:the-bot\'s token"}',
    },
  ])
  for (const value of [fields.token, secrets.GITHUB!])
    expect(JSON.stringify(adapter.seen)).not.toContain(value)
})

test("a secret that is granted for one host does not go to another one", async () => {
  await using api = startApi()
  await using other = startApi()
  const grants = [`http:${api.place}`, `http:${other.place}`, `secret:GITHUB@${api.place}`]
  const to = (url: string) => adapterOf(grants, () => request(`${url}/{{secret:GITHUB}}`))
  expect((await send(to(api.url))).sent).toEqual({ type: "sent" })
  expect(api.got).toMatchObject([{ path: "/the%20value%20of%20GITHUB" }])
  const { sent, logged } = await send(to(other.url))
  expect(sent).toEqual({ type: "failed" })
  expect(other.got).toEqual([])
  expect(logged).toContain(`GITHUB is not granted for ${other.url}`)
})

test.each([
  "secret",
  "verify_token",
  "public_key",
  "plugin",
  "chat",
  "app",
  "none",
  "OTHER",
  "GITHUB",
  "toString",
])("{{secret:%s}} is nobody's to send", async (name) => {
  await using api = startApi()
  const adapter = adapterOf([`http:${api.place}`], () =>
    request(`${api.url}/x`, { body: `{{secret:${name}}}` }),
  )
  const { sent, logged } = await send(adapter)
  expect(sent).toEqual({ type: "failed" })
  expect(api.got).toEqual([])
  for (const value of [...Object.values(secrets), fields.secret, fields.verify_token]) {
    expect(logged).not.toContain(value)
  }
})

test.each([
  ["another host", "https://example.com/", "example.com"],
  ["http where only https was granted", "http://granted.example/", "granted.example"],
  ["another port", "https://granted.example:8443/", "granted.example:8443"],
  ["a host below one that was granted alone", "https://api.granted.example/", "api.granted.example"],
  [
    "a host that only begins like it",
    "https://granted.example.evil.example/",
    "granted.example.evil.example",
  ],
  ["a name before the host", "https://granted.example@evil.example/", "evil.example"],
  ["a host that a secret would name", "https://{{secret:token}}/", ""],
  ["no host at all", "file:///etc/passwd", ""],
  ["no URL at all", "granted.example", ""],
])("%s is denied", async (_title, url, host) => {
  const { sent } = await send(adapterOf(["http:granted.example"], () => request(url)))
  expect(sent).toEqual({ type: "denied", host })
})

test("a grant without a port opens no address of this machine", async () => {
  const { sent, logged } = await send(adapterOf(["http:127.0.0.1"], () => request("https://127.0.0.1/")))
  expect(sent).toEqual({ type: "failed" })
  expect(logged).toContain("not on the public internet")
  const wild = await send(adapterOf(["http:*.0.0.1:8080"], () => request("http://127.0.0.1:8080/")))
  expect(wild.sent.type).toBe("denied")
})

test.each([303, 307])("a redirect (%i) to where nothing was granted leads nowhere", async (status) => {
  await using other = startApi()
  await using api = startApi(() => Response.redirect(`${other.url}/`, status))
  const { sent, logged } = await send(adapterOf([`http:${api.place}`], () => request(`${api.url}/away`)))
  expect(sent).toEqual({ type: "failed" })
  expect([api.got.length, other.got.length]).toEqual([1, 0])
  if (status === 303) expect(logged).toContain("is not granted")
})

test.each([400, 401, 404, 429, 500, 503])("a platform that answers %i did not take it", async (status) => {
  await using api = startApi(() => new Response("no", { status }))
  const { sent, logged } = await send(
    adapterOf([`http:${api.place}`], () => request(`${api.url}/{{secret:token}}`)),
  )
  expect(sent).toEqual({ type: "failed" })
  expect(logged).toContain(String(status))
  expect(logged).not.toContain("the-bot")
})

test("a platform that is not there did not take it, and the log has no secret", async () => {
  const adapter = adapterOf(["http:127.0.0.1:1"], () => request("http://127.0.0.1:1/{{secret:token}}"))
  const { sent, logged } = await send(adapter)
  expect(sent).toEqual({ type: "failed" })
  expect(logged).not.toContain("the-bot")
})

test("where the adapter fails, what was said is not lost", async () => {
  const failing = adapterOf([], () => Promise.reject(new PluginFailed("trap", "unreachable")))
  const { sent } = await send(failing, { content: "an answer — whole" })
  expect(sent).toEqual({ type: "bytes", bytes: new TextEncoder().encode("an answer — whole") })
})

/** Adapters that do things to a text which others do, too, and answers that mean to use it. */
const hostile: [string, Format, Outgoing][] = [
  ["said plainly", ({ content }) => plain(content), { content: "{{secret:token}}" }],
  [
    "with markup that is taken out",
    ({ content }) => plain(content.replaceAll("**", "")),
    { content: "{**{sec**ret:token}**}" },
  ],
  [
    "with entities that are resolved",
    ({ content }) => plain(content.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))),
    { content: "&#123;&#123;secret:token&#125;&#125;" },
  ],
  [
    "in the name of a sender",
    ({ reply }) => plain(`@${(reply as { name: string }).name}`),
    { content: "ok", reply: { name: "{{secret:token}}" } },
  ],
  [
    "in a list in JSON in a sender's data",
    ({ reply }) => plain(JSON.parse(reply as string).names[0]),
    { content: "ok", reply: '{"names":["{{secret:token}}"]}' },
  ],
  [
    "beside the adapter's own one",
    ({ content }) => plain(content, "https://127.0.0.1:2/{{secret:token}}"),
    { content: "{{secret:token}}" },
  ],
  [
    "as a whole request",
    ({ content }) =>
      ({ type: "request", method: "POST", headers: {}, ...JSON.parse(toJson(content)) }) as Formatted,
    { content: '{"url":"https://127.0.0.1:2/","body":"{{secret:token}}"}' },
  ],
]
const toJson = (content: string) =>
  content.startsWith("{") ? content : '{"url":"https://127.0.0.1:2/","body":""}'
const plain = (text: string, url = "https://127.0.0.1:2/"): Formatted => request(url, { body: text })

test.each(hostile)(
  "a placeholder %s is not filled in, and nothing is sent",
  async (_title, format, outgoing) => {
    const { sent } = await send(adapterOf(["http:127.0.0.1:2"], format), outgoing)
    expect(sent).toEqual({ type: "denied" })
  },
)

test.each(['{"name":"{{secret:token}}"}', '{"name":"\\u007b{secret:token}}"}'])(
  "a sender's name that an adapter put aside in a form of its own (%s) is given no secret",
  async (payload) => {
    await using api = startApi()
    const format: Format = ({ reply }) => request(`${api.url}/`, { body: `@${atob(reply as string)}` })
    const adapter = adapterOf([`http:${api.place}`], format)
    const { sent } = await send(adapter, { content: "ok", reply: btoa("{{secret:token}}") }, payload)
    expect(sent).toEqual({ type: "denied" })
    expect(api.got).toEqual([])
    // What the adapter writes by itself is its own.
    const own = await send(adapter, { content: "ok", reply: btoa("{{secret:token}}") }, '{"name":"ann"}')
    expect(own.sent).toEqual({ type: "sent" })
  },
)

test.each(['{"url":"https://127.0.0.1:2/"}', '{"\\u0075rl":"https://127.0.0.1:2/"}'])(
  "%s as an answer is no request of an adapter that only passes it on",
  async (content) => {
    const pass: Format = ({ content }) =>
      content.startsWith("{")
        ? request(JSON.parse(content).url, { body: "" })
        : { type: "bytes", bytes: new TextEncoder().encode(content) }
    const { sent } = await send(adapterOf(["http:127.0.0.1:2"], pass), { content })
    expect(sent).toEqual({ type: "denied" })
  },
)

test.each(["aborted", "crash", "time"] as const)(
  "an adapter that could not be asked (%s) makes nothing of the answer, and it is to be tried again",
  async (kind) => {
    const failing = adapterOf([], () => Promise.reject(new PluginFailed(kind, "not now")))
    expect((await send(failing)).sent).toEqual({ type: "unavailable" })
    const api = "https://127.0.0.1:2/{{secret:token}}"
    const later = adapterOf(["http:127.0.0.1:2"], ({ content }) =>
      content === "ok" ? Promise.reject(new PluginFailed(kind, "not now")) : request(api),
    )
    expect((await send(later)).sent).toEqual({ type: "unavailable" })
  },
)

test("an answer with braces, and a sender's data in JSON, do not keep the adapter's own secret out", async () => {
  await using api = startApi()
  const format: Format = ({ content, reply }) =>
    request(`${api.url}/{{secret:token}}/${JSON.parse(reply as string).chat.id}`, { body: content })
  const outgoing = { content: "function f() { return {} }", reply: '{"chat":{"id":5}}' }
  expect((await send(adapterOf([`http:${api.place}`], format), outgoing)).sent).toEqual({ type: "sent" })
  expect(api.got).toMatchObject([{ path: "/123:the-bot's%20token/5", body: outgoing.content }])
})
