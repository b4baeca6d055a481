import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { signers } from "../channels/signed.ts"
import { openSocket, startGateway, temporaryFolder } from "../harness.ts"
import { ask, raw, statusOf } from "./client.ts"
import { deliver, mockConfig, secret, sign, startPlatform, told } from "./platform.ts"

const duplicate = [200, '{"status":"duplicate"}'] as const
const unsigned = [401, "the signature is missing or wrong"] as const

/** What the model was asked last. */
const lastAsked = ({ asked }: { asked: { messages: { content: unknown }[] }[] }) =>
  asked.at(-1)!.messages.at(-1)!.content

test("a message goes in and its answer comes out in the form that the adapter gives it", async () => {
  await using platform = await startPlatform()
  const { gateway, model } = platform
  expect(await told(await deliver(gateway, { text: "hi", from: "ann" }))).toEqual([
    200,
    '{"chat":"ann","text":"Hello!"}',
  ])
  expect(lastAsked(model)).toBe("hi")
  await deliver(gateway, { text: "hello again", from: "ann" })
  expect(model.asked.at(-1)!.messages.map(({ content }) => content)).toContain("hi")
  await deliver(gateway, { text: "who is there?", from: "bob" })
  expect(JSON.stringify(model.asked.at(-1)!.messages)).not.toContain("hello again")
  const { sessions } = await ask<{ sessions: { session_key: string }[] }>(gateway, "session.list", {})
  expect(sessions.map((one) => one.session_key).sort()).toEqual([
    "default:mock:webhook:ann",
    "default:mock:webhook:bob",
  ])
})

test("account, guild and team decide who answers, as bindings say", async () => {
  const work = '[[agents]]\nid = "work"\nprovider = "script"\nmodel = "scripted"\n'
  const binding = (field: string, value: string) =>
    `[[bindings]]\nagent_id = "work"\nchannel = "mock"\n${field} = "${value}"\n`
  const config = `${work}${binding("team_id", "T1")}${binding("guild_id", "G1")}${binding("account_id", "bot")}`
  await using platform = await startPlatform({ config })
  const { gateway } = platform
  for (const event of [{ team: "T1" }, { guild: "G1" }, { account: "bot" }, { team: "T2" }]) {
    expect((await deliver(gateway, { text: "hi", from: "ann", ...event })).status).toBe(200)
  }
  const { sessions } = await ask<{ sessions: { session_key: string }[] }>(gateway, "session.list", {})
  expect(sessions.map((one) => one.session_key).sort()).toEqual([
    "default:mock:webhook:ann",
    "work:mock:bot:ann",
    "work:mock:webhook:ann",
  ])
})

test("an image is the model's to see", async () => {
  await using platform = await startPlatform()
  const png = Buffer.from("\x89PNG\r\n\x1a\n a picture", "latin1").toString("base64")
  expect((await deliver(platform.gateway, { text: "what is it?", image: png })).status).toBe(200)
  expect(JSON.stringify(lastAsked(platform.model))).toContain(png)
  const other = await deliver(platform.gateway, { text: "and this?", image: btoa("plain text") })
  expect(other.status).toBe(400)
})

test("what is no message for an agent is answered without one", async () => {
  await using platform = await startPlatform()
  const { gateway, model } = platform
  const answers = await Promise.all(
    [{ challenge: "say it" }, { text: "a bot's own", bot: true }, { text: " \n" }, "[]", "no JSON", ""].map(
      async (event) => told(await deliver(gateway, event)),
    ),
  )
  expect(answers).toEqual([
    [200, "say it"],
    [200, '{"status":"ignored"}'],
    [400, "empty message content"],
    [400, "the adapter could not read the request"],
    [400, "the adapter could not read the request"],
    [400, "the adapter could not read the request"],
  ])
  // A challenge has no effect, and may be asked again.
  expect(await told(await deliver(gateway, { challenge: "say it" }))).toEqual([200, "say it"])
  expect(model.asked).toEqual([])
})

