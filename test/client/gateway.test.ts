import { expect, test } from "bun:test"
import { connect } from "../../src/client/client.ts"
import { startGateway, startModel, temporaryFolder } from "../harness.ts"

test("a turn streams, is answered and is in the history", async () => {
  await using gateway = await startGateway()
  await using client = await connect(gateway)
  const chat = client.chat("hello")
  const view = await chat.collect()
  const result = await chat.result
  expect(view).toMatchObject({ stop_reason: "end", text: result.text, session_key: result.session_key })
  const { messages } = await client.call("chat.history", { session_key: result.session_key! })
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"])
})

test("a turn that another client follows by its id is the same turn", async () => {
  await using gateway = await startGateway()
  await using client = await connect(gateway)
  await using other = await connect(gateway)
  const { turn_id } = await client.chat("hello").result
  const [first, second] = await Promise.all([
    client.attach(turn_id).collect(),
    other.attach(turn_id).collect(),
  ])
  expect(second).toEqual(first)
})

test("the same key says the same thing once, also to a client that comes later", async () => {
  await using gateway = await startGateway()
  await using client = await connect(gateway)
  const message = { content: "hello", idempotency_key: "k" }
  const first = await client.chat(message).result
  const view = await client.chat(message).collect()
  expect(view).toMatchObject({ turn_id: first.turn_id, text: first.text, stop_reason: "end" })
})

test("aborting stops the model's own request", async () => {
  await using model = startModel(async function* (_asked, _call, signal) {
    yield "one "
    yield { until: new Promise((resolve) => signal.addEventListener("abort", resolve)) }
  })
  await using gateway = await startGateway({ model })
  await using client = await connect(gateway)
  const stop = new AbortController()
  const chat = client.chat("count", { signal: stop.signal })
  for await (const event of chat) if (event.type === "text") stop.abort()
  expect(await chat.result).toMatchObject({ stop_reason: "aborted" })
})

test("what happens in the gateway is told by topic", async () => {
  await using gateway = await startGateway()
  await using client = await connect(gateway)
  const events = client.events(["turn.*"])
  await client.call("ping")
  await client.chat("hello").result
  expect((await events.next()).value).toMatchObject({ topic: "turn.started" })
  expect((await events.next()).value).toMatchObject({ topic: "turn.done", data: { stop_reason: "end" } })
})

test("a revoked token ends its client", async () => {
  await using gateway = await startGateway()
  await using admin = await connect(gateway)
  const { token, token_id } = await admin.call("token.create", { name: "bot" })
  const closed = Promise.withResolvers<unknown>()
  const onState = (state: { state: string; error?: unknown }) =>
    void (state.error && closed.resolve(state.error))
  await using _bot = await connect({ url: gateway.url, token, onState })
  await admin.call("token.revoke", { token_id })
  expect(await closed.promise).toMatchObject({ code: "unauthorized" })
})

test("a gateway that is started again tells what became of a turn, and goes on with the next", async () => {
  await using home = await temporaryFolder()
  await using model = startModel(async function* (_asked, call, signal) {
    yield "one "
    if (call === 0) yield { until: new Promise((resolve) => signal.addEventListener("abort", resolve)) }
  })
  const first = await startGateway({ home: home.path, model })
  await using client = await connect({ ...first, reconnect: { delay_ms: 1, delay_ms_max: 20 } })
  const types: string[] = []
  const read = async () => {
    for await (const event of client.chat("count")) {
      types.push(event.type)
      if (event.type === "text") void first.stop("now")
    }
  }
  const ended = read().catch((thrown) => thrown)
  await first.closed
  await using _second = await startGateway({
    home: home.path,
    model,
    flags: { gateway: { port: first.port } },
  })
  expect(await ended).toMatchObject({ code: "shutting_down" })
  expect(types.at(-1)).toBe("done")
  expect(await client.chat("again").text()).toBe("one ")
})
