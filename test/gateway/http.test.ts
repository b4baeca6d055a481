import { afterAll, expect, test } from "bun:test"
import type { TSchema } from "@sinclair/typebox"
import { TypeCompiler } from "@sinclair/typebox/compiler"
import { readBody } from "../../src/gateway/http/body.ts"
import { readiness } from "../../src/gateway/http/ready.ts"
import { methods } from "../../src/registry.ts"
import { type Frame, openSocket, startGateway, startModel } from "../harness.ts"
import { ask, call, post, raw, request, statusOf } from "./client.ts"

const model = startModel(() => ["Hel", "lo"])
const gateway = await startGateway({ model })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})
const bearer = (token = gateway.token) => ({ headers: { authorization: `Bearer ${token}` } })

test("chat.send over HTTP answers once, at its end", async () => {
  const response = await post(gateway, request("chat.send", { content: "hi" }, "x"), gateway.token)
  expect(response.headers.get("content-type")).toBe("application/json")
  expect(await response.json()).toEqual({
    jsonrpc: "2.0",
    id: "x",
    result: {
      turn_id: expect.any(String),
      session_key: "default:ws:default:main",
      message_id: expect.any(String),
      text: "Hello",
      stop_reason: "end",
      usage: { input_tokens: 10, output_tokens: 5, cost_usd: null },
    },
  })
})

test("a notification over HTTP runs and is answered 204", async () => {
  const response = await post(
    gateway,
    { jsonrpc: "2.0", method: "chat.send", params: { content: "quietly", peer: "n" } },
    gateway.token,
  )
  expect([response.status, await response.text()]).toEqual([204, ""])
  const { messages } = await ask<{ messages: object[] }>(gateway, "chat.history", {
    session_key: "default:ws:default:n",
  })
  expect(messages).toBeArrayOfSize(2)
})

test("a notification over a socket runs and sends nothing back", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  await socket.call("event.subscribe", { topics: ["turn.done"] })
  socket.send({ jsonrpc: "2.0", method: "chat.send", params: { content: "quietly", peer: "m" } })
  expect(await socket.read()).toMatchObject({ method: "event", params: { topic: "turn.done" } })
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
})

test("a batch over HTTP is answered by one array", async () => {
  const entries = [request("ping", {}, 1), { jsonrpc: "2.0", method: "ping" }, request("no.such", {}, 2)]
  const response = await post(gateway, entries, gateway.token)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject([
    { id: 1, result: "pong" },
    { id: 2, error: { code: -32601, data: { method: "no.such" } } },
  ])
})

test("a batch over HTTP may begin with connect instead of carrying a header", async () => {
  const response = await post(gateway, [
    request("connect", { token: gateway.token }, 1),
    request("ping", {}, 2),
  ])
  expect(await response.json()).toMatchObject([{ id: 1 }, { id: 2, result: "pong" }])
})

test("events cannot be subscribed to where there is nowhere to send them", async () => {
  expect(await call(gateway, "event.subscribe", { topics: ["*"] })).toMatchObject({
    error: { data: { code: "invalid_request" } },
  })
})

test("a wrong token over HTTP is 401 in JSON-RPC's form and says how to do better", async () => {
  const response = await post(gateway, request("ping"), "wrong")
  expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="weft"'])
  expect(await response.json()).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32001 } })
})

test("health says ok and nothing else", async () => {
  const response = await fetch(`${gateway.url}/health`)
  expect([response.status, await response.text(), response.headers.get("content-type")]).toEqual([
    200,
    "ok",
    "text/plain; charset=utf-8",
  ])
})

test("ready is 200 for a gateway that can take turns", async () => {
  const response = await fetch(`${gateway.url}/ready`, bearer())
  expect([response.status, await response.json()]).toEqual([200, { ready: true, failing: [] }])
})

test.each([
  ["an agent without a key", '[agent]\nprovider = "anthropic"\n', ["provider anthropic"]],
  ["a key of its own", '[agent]\nprovider = "anthropic"\napi_key = "k"\n', []],
  [
    "a fallback that has one",
    '[agent]\nprovider = "anthropic"\n[agent.fallback]\nprovider = "offline"\n',
    [],
  ],
  ["a provider that nobody uses", '[agent]\nprovider = "offline"\n[providers.openai]\n', []],
  ["a server of this machine", '[agent]\nprovider = "ollama"\nmodel = "m"\n', []],
])("ready names what keeps it from taking turns: %s", async (_what, config, failing) => {
  await using one = await startGateway({ config })
  const response = await fetch(`${one.url}/ready`, { headers: { authorization: `Bearer ${one.token}` } })
  const ready = failing.length === 0
  expect([response.status, await response.json()]).toEqual([ready ? 200 : 503, { ready, failing }])
})

test("ready names a database that cannot be written", async () => {
  const app = {
    store: { failing: () => true },
    turns: { draining: () => false },
    live: () => ({ agents: new Map(), isReady: () => true }),
  }
  const response = readiness({ app } as never)
  expect([response.status, await response.json()]).toEqual([503, { ready: false, failing: ["store"] }])
})

/** The samples of a Prometheus text, by name and labels. Throws for what is none. */
function parseMetrics(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  const typed = new Set<string>()
  if (!text.endsWith("\n")) throw new Error("the last line has no end")
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line)
    if (comment?.[1] === "TYPE") {
      if (typed.has(comment[2]!)) throw new Error(`${comment[2]} comes twice`)
      typed.add(comment[2]!)
    }
    if (comment) continue
    const found =
      /^([a-zA-Z_:][\w:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN)$/.exec(line)
    if (!found) throw new Error(`no sample: ${line}`)
    if (!typed.has(found[1]!)) throw new Error(`${found[1]} has no type`)
    if (samples.has(`${found[1]}${found[2] ?? ""}`)) throw new Error(`${line} comes twice`)
    samples.set(`${found[1]}${found[2] ?? ""}`, Number(found[3]))
  }
  return samples
}