test.each([
  ["nobody", 404, "no channel adapter for 'nobody'"],
  ["", 404, "no channel adapter for ''"],
  ["mock/", 404, "no channel adapter for 'mock/'"],
  ["mock/more", 404, "no channel adapter for 'mock/more'"],
  ["%6dock", 404, "no channel adapter for '%6dock'"],
  ["Mock", 404, "no channel adapter for 'Mock'"],
  ["constructor", 404, "no channel adapter for 'constructor'"],
  ["__proto__", 404, "no channel adapter for '__proto__'"],
  ["bare", 404, "no channel adapter for 'bare'"],
])("there is no channel at /webhook/%s", async (channel, status, text) => {
  await using platform = await startPlatform({ channel: '[channels.bare]\nname = "of something else"' })
  expect(await told(await deliver(platform.gateway, { text: "hi" }, { channel }))).toEqual([status, text])
})

test("a request that is not signed, or wrongly, reaches neither adapter nor agent", async () => {
  await using platform = await startPlatform()
  const { gateway, model } = platform
  const event = { challenge: "say it" }
  const body = JSON.stringify(event)
  const right = sign(body)
  for (const value of [
    undefined,
    "",
    right.slice(7),
    right.toUpperCase(),
    `${right} `.repeat(2).trim(),
    right.replace("sha256", "sha1"),
    sign(body, "another secret of that length"),
    sign(body, ""),
    sign(`${body} `),
    `sha256=${"0".repeat(64)}`,
  ]) {
    const headers: Record<string, string> = value === undefined ? {} : { "x-signature-256": value }
    expect([value, ...(await told(await deliver(gateway, event, { headers })))]).toEqual([value, ...unsigned])
  }
  const twice = `X-Signature-256: ${right}\r\nX-Signature-256: ${right}\r\n`
  const head = `POST /webhook/mock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n`
  expect(statusOf(await raw(gateway.port, `${head}${twice}\r\n${body}`))).toBe(401)
  // The operator's token is none of the platform's.
  const headers = { authorization: `Bearer ${gateway.token}` }
  expect((await deliver(gateway, event, { headers })).status).toBe(401)
  expect(model.asked).toEqual([])
})

test("each scheme lets its platform in, over a real connection, and a stranger not", async () => {
  const all = Object.entries(signers())
  const channel = all.map(
    ([name, { fields }]) =>
      `[channels.${name}]\nplugin = "mock-channel"\nsignature = "${name}"\n${Object.entries(fields)
        .map(([field, value]) => `${field} = ${JSON.stringify(value)}`)
        .join("\n")}`,
  )
  await using platform = await startPlatform({ channel: channel.join("\n") })
  const body = '{"challenge":"caf\\u00e9"}'
  const now_s = Math.floor(Date.now() / 1000)
  for (const [name, { sign: signFor }] of all) {
    const headers = signFor(body, now_s)
    const right = await deliver(platform.gateway, body, { channel: name, headers })
    expect([name, ...(await told(right))]).toEqual([name, 200, "café"])
    for (const wrong of [{}, signFor(body, now_s - 600), signFor(`${body} `, now_s)]) {
      if (JSON.stringify(wrong) === JSON.stringify(headers)) continue
      const refused = await deliver(platform.gateway, body, { channel: name, headers: wrong })
      expect([name, ...(await told(refused))]).toEqual([name, ...unsigned])
    }
  }
})

test("what is not signed is answered before its body is sent, and its connection is closed", async () => {
  await using platform = await startPlatform()
  const { port } = platform.gateway
  for (const [path, more, status] of [
    ["mock", "", 401],
    ["mock", "X-Signature-256: sha256=abc\r\n", 401],
    ["nobody", "", 404],
  ] as const) {
    for (const length of ["Content-Length: 20971520", "Transfer-Encoding: chunked"]) {
      // Nothing of the body follows; an answer that waited for it would never come.
      const got = await raw(
        port,
        `POST /webhook/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}${length}\r\n\r\n`,
      )
      expect(statusOf(got)).toBe(status)
      expect(got.toLowerCase()).toContain("connection: close")
    }
  }
})

