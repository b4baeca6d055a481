import { afterAll, expect, test } from "bun:test"
import { isTopic } from "../../src/gateway/hub.ts"
import { type Frame, openSocket, startGateway, startModel } from "../harness.ts"
import { ask, makeToken, request } from "./client.ts"

const model = startModel(() => ["fine"])
const config = `
[agent]
provider = "script"
model = "scripted"
[[agents]]
id = "work"
provider = "script"
model = "scripted"
`
const gateway = await startGateway({ model, config })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

/** The frames that came before the answer to a ping. */
async function heard(socket: Awaited<ReturnType<typeof openSocket>>) {
  const events: Frame[] = []
  await socket.call("ping", {}, events)
  return events.map(({ params }) => [params!.seq, params!.topic, (params!.data as { agent?: string }).agent])
}

test.each([
  ["*", "turn.done", true],
  ["turn.*", "turn.done", true],
  ["turn.done", "turn.done", true],
  ["turn.*", "turns.done", false],
  ["turn.do", "turn.done", false],
  ["session.*", "turn.done", false],
])("the pattern %p and the topic %p: %p", (pattern, topic, matches) => {
  expect(isTopic(pattern, topic)).toBe(matches)
})

test("a subscriber is told of what it asked for, numbered without a gap, until it unsubscribes", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  expect(await socket.call("event.subscribe", { topics: ["turn.started", "session.*"] })).toMatchObject({
    result: { topics: ["turn.started", "session.*"] },
  })
  const { session_key } = await ask(gateway, "chat.send", { content: "hi" })
  await ask(gateway, "session.reset", { session_key })
  await ask(gateway, "session.delete", { session_key })
  expect(await heard(socket)).toEqual([
    [0, "turn.started", "default"],
    [1, "session.reset", undefined],
    [2, "session.deleted", undefined],
  ])
  expect(await socket.call("event.unsubscribe", { topics: ["session.*", "never.was"] })).toMatchObject({
    result: { topics: ["turn.started"] },
  })
  await ask(gateway, "chat.send", { content: "hi" })
  await ask(gateway, "session.delete", { session_key })
  expect(await heard(socket)).toEqual([[3, "turn.started", "default"]])
})

test("nobody is told of another agent's affairs, or of what is an admin's", async () => {
  const { token } = await makeToken(gateway, { scopes: ["read"], agents: ["work"] })
  const reader = await makeToken(gateway, { scopes: ["read"] })
  await using work = await openSocket(gateway.ws, { token })
  await using all = await openSocket(gateway.ws, { token: reader.token })
  await using admin = await openSocket(gateway.ws, { token: gateway.token })
  for (const socket of [work, all, admin]) await socket.call("event.subscribe", { topics: ["*"] })
  await ask(gateway, "chat.send", { content: "hi", agent: "default" })
  await ask(gateway, "chat.send", { content: "hi", agent: "work" })
  const { token_id } = await makeToken(gateway)
  await ask(gateway, "token.revoke", { token_id })
  const turns = (agent: string, seq: number) => [
    [seq, "turn.started", agent],
    [seq + 1, "turn.done", agent],
  ]
  expect(await heard(work)).toEqual(turns("work", 0))
  expect(await heard(all)).toEqual([...turns("default", 0), ...turns("work", 2)])
  expect(await heard(admin)).toEqual([
    ...turns("default", 0),
    ...turns("work", 2),
    [4, "token.revoked", undefined],
  ])
})

test.each([["x"], ["turn"], ["Turn.done"], ["turn.done.more"], [""], ["*.done"], ["turn.**"]])(
  "%p is no topic",
  async (topic) => {
    await using socket = await openSocket(gateway.ws, { token: gateway.token })
    expect(await socket.call("event.subscribe", { topics: [topic] })).toMatchObject({
      error: { data: { code: "invalid_params" } },
    })
  },
)

test("a turn that is over can be attached to, and says all of itself again", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const first: Frame[] = []
  const sent = await socket.call("chat.send", { content: "again" }, first)
  const { turn_id } = sent.result as { turn_id: string }
  const second: Frame[] = []
  const attached = await socket.call("chat.attach", { turn_id }, second)
  expect(attached.result).toEqual(sent.result)
  const events = (frames: Frame[]) => frames.map(({ params }) => ({ ...params, request_id: 0 }))
  expect(events(second)).toEqual(events(first))
  const rest: Frame[] = []
  await socket.call("chat.attach", { turn_id, after_seq: 1 }, rest)
  expect(events(rest)).toEqual(events(first).slice(2))
})

