/** Turns as a client of a whole gateway sees them, up to the request that a provider gets. */
import { expect, test } from "bun:test"
import { type Frame, openSocket, startGateway, startModel, temporaryFolder } from "../harness.ts"

const key = "default:ws:default:main"
const config = `
[agent]
provider = "script"
model = "scripted"
models = ["other"]
[memory]
episodic_window = 2
summaries = "none"
`

/** Roles and texts of a request in OpenAI's form. */
const linesOf = (asked: { messages: { role: string; content: unknown }[] } | undefined) =>
  asked?.messages.map(
    ({ role, content }) => `${role} ${typeof content === "string" ? content : JSON.stringify(content)}`,
  )

test("after a turn that failed between its tools the next request is well formed", async () => {
  await using model = startModel((_asked, call) => {
    if (call === 0) return [{ tool: "current_time", input: {}, id: "t1" }]
    return call === 1 ? [{ status: 400 }] : ["fine"]
  })
  await using gateway = await startGateway({ model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  expect(await client.call("chat.send", { content: "first" })).toMatchObject({
    error: { data: { code: "provider_failed", turn_id: expect.any(String) } },
  })
  expect(await client.call("chat.send", { content: "second" })).toMatchObject({ result: { text: "fine" } })
  const { messages } = model.asked[2]!
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "user"])
  expect(messages[1]!.tool_calls).toMatchObject([
    { id: "t1", function: { name: "current_time", arguments: "{}" } },
  ])
  expect(messages[2]).toMatchObject({ tool_call_id: "t1", content: expect.stringContaining("UTC") })
})

test("questions that got no answer are asked together with the next one", async () => {
  await using model = startModel((_asked, call) => (call < 2 ? [{ status: 400 }] : ["fine"]))
  await using gateway = await startGateway({ model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  for (const content of ["1", "2", "3"]) await client.call("chat.send", { content })
  const { messages } = model.asked[2]!
  expect(messages.map(({ role }) => role)).toEqual(["user"])
  expect(JSON.stringify(messages[0]!.content)).toMatch(/1.*2.*3/)
})

test("session.reset moves what the model sees, and the window is the configured one", async () => {
  await using model = startModel((_asked, call) => [`answer ${call}`])
  await using gateway = await startGateway({ model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  for (const content of ["0", "1", "2", "3", "4", "5"]) await client.call("chat.send", { content })
  // At least two past turns; the beginning moves by as many at a time.
  expect(linesOf(model.asked[5])).toEqual([
    ...["user 2", "assistant answer 2", "user 3", "assistant answer 3", "user 4", "assistant answer 4"],
    "user 5",
  ])
  await client.call("session.reset", { session_key: key })
  await client.call("chat.send", { content: "6" })
  expect(linesOf(model.asked[6])).toEqual(["user 6"])
  const { result } = await client.call("chat.history", { session_key: key })
  expect((result as { messages: unknown[] }).messages).toHaveLength(14)
})

test("a model is chosen for a message by chat.send and for a session by session.patch", async () => {
  await using model = startModel(() => ["ok"])
  await using gateway = await startGateway({ model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  const used = async (more: object = {}) => {
    await client.call("chat.send", { content: "hello", ...more })
    return model.asked.at(-1)!.model
  }
  const patch = (chosen: string | null) => client.call("session.patch", { session_key: key, model: chosen })
  expect([await used(), await used({ model: "other" }), await used()]).toEqual([
    "scripted",
    "other",
    "scripted",
  ])
  expect(await patch("other")).toMatchObject({ result: { model: "script/other" } })
  expect([await used(), await used({ model: "scripted" })]).toEqual(["other", "scripted"])
  expect(await patch("forbidden")).toMatchObject({ error: { data: { code: "forbidden" } } })
  await patch(null)
  expect(await used()).toBe("scripted")
  expect(await client.call("chat.send", { content: "x", model: "no" })).toMatchObject({
    error: { data: { code: "forbidden", allowed: ["script/scripted", "script/other"] } },
  })
})

test("changes of a session that come together are all made", async () => {
  await using model = startModel(() => ["ok"])
  await using gateway = await startGateway({ model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  await client.call("chat.send", { content: "hello" })
  for (const change of [{ title: "Notes" }, { model: "other" }]) {
    client.send({ jsonrpc: "2.0", id: 1, method: "session.patch", params: { session_key: key, ...change } })
  }
  await Promise.all([client.read(), client.read()])
  expect(await client.call("session.get", { session_key: key })).toMatchObject({
    result: { title: "Notes", model: "script/other" },
  })
})

test("the same key sent twice at once, and again after a restart, is one turn", async () => {
  await using home = await temporaryFolder()
  await using model = startModel((_asked, call) => [`answer ${call}`])
  const send = { content: "hello", idempotency_key: "k" }
  let first: Frame
  {
    await using gateway = await startGateway({ home: home.path, model, config })
    await using one = await openSocket(gateway.ws, { token: gateway.token })
    await using two = await openSocket(gateway.ws, { token: gateway.token })
    const [left, right] = await Promise.all([one.call("chat.send", send), two.call("chat.send", send)])
    expect(left.result).toEqual(right.result)
    first = left
  }
  await using gateway = await startGateway({ home: home.path, model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  const events: Frame[] = []
  expect((await client.call("chat.send", send, events)).result).toEqual(first.result)
  expect(events.map(({ params }) => params!.type)).toEqual(["started", "text", "usage", "done"])
  expect(await client.call("chat.send", { ...send, content: "other" })).toMatchObject({
    error: { data: { code: "conflict" } },
  })
  expect(model.asked).toHaveLength(1)
})

test("chat.attach picks a turn up after any event, past the last one too, live or not", async () => {
  const go = Promise.withResolvers<void>()
  await using model = startModel(() => ["Hel", { until: go.promise }, "lo."])
  await using gateway = await startGateway({ model, config })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  await using other = await openSocket(gateway.ws, { token: gateway.token })
  await other.call("event.subscribe", { topics: ["turn.started"] })
  const sent = client.call("chat.send", { content: "hello" })
  const { params } = await other.read()
  const { turn_id } = params!.data as { turn_id: string }
  const attach = async (after_seq: number) => {
    const events: Frame[] = []
    const { result } = await other.call("chat.attach", { turn_id, after_seq }, events)
    return [result, events.map(({ params }) => params!)] as const
  }
  const live = attach(99)
  go.resolve()
  const { result } = await sent
  expect(await live).toEqual([result, []])
  const [, all] = await attach(-1)
  const last = all.at(-1)!.seq as number
  for (let after_seq = -1; after_seq <= last + 1; after_seq++) {
    const [again, events] = await attach(after_seq)
    expect(again).toEqual(result)
    expect(events[0]?.seq_first ?? events[0]?.seq).toBe(after_seq < last ? after_seq + 1 : undefined)
    const texts = events.map(({ text }) => text ?? "").join("")
    expect("Hello.").toEndWith(texts)
  }
})