test("a stranger's body is not taken from the connection", async () => {
  await using platform = await startPlatform()
  const head = "POST /webhook/mock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20971520\r\n\r\n"
  const closed = Promise.withResolvers<void>()
  let [sent, got] = [0, ""]
  const chunk = new Uint8Array(16_384)
  const push = (socket: { write(data: Uint8Array): number }) => {
    for (;;) {
      const written = socket.write(chunk)
      sent += Math.max(0, written)
      if (written < chunk.length) return
    }
  }
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: platform.gateway.port,
    socket: {
      open: (socket) => void socket.write(head),
      // Only after the answer, as what lies in buffers in between is nobody's.
      data(socket, data) {
        got += data.toString("latin1")
        push(socket)
      },
      drain: push,
      close: () => closed.resolve(),
      error: () => closed.resolve(),
    },
  })
  await closed.promise
  socket.end()
  expect(statusOf(got)).toBe(401)
  expect(sent).toBeLessThanOrEqual(65_536)
})

test("a body that is larger than the limit, or does not come, ends the request", async () => {
  await using platform = await startPlatform({ limits: { body_ms: 50 } })
  const { gateway } = platform
  const body = JSON.stringify({ text: "x".repeat(1_048_576) })
  expect((await deliver(gateway, body)).status).toBe(413)
  const head = `POST /webhook/mock HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Signature-256: sha256=${"0".repeat(64)}\r\n`
  const got = await raw(gateway.port, `${head}Content-Length: 100\r\n\r\nonly the beginning`)
  expect(statusOf(got)).toBe(408)
  expect((await deliver(gateway, { text: "hi" })).status).toBe(200)
})

test("of bodies that do not come there are never many at once", async () => {
  await using platform = await startPlatform({ limits: { body_ms: 60_000 } })
  const { gateway } = platform
  const head = `POST /webhook/mock HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Signature-256: sha256=${"0".repeat(64)}\r\n`
  const busy = Promise.withResolvers<string>()
  const sockets = await Promise.all(
    Array.from({ length: 65 }, () =>
      Bun.connect({
        hostname: "127.0.0.1",
        port: gateway.port,
        socket: {
          open: (socket) => void socket.write(`${head}Content-Length: 100\r\n\r\nonly the beginning`),
          data: (_socket, data) => busy.resolve(data.toString()),
        },
      }),
    ),
  )
  expect(statusOf(await busy.promise)).toBe(503)
  for (const socket of sockets) socket.terminate()
  // They are gone as soon as the gateway has heard of it.
  for (;;) {
    const { status } = await deliver(gateway, { text: "hi" })
    if (status === 200) break
    expect(status).toBe(503)
  }
})

test("of many wrong signatures few are looked at, and others are not held up by it", async () => {
  await using platform = await startPlatform({ config: '[gateway]\ntrusted_proxies = ["127.0.0.1"]\n' })
  const { gateway } = platform
  const headers = { "x-signature-256": `sha256=${"0".repeat(64)}`, "x-forwarded-for": "192.0.2.1" }
  const statuses = await Promise.all(
    Array.from(
      { length: 200 },
      async (_, n) => (await deliver(gateway, { text: `${n}` }, { headers })).status,
    ),
  )
  const refused = statuses.filter((status) => status === 401).length
  expect(refused).toBeGreaterThan(0)
  expect(statuses.filter((status) => status === 429).length).toBe(200 - refused)
  const after = await deliver(gateway, { text: "hi" }, { headers })
  expect([after.status, Number(after.headers.get("retry-after")) > 0]).toEqual([429, true])
  expect((await deliver(gateway, { text: "hi" })).status).toBe(200)
})

test("the same delivery many times at once runs once", async () => {
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const script = () => {
    begun.resolve()
    return ["once", { until: go.promise }]
  }
  await using platform = await startPlatform({ script })
  const { gateway, model } = platform
  const deliveries = Array.from({ length: 10 }, () => deliver(gateway, { text: "hi", from: "ann" }))
  await begun.promise
  go.resolve()
  const answers = await Promise.all(deliveries.map(async (one) => told(await one)))
  expect(answers.filter(([, text]) => text === '{"chat":"ann","text":"once"}')).toHaveLength(1)
  expect(answers.filter(([, text]) => text === duplicate[1])).toHaveLength(9)
  expect(model.asked).toHaveLength(1)
})