test("events of a turn come before its answer, with the id of their own request", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const events: Frame[] = []
  const { id } = await socket.call("chat.send", { content: "in order" }, events)
  expect(events.map(({ params }) => [params!.request_id, params!.seq, params!.type])).toEqual([
    [id, 0, "started"],
    [id, 1, "text"],
    [id, 2, "usage"],
    [id, 3, "done"],
  ])
})

test("a client that goes away stops its turn only where it said so", async () => {
  const more = Promise.withResolvers<void>()
  await using waiting = startModel(() => ["so", { until: more.promise }, "far"] as never)
  await using own = await startGateway({ model: waiting })
  await using listener = await openSocket(own.ws, { token: own.token })
  await listener.call("event.subscribe", { topics: ["turn.done"] })
  for (const on_disconnect of ["abort", "continue"]) {
    await using socket = await openSocket(own.ws, { token: own.token })
    socket.send({
      jsonrpc: "2.0",
      id: 1,
      method: "chat.send",
      params: { content: "x", peer: on_disconnect, on_disconnect },
    })
    while ((await socket.read()).params?.type !== "text");
  }
  const done = await listener.read()
  expect(done.params!.data).toMatchObject({ session_key: "default:ws:default:abort", stop_reason: "aborted" })
  more.resolve()
  const other = await listener.read()
  expect(other.params!.data).toMatchObject({ session_key: "default:ws:default:continue", stop_reason: "end" })
})

test("what a client left behind in a batch is stopped as well, where it said so", async () => {
  const more = Promise.withResolvers<void>()
  await using waiting = startModel(() => ["so", { until: more.promise }, "far"] as never)
  await using own = await startGateway({ model: waiting })
  await using listener = await openSocket(own.ws, { token: own.token })
  await listener.call("event.subscribe", { topics: ["turn.done"] })
  const leaving = await openSocket(own.ws, { token: own.token })
  leaving.send([
    request("chat.send", { content: "first" }, 1),
    request("chat.send", { content: "second", on_disconnect: "abort" }, 2),
  ])
  while ((await leaving.read()).params?.type !== "text");
  await leaving[Symbol.asyncDispose]()
  more.resolve()
  const reasons = [await listener.read(), await listener.read()].map(({ params }) => params!.data)
  expect(reasons).toMatchObject([{ stop_reason: "end" }, { stop_reason: "aborted" }])
})

test("a client over HTTP that goes away stops its turn as well, where it said so", async () => {
  const never = Promise.withResolvers<void>()
  await using waiting = startModel(() => [{ until: never.promise }] as never)
  await using own = await startGateway({ model: waiting })
  await using listener = await openSocket(own.ws, { token: own.token })
  await listener.call("event.subscribe", { topics: ["turn.*"] })
  const leaving = new AbortController()
  const answer = fetch(`${own.url}/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${own.token}` },
    body: JSON.stringify(request("chat.send", { content: "x", on_disconnect: "abort" })),
    signal: leaving.signal,
  })
  expect(await listener.read()).toMatchObject({ params: { topic: "turn.started" } })
  leaving.abort()
  await expect(answer).rejects.toThrow()
  expect(await listener.read()).toMatchObject({
    params: { topic: "turn.done", data: { stop_reason: "aborted" } },
  })
  never.resolve()
})

test("a token to chat may stop its own turn from its first moment", async () => {
  const never = Promise.withResolvers<void>()
  await using waiting = startModel(() => [{ until: never.promise }] as never)
  await using own = await startGateway({ model: waiting })
  const { token } = await makeToken(own, { scopes: ["chat"] })
  await using socket = await openSocket(own.ws, { token })
  const session_key = "default:ws:default:main"
  socket.send([
    { jsonrpc: "2.0", id: 1, method: "chat.send", params: { content: "x" } },
    { jsonrpc: "2.0", id: 2, method: "chat.abort", params: { session_key } },
  ])
  let answers: unknown
  do answers = JSON.parse(await socket.next())
  while (!Array.isArray(answers))
  expect(answers).toMatchObject([{ id: 1 }, { id: 2, result: { aborted: 1 } }])
  never.resolve()
})