test("metrics are Prometheus text and count what happens", async () => {
  const read = async () => parseMetrics(await (await fetch(`${gateway.url}/metrics`, bearer())).text())
  const before = await read()
  await using _socket = await openSocket(gateway.ws, { token: gateway.token })
  await ask(gateway, "chat.send", { content: "count me" })
  const after = await read()
  const grown = (name: string) => after.get(name)! - (before.get(name) ?? 0)
  expect([
    grown('weft_turns_total{stop_reason="end"}'),
    grown('weft_tokens_total{direction="input"}'),
    grown("weft_connections_total"),
    grown("weft_frames_total"),
    after.get("weft_turns_running"),
    after.get("weft_unauthenticated"),
  ]).toEqual([1, 10, 1, 1, 0, 0])
  expect(after.get("weft_resident_bytes")).toBeGreaterThan(1_000_000)
  expect(grown("weft_turn_seconds_total")).toBeWithin(0.000_001, 60)
})

test("metrics may be made public", async () => {
  expect((await fetch(`${gateway.url}/metrics`)).status).toBe(401)
  await using open = await startGateway({ config: "[gateway]\nmetrics_public = true\n" })
  expect((await fetch(`${open.url}/metrics`)).status).toBe(200)
})

type Document = {
  openrpc: string
  info: { title: string; version: string }
  methods: {
    name: string
    summary: string
    params: { name: string; required: boolean; schema: TSchema }[]
    result: { schema: TSchema }
    "x-scope": string
  }[]
}

test("the OpenRPC document has every method with its scope, and schemas that compile", async () => {
  const document = (await (await fetch(`${gateway.url}/openrpc.json`)).json()) as Document
  expect(document.openrpc).toMatch(/^1\.3\.\d+$/)
  expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) })
  expect(document.methods.map((method) => [method.name, method["x-scope"]])).toEqual(
    methods.map(({ name, scope }) => [name, scope]),
  )
  for (const { name, params, result, summary } of document.methods) {
    expect(summary).not.toBe("")
    const declared = methods.find((method) => method.name === name)!.params as TSchema
    const fields = ((declared.anyOf ?? [declared]) as TSchema[]).flatMap(({ properties }) =>
      Object.keys(properties as object),
    )
    expect([name, params.map((param) => param.name)]).toEqual([name, fields])
    expect(new Set(fields).size).toBe(fields.length)
    // What came back as JSON lost TypeBox's own marks, as it does for every other reader; its originals must compile.
    for (const param of params) expect(param.schema).toBeObject()
    expect(result.schema).toBeObject()
    TypeCompiler.Compile(declared)
    TypeCompiler.Compile(methods.find((method) => method.name === name)!.result)
  }
})

test("the document says which parameters are needed", async () => {
  const { methods: told } = await ask<Document>(gateway, "rpc.discover")
  const needed = (name: string) => {
    const { params } = told.find((method) => method.name === name)!
    return params.filter(({ required }) => required).map((param) => param.name)
  }
  // One of two is needed for chat.abort, which the document has no words for.
  expect([needed("session.get"), needed("chat.send"), needed("chat.abort")]).toEqual([
    ["session_key"],
    ["content"],
    [],
  ])
})

test("rpc.discover answers the same document", async () => {
  const served: unknown = await (await fetch(`${gateway.url}/openrpc.json`)).json()
  expect(await ask<unknown>(gateway, "rpc.discover")).toEqual(served)
})

test("the page and its client come with headers that keep others out", async () => {
  const page = await fetch(`${gateway.url}/`)
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"])
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'")
  expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'")
  expect(page.headers.get("x-content-type-options")).toBe("nosniff")
  const script = await fetch(`${gateway.url}/client.js`)
  expect([script.status, script.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"])
  expect(script.headers.get("x-content-type-options")).toBe("nosniff")
})

test("HEAD is answered as GET is, without the body", async () => {
  const answer = await raw(
    gateway.port,
    "HEAD /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
  )
  expect([statusOf(answer), answer.split("\r\n\r\n")[1]]).toEqual([200, ""])
})

test("no answer invites another origin", async () => {
  for (const path of ["/", "/health", "/openrpc.json", "/client.js", "/nothing"]) {
    const { headers } = await fetch(`${gateway.url}${path}`)
    expect([path, headers.get("access-control-allow-origin")]).toEqual([path, null])
  }
})

test("an error of any method over HTTP keeps its own status out of the way", async () => {
  const response = await post(gateway, request("session.get", { session_key: "nothing" }), gateway.token)
  expect(response.status).toBe(200)
  expect((await response.json()) as Frame).toMatchObject({
    error: { code: -32004, data: { code: "not_found", what: "session" } },
  })
})

test("a client that goes away in the middle of its body is no bug", async () => {
  const begun = Promise.withResolvers<void>()
  const read = Promise.withResolvers<unknown>()
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      begun.resolve()
      readBody(request, 1000).then(read.resolve, read.resolve)
      return read.promise.then(() => new Response())
    },
  })
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port!,
    socket: { data: () => undefined },
  })
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nbegun")
  await begun.promise
  socket.terminate()
  expect(await read.promise).toMatchObject({ code: "aborted" })
})