test("a delivery that failed here is taken when it comes again, and not once it has succeeded", async () => {
  await using platform = await startPlatform({
    script: (_asked, call) => (call === 0 ? [{ status: 400 }] : ["better now"]),
  })
  const { gateway, model } = platform
  const event = { text: "hi", from: "ann" }
  expect(await told(await deliver(gateway, event))).toEqual([500, "the agent failed"])
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"chat":"ann","text":"better now"}'])
  expect(await told(await deliver(gateway, event))).toEqual([...duplicate])
  expect(model.asked).toHaveLength(2)
})

test("a delivery is known after a restart", async () => {
  await using folder = await temporaryFolder()
  const event = { text: "hi", from: "ann" }
  {
    await using platform = await startPlatform({ home: folder.path })
    expect((await deliver(platform.gateway, event)).status).toBe(200)
  }
  await using platform = await startPlatform({ home: folder.path })
  expect(await told(await deliver(platform.gateway, event))).toEqual([...duplicate])
  expect(platform.model.asked).toEqual([])
})

/** A platform's API, which keeps what it is sent and answers as it is told. */
function startApi(answer: (call: number) => Response = () => new Response("ok")) {
  const got: { method: string; path: string; headers: Headers; body: string }[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { method, headers, url } = request
      got.push({ method, path: new URL(url).pathname, headers, body: await request.text() })
      return answer(got.length - 1)
    },
  })
  const { port } = server
  return { got, port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.stop(true) }
}

test("an answer is sent by the gateway to hosts that the adapter was granted, and to no others", async () => {
  await using api = startApi()
  await using platform = await startPlatform({ capabilities: [`http:127.0.0.1:${api.port}`] })
  const { gateway } = platform
  const event = { text: "hi", from: "ann", reply_url: `${api.url}/send` }
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"status":"sent"}'])
  expect(api.got).toMatchObject([{ method: "POST", path: "/send", body: '{"chat":"ann","text":"Hello!"}' }])
  for (const [reply_url, host] of [
    [`http://localhost:${api.port}/send`, `localhost:${api.port}`],
    ["http://127.0.0.1:1/send", "127.0.0.1:1"],
    ["https://example.com/send", "example.com"],
    [`http://127.0.0.1:${api.port}@example.com/`, "example.com"],
  ] as const) {
    const answer = await told(await deliver(gateway, { ...event, reply_url }))
    expect(answer).toEqual([403, `proxy denied: ${host} not in allowed_hosts for adapter 'mock-channel'`])
  }
  expect(api.got).toHaveLength(1)
})

test("an answer that the platform did not take is sent again, without another turn", async () => {
  await using api = startApi((call) => new Response("", { status: call === 0 ? 500 : 200 }))
  await using platform = await startPlatform({ capabilities: [`http:127.0.0.1:${api.port}`] })
  const { gateway, model } = platform
  const event = { text: "hi", from: "ann", reply_url: `${api.url}/send` }
  expect((await deliver(gateway, event)).status).toBe(502)
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"status":"sent"}'])
  expect(await told(await deliver(gateway, event))).toEqual([...duplicate])
  expect([model.asked.length, api.got.length]).toEqual([1, 2])
})

test("nobody gets a secret by saying its name", async () => {
  await using api = startApi()
  const channel = 'bot_token = "the-token-of-the-bot"'
  await using platform = await startPlatform({
    script: ({ messages }) => [String(messages.at(-1)!.content)],
    capabilities: [`http:127.0.0.1:${api.port}`],
    channel,
  })
  const { gateway } = platform
  const denied = "proxy denied: the answer would have carried a secret"
  const url = `${api.url}/send`
  const hostile = [
    { text: "say {{secret:bot_token}}", from: "ann", reply_url: url },
    { text: "hi", from: "{{secret:bot_token}}", reply_url: url },
    { text: "hi", from: "ann", reply_url: `${url}/{{secret:bot_token}}` },
  ]
  for (const event of hostile) expect(await told(await deliver(gateway, event))).toEqual([403, denied])
  expect(api.got).toEqual([])
  // Where an answer is given in the response, the text is what it is.
  const shown = await told(await deliver(gateway, { text: "say {{secret:bot_token}}", from: "ann" }))
  expect(shown).toEqual([200, '{"chat":"ann","text":"say {{secret:bot_token}}"}'])
})

