import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { type AnyMethod, defineMethod } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { checked, type Frame, openSocket, startGateway, startModel } from "../harness.ts"
import { post, request } from "./client.ts"

/** A method that answers when the test says so. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const method: AnyMethod = defineMethod({
    name: "test.hold",
    summary: "Answers later.",
    scope: "read",
    params: Type.Object({}),
    result: Type.String(),
    run: () => promise.then(() => "done"),
  })
  return { methods: [...methods.map(checked), method], release: resolve }
}

test("a frame at the limit is read, and one beyond closes that socket with 1009", async () => {
  await using gateway = await startGateway({ config: "[gateway]\npayload_bytes_max = 4096\n" })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  await using other = await openSocket(gateway.ws, { token: gateway.token })
  const frame = (bytes: number) => {
    const empty = JSON.stringify({ ...request("ping"), pad: "" })
    return JSON.stringify({ ...request("ping"), pad: "x".repeat(bytes - empty.length) })
  }
  socket.send(frame(4096))
  expect(await socket.read()).toMatchObject({ result: "pong" })
  socket.send(frame(4097))
  expect(await socket.closed).toMatchObject({ code: 1009 })
  expect(await other.call("ping")).toMatchObject({ result: "pong" })
  expect(await other.call("status")).toMatchObject({ result: { connections: 1 } })
})

test("the usual limit of a frame is 1 MiB", async () => {
  await using gateway = await startGateway()
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  socket.send(" ".repeat(1_048_576))
  expect(await socket.read()).toMatchObject({ error: { code: -32700 } })
  socket.send(" ".repeat(1_048_577))
  expect(await socket.closed).toMatchObject({ code: 1009 })
})

test("a body beyond the limit is 413 over HTTP, in JSON-RPC's own form, and for a stranger far sooner", async () => {
  await using gateway = await startGateway({ config: "[gateway]\npayload_bytes_max = 8192\n" })
  const padded = (bytes: number) => `${JSON.stringify(request("ping"))}${" ".repeat(bytes)}`
  expect((await post(gateway, padded(8000), gateway.token)).status).toBe(200)
  const refused = await post(gateway, padded(8192), gateway.token)
  expect(refused.status).toBe(413)
  expect(await refused.json()).toMatchObject({
    jsonrpc: "2.0",
    id: null,
    error: { code: -32011, data: { limit: 8192 } },
  })
  expect((await post(gateway, padded(4096))).status).toBe(413)
  async function* chunks() {
    for (let i = 0; i < 20; i++) yield " ".repeat(1000)
  }
  const streamed = await fetch(`${gateway.url}/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}` },
    body: chunks() as never,
  })
  expect(streamed.status).toBe(413)
})

test("past 64 requests in flight further ones are rate_limited, while ping and chat.abort pass", async () => {
  const hold = held()
  await using gateway = await startGateway({ methods: hold.methods })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  await using other = await openSocket(gateway.ws, { token: gateway.token })
  for (let id = 0; id < 64; id++) socket.send(request("test.hold", {}, id))
  const limited = {
    error: { code: -32003, data: { code: "rate_limited", retry_after_ms: expect.any(Number) } },
  }
  expect(await socket.call("test.hold")).toMatchObject(limited)
  expect(await socket.call("status")).toMatchObject(limited)
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
  expect(await socket.call("chat.abort", { session_key: "default:ws:default:main" })).toMatchObject({
    result: { aborted: 0 },
  })
  expect(await other.call("status")).toMatchObject({ result: {} })
  hold.release()
  for (let id = 0; id < 64; id++) expect(await socket.read()).toMatchObject({ id, result: "done" })
  expect(await socket.call("status")).toMatchObject({ result: {} })
})

test("notifications that are worked on count as well, and are not answered", async () => {
  const hold = held()
  await using gateway = await startGateway({ methods: hold.methods })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  for (let i = 0; i < 64; i++) socket.send({ jsonrpc: "2.0", method: "test.hold" })
  expect(await socket.call("status")).toMatchObject({ error: { data: { code: "rate_limited" } } })
  hold.release()
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
})

test("a failed request makes room as well", async () => {
  await using gateway = await startGateway()
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  for (let i = 0; i < 130; i++) {
    const { error } = await socket.call("token.exchange", { code: "x" })
    expect(["unauthorized", "rate_limited"]).toContain(String(error!.data.code))
  }
  expect(await socket.call("status")).toMatchObject({ result: {} })
})

const answersOf = (frame: Frame[]) => new Map(frame.map((one) => [one.id, one]))

test("a batch runs in order within a session and together otherwise", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  // Each answers with the number of messages that it was shown; peer "a" has to wait for peer "b".
  await using model = startModel(async function* (asked) {
    const said = String(asked.messages.at(-1)!.content)
    if (said.startsWith("a")) yield { until: promise }
    else resolve()
    yield `${said}:${asked.messages.length}`
  })
  await using gateway = await startGateway({ model })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const session_key = "default:ws:default:a"
  socket.send([
    request("chat.send", { content: "a1", peer: "a" }, 1),
    request("chat.send", { content: "a2", peer: "a" }, 2),
    request("chat.history", { session_key }, 3),
    request("chat.send", { content: "b1", peer: "b" }, 4),
    request("session.reset", { session_key }, 5),
    request("chat.send", { content: "a3", peer: "a" }, 6),
    request("session.patch", { session_key, title: "after" }, 7),
    request("session.get", { session_key }, 8),
    request("chat.send", { content: "", peer: "a" }, 9),
  ])
  let frame: unknown
  do frame = JSON.parse(await socket.next())
  while (!Array.isArray(frame))
  const answers = answersOf(frame)
  expect(answers.get(1)).toMatchObject({ result: { text: "a1:1" } })
  expect(answers.get(2)).toMatchObject({ result: { text: "a2:3" } })
  expect((answers.get(3)!.result as { messages: unknown[] }).messages).toBeArrayOfSize(4)
  expect(answers.get(4)).toMatchObject({ result: { text: "b1:1" } })
  expect(answers.get(6)).toMatchObject({ result: { text: "a3:1" } })
  expect(answers.get(8)).toMatchObject({ result: { title: "after", message_count: 6 } })
  expect(answers.get(9)).toMatchObject({ error: { data: { code: "invalid_params" } } })
})

test("answers that are too much for one frame are left out of it, and that is said", async () => {
  const big: AnyMethod = defineMethod({
    name: "test.big",
    summary: "Says much.",
    scope: "read",
    params: Type.Object({}),
    result: Type.String(),
    run: () => "x".repeat(10_000_000),
  })
  await using gateway = await startGateway({ methods: [...methods, big] })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  socket.send([1, 2, 3, 4].map((id) => request("test.big", {}, id)))
  const answers = JSON.parse(await socket.next()) as Frame[]
  expect(answers.map(({ id, result }) => [id, (result as string | undefined)?.length])).toEqual([
    [1, 10_000_000],
    [2, 10_000_000],
    [3, 10_000_000],
    [4, undefined],
  ])
  expect(answers[3]!.error).toMatchObject({ code: -32011, data: { code: "too_large", what: "batch" } })
})

test("the order is that of the session that the bindings lead to", async () => {
  await using model = startModel(() => ["fine"])
  const config =
    '[[agents]]\nid = "guild"\nprovider = "script"\nmodel = "scripted"\n[[bindings]]\nagent_id = "guild"\nguild_id = "g"\n'
  await using gateway = await startGateway({ model, config })
  const session_key = "guild:ws:default:main"
  const response = await post(
    gateway,
    [request("chat.send", { content: "hi", guild: "g" }, 1), request("chat.history", { session_key }, 2)],
    gateway.token,
  )
  const answers = answersOf((await response.json()) as Frame[])
  expect((answers.get(2)!.result as { messages: unknown[] }).messages).toBeArrayOfSize(2)
})

test("a queue that is full answers session_busy", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  await using model = startModel(() => [{ until: promise }, "done"] as never)
  await using gateway = await startGateway({ model, config: "[gateway]\nqueue_max = 2\n" })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  for (let id = 0; id < 4; id++) socket.send(request("chat.send", { content: `${id}` }, id))
  let frame = await socket.read()
  while (frame.method !== undefined) frame = await socket.read()
  expect(frame).toMatchObject({
    id: 3,
    error: { code: -32005, data: { code: "session_busy", queue_max: 2 } },
  })
  resolve()
  const seen: unknown[] = []
  while (seen.length < 3) {
    const next = await socket.read()
    if (next.method === undefined) seen.push([next.id, (next.result as { text: string }).text])
  }
  expect(seen).toEqual([
    [0, "done"],
    [1, "done"],
    [2, "done"],
  ])
})

test("topics that a client subscribes to have a bound", async () => {
  await using gateway = await startGateway()
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const letters = "abcdefghijklmnopqrstuvwxyz"
  const subscribe = (first: string) =>
    socket.call("event.subscribe", { topics: [...letters].map((last) => `${first}.${last}`) })
  for (const first of "abcd") expect(await subscribe(first)).toMatchObject({ result: {} })
  expect(await subscribe("e")).toMatchObject({ error: { data: { code: "too_large", limit: 128 } } })
})