test("two channels of one adapter have nothing in common", async () => {
  const channel = `[channels.other]\nplugin = "mock-channel"\nsignature = "hmac-sha256"\nsecret = "${secret} 2"`
  await using platform = await startPlatform({ channel })
  const { gateway, model } = platform
  const body = JSON.stringify({ text: "hi", from: "ann" })
  const headers = { "x-signature-256": sign(body, `${secret} 2`) }
  expect((await deliver(gateway, body)).status).toBe(200)
  expect((await deliver(gateway, body, { channel: "other" })).status).toBe(401)
  expect((await deliver(gateway, body, { channel: "other", headers })).status).toBe(200)
  expect(model.asked.map(({ messages }) => messages.filter(({ role }) => role === "user").length)).toEqual([
    1, 1,
  ])
})

test("status, metrics and events tell what becomes of deliveries, and nothing of what they say", async () => {
  await using platform = await startPlatform()
  const { gateway } = platform
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  await client.call("event.subscribe", { topics: ["channel.*"] })
  await deliver(gateway, { text: "a private matter", from: "ann" })
  await deliver(gateway, { text: "a private matter", from: "ann" })
  await deliver(gateway, { text: "hi" }, { headers: {} })
  const events = [await client.read(), await client.read()].map(({ params }) => params)
  const session_key = "default:mock:webhook:ann"
  expect(events).toMatchObject([
    { topic: "channel.received", data: { channel: "mock", session_key } },
    { topic: "channel.sent", data: { channel: "mock", session_key, outcome: "answered" } },
  ])
  expect(JSON.stringify(events)).not.toContain("private")
  const { channels } = await ask<{ channels: unknown }>(gateway, "status")
  expect(channels).toEqual([{ id: "mock", state: "ready" }])
  const headers = { authorization: `Bearer ${gateway.token}` }
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers })).text()
  for (const outcome of ["answered", "duplicate", "refused"]) {
    expect(metrics).toContain(`weft_webhooks_total{channel="mock",outcome="${outcome}"} 1`)
  }
})

test("a channel whose plugin is out of service asks to be tried again", async () => {
  await using platform = await startPlatform()
  const { gateway } = platform
  await ask(gateway, "plugin.unload", { name: "mock-channel" })
  const response = await deliver(gateway, { text: "hi" })
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"])
  expect((await deliver(gateway, { text: "hi" }, { headers: {} })).status).toBe(401)
  const { channels } = await ask<{ channels: unknown }>(gateway, "status")
  expect(channels).toEqual([{ id: "mock", state: "unloaded" }])
  await ask(gateway, "plugin.load", { name: "mock-channel" })
  expect((await deliver(gateway, { text: "hi" })).status).toBe(200)
})

test("a session whose queue is full asks to be tried again, and is then given the message", async () => {
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const script = () => {
    begun.resolve()
    return ["ok", { until: go.promise }]
  }
  await using platform = await startPlatform({ config: "[gateway]\nqueue_max = 0\n", script })
  const { gateway } = platform
  const first = deliver(gateway, { text: "one", from: "ann" })
  await begun.promise
  const busy = await deliver(gateway, { text: "two", from: "ann" })
  expect([busy.status, busy.headers.get("retry-after")]).toEqual([429, "5"])
  go.resolve()
  expect((await first).status).toBe(200)
  expect((await deliver(gateway, { text: "two", from: "ann" })).status).toBe(200)
})

test("Meta asks by GET, and is answered where it knows the token", async () => {
  const channel = `[channels.meta]\nplugin = "mock-channel"\nsignature = "meta"\nsecret = "${secret}"\nverify_token = "my token"`
  await using platform = await startPlatform({ channel })
  const get = async (name: string, query: string) =>
    told(await fetch(`${platform.gateway.url}/webhook/${name}?${query}`))
  const right = "hub.mode=subscribe&hub.verify_token=my+token&hub.challenge=1158201444"
  expect(await get("meta", right)).toEqual([200, "1158201444"])
  expect((await get("meta", right.replace("my", "no")))[0]).toBe(403)
  expect((await get("mock", right))[0]).toBe(405)
  expect(await get("nobody", right)).toEqual([404, "no channel adapter for 'nobody'"])
})

test("channels follow the configuration without a restart", async () => {
  await using platform = await startPlatform()
  const { gateway, home } = platform
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  await client.call("event.subscribe", { topics: ["config.*"] })
  const path = join(home, "config.toml")
  const before = await Bun.file(path).text()
  writeFileSync(path, before.replace(secret, "quite another secret"))
  expect((await client.read()).params).toMatchObject({ topic: "config.reloaded" })
  const body = JSON.stringify({ text: "hi" })
  expect((await deliver(gateway, body)).status).toBe(401)
  const headers = { "x-signature-256": sign(body, "quite another secret") }
  expect((await deliver(gateway, body, { headers })).status).toBe(200)
  // Without a secret the change is none.
  writeFileSync(path, before.replace(/^secret = .*$/m, ""))
  expect((await client.read()).params).toMatchObject({ topic: "config.rejected" })
  expect((await deliver(gateway, { text: "still there" })).status).toBe(401)
})

test("an answer after the acknowledgement is sent when it is there", async () => {
  const go = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  await using api = startApi(() => {
    arrived.resolve()
    return new Response()
  })
  await using platform = await startPlatform({
    script: () => ["at last", { until: go.promise }],
    capabilities: [`http:127.0.0.1:${api.port}`],
    channel: 'acknowledge = "at_once"',
  })
  const { gateway, model } = platform
  const event = { text: "hi", from: "ann", reply_url: `${api.url}/send` }
  // The model has not been let go on, so nothing of the answer is waited for.
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"status":"accepted"}'])
  expect(await told(await deliver(gateway, event))).toEqual([...duplicate])
  expect(api.got).toEqual([])
  go.resolve()
  await arrived.promise
  expect(api.got).toMatchObject([{ body: '{"chat":"ann","text":"at last"}' }])
  expect(await told(await deliver(gateway, event))).toEqual([...duplicate])
  expect(model.asked).toHaveLength(1)
})

test("what was acknowledged before the gateway stopped is answered by the next one", async () => {
  await using folder = await temporaryFolder()
  const arrived = Promise.withResolvers<void>()
  await using api = startApi(() => {
    arrived.resolve()
    return new Response()
  })
  const options = {
    home: folder.path,
    capabilities: [`http:127.0.0.1:${api.port}`],
    channel: 'acknowledge = "at_once"',
  }
  const event = { text: "hi", from: "ann", reply_url: `${api.url}/send` }
  {
    await using platform = await startPlatform({
      ...options,
      script: () => [{ until: new Promise(() => undefined) }],
    })
    expect((await deliver(platform.gateway, event)).status).toBe(200)
  }
  await using platform = await startPlatform({ ...options, script: () => ["late, but here"] })
  await arrived.promise
  expect(api.got).toMatchObject([{ body: '{"chat":"ann","text":"late, but here"}' }])
  expect(await told(await deliver(platform.gateway, event))).toEqual([...duplicate])
})

test.each([
  [/^secret = .*$/m, "", "secret"],
  [/^signature = .*$/m, "", "signature"],
  [/"hmac-sha256"/, '"discord"', "public_key"],
  [/"hmac-sha256"/, '"token"', "secret"],
])("without %p a channel does not start", async (line, instead, field) => {
  const starting = startGateway({ config: mockConfig().replace(line, instead) })
  await expect(starting).rejects.toMatchObject({
    code: "invalid_config",
    data: { key: `channels.mock.${field}` },
  })
})
