import { expect, test } from "bun:test"
import fc from "fast-check"
import { type ConnectionState, connect, type TurnEvent, WeftError } from "../../src/client/client.ts"
import { started, startServer, text } from "./server.ts"

const quick = { delay_ms: 1, delay_ms_max: 2 }
const open = (url: string, more = {}) => connect({ url, token: "secret", reconnect: quick, ...more })

test("a call gives its result", async () => {
  await using server = startServer()
  server.methods.set("session.list", ({ limit }) => ({ sessions: [], limit }))
  await using client = await open(server.url)
  expect((await client.call("session.list", { limit: 3 })) as unknown).toEqual({ sessions: [], limit: 3 })
})

test("a failed call throws the word of its error, its data and its sentence", async () => {
  await using server = startServer()
  await using client = await open(server.url)
  const error = await client.call("no.such").catch((thrown) => thrown)
  expect(error).toBeInstanceOf(WeftError)
  expect(error).toMatchObject({ code: "method_not_found", message: "No.", data: { detail: 1 } })
})

test("a wrong token is told at once", async () => {
  await using server = startServer()
  await expect(open(server.url, { token: "wrong" })).rejects.toMatchObject({ code: "unauthorized" })
})

test("a gateway that is not there is unreachable", async () => {
  const server = startServer()
  await server[Symbol.asyncDispose]()
  await expect(open(server.url)).rejects.toMatchObject({ code: "unreachable" })
})

test("a gateway that never answers connect is unreachable after the time-out", async () => {
  await using server = startServer()
  server.hooks.onRequest = () => "ignore"
  const refused = open(server.url, { connect_timeout_ms: 20 })
  await expect(refused).rejects.toMatchObject({ code: "unreachable", data: { reason: "no answer in time" } })
})

test("a chat streams its events and ends with its result", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => {
    server.emit(String(turn_id), started, text("Hel"), text("lo"))
    server.finish(String(turn_id))
  })
  await using client = await open(server.url)
  const chat = client.chat("hi")
  const events: TurnEvent[] = []
  for await (const event of chat) events.push(event)
  expect(events.map(({ seq, type }) => [seq, type])).toEqual([
    [0, "started"],
    [1, "text"],
    [2, "text"],
    [3, "done"],
  ])
  expect(await chat.result).toMatchObject({ turn_id: "turn-0", text: "Hello", stop_reason: "end" })
  expect(await chat.text()).toBe("Hello")
})

test("a turn that fails throws after its last event, and its result rejects", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => {
    server.emit(String(turn_id), started, {
      type: "error",
      code: "provider_failed",
      message: "No.",
      data: {},
    })
    server.finish(String(turn_id), "error", {
      code: -32007,
      message: "No.",
      data: { code: "provider_failed", turn_id },
    })
  })
  await using client = await open(server.url)
  const chat = client.chat("hi")
  const types: string[] = []
  const read = async () => {
    for await (const event of chat) types.push(event.type)
  }
  await expect(read()).rejects.toMatchObject({ code: "provider_failed" })
  expect(types).toEqual(["started", "error", "done"])
  await expect(chat.result).rejects.toMatchObject({ data: { turn_id: "turn-0" } })
})

test("text that a failover voids is not in what is collected", async () => {
  await using server = startServer()
  const tool = { id: "1", name: "current_time" }
  server.methods.set("started", ({ turn_id }) => {
    server.emit(
      String(turn_id),
      started,
      text("Let me see. "),
      { type: "tool_use", ...tool, input: {} },
      { type: "tool_result", ...tool, content: "noon", is_error: false, duration_ms: 2 },
      text("It is mid"),
      { type: "failover", from: "a", to: "b", reason: "cut" },
      text("It is noon."),
    )
    server.finish(String(turn_id))
  })
  await using client = await open(server.url)
  expect(await client.chat("what time is it?").collect()).toMatchObject({
    text: "Let me see. It is noon.",
    tools: [{ name: "current_time", content: "noon", is_error: false, duration_ms: 2 }],
    stop_reason: "end",
  })
})

test("aborting a running turn asks the gateway and ends with what there is", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => server.emit(String(turn_id), started, text("One")))
  server.methods.set("chat.abort", ({ turn_id }) => {
    server.finish(String(turn_id), "aborted")
    return { aborted: 1 }
  })
  await using client = await open(server.url)
  const stop = new AbortController()
  const chat = client.chat("count", { signal: stop.signal })
  for await (const event of chat) if (event.type === "text") stop.abort()
  expect(await chat.result).toMatchObject({ text: "One", stop_reason: "aborted" })
  expect(server.seen.filter(({ method }) => method === "chat.abort")).toHaveLength(1)
})

test("a chat that is aborted before it was sent is never sent", async () => {
  await using server = startServer()
  await using client = await open(server.url)
  await expect(client.chat("hi", { signal: AbortSignal.abort() }).result).rejects.toMatchObject({
    code: "aborted",
  })
  expect(server.seen.map(({ method }) => method)).toEqual(["connect"])
})

test("a connection lost before the turn started sends the message again under the same key", async () => {
  await using server = startServer()
  let losses = 2
  server.hooks.onRequest = ({ method }, socket) => {
    if (method !== "chat.send" || losses-- <= 0) return undefined
    socket.terminate()
    return "ignore"
  }
  server.methods.set("started", ({ turn_id }) => {
    server.emit(String(turn_id), started)
    server.finish(String(turn_id))
  })
  await using client = await open(server.url)
  await client.chat("hi").result
  const sent = server.seen.filter(({ method }) => method === "chat.send")
  expect(sent).toHaveLength(3)
  expect(sent[0]?.params.idempotency_key).toMatch(/^[0-9a-f]{32}$/)
  expect(new Set(sent.map(({ params }) => params.idempotency_key)).size).toBe(1)
  expect(server.turns.size).toBe(1)
})

test("a repeat that is answered without its events has them fetched", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => {
    server.emit(String(turn_id), started, text("Hello"))
    server.finish(String(turn_id))
  })
  server.hooks.onRequest = ({ id, method }, socket) => {
    if (method !== "chat.send" || server.turns.size === 0) return undefined
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: server.turns.get("turn-0")?.result }))
    return "ignore"
  }
  await using client = await open(server.url)
  await client.chat({ content: "hi", idempotency_key: "k" }).result
  expect(await client.chat({ content: "hi", idempotency_key: "k" }).collect()).toMatchObject({
    text: "Hello",
  })
})

test("a request that breaks every connection is given up", async () => {
  await using server = startServer()
  server.hooks.onRequest = ({ method }, socket) => {
    if (method !== "chat.send") return undefined
    socket.terminate()
    return "ignore"
  }
  await using client = await open(server.url)
  await expect(client.chat("hi").result).rejects.toMatchObject({ code: "unreachable" })
})

test("events arrive once each and in order, wherever the connection is cut", async () => {
  const cuts = fc.array(fc.constantFrom("word", "cut"), { minLength: 1, maxLength: 24 })
  await fc.assert(
    fc.asyncProperty(cuts, async (steps) => {
      await using server = startServer()
      server.methods.set("started", ({ turn_id }) => server.emit(String(turn_id), started))
      await using client = await open(server.url)
      const chat = client.chat("count")
      const seqs: number[] = []
      const pending = [...steps]
      for await (const event of chat) {
        seqs.push(event.seq)
        if (event.type === "done") continue
        let step = pending.shift()
        while (step === "cut") {
          server.cut()
          step = pending.shift()
        }
        if (step) server.emit("turn-0", text("word "))
        else server.finish("turn-0")
      }
      expect(seqs).toEqual(seqs.map((_, index) => index))
      expect(seqs).toHaveLength(steps.filter((step) => step === "word").length + 2)
      expect(server.turns.size).toBe(1)
      const attached = server.seen.filter(({ method }) => method === "chat.attach")
      expect(attached.every(({ params }) => Number(params.after_seq) >= 0)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test("what a gateway replays too much of is not given twice", async () => {
  await using server = startServer()
  server.hooks.onRequest = ({ method, params }) => {
    if (method === "chat.attach") params.after_seq = -1
    return undefined
  }
  server.methods.set("started", ({ turn_id }) => server.emit(String(turn_id), started, text("One")))
  await using client = await open(server.url)
  const seqs: number[] = []
  for await (const event of client.chat("count")) {
    seqs.push(event.seq)
    if (event.type !== "text") continue
    server.cut()
    server.finish("turn-0")
  }
  expect(seqs).toEqual([0, 1, 2])
})

test("two messages never have the same key", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => server.finish(String(turn_id)))
  await using client = await open(server.url)
  await Promise.all([client.chat("hi").result, client.chat("hi").result])
  expect(server.turns.size).toBe(2)
})

test("a call that is cut off is unreachable, and one that may be repeated is repeated", async () => {
  await using server = startServer()
  let losses = 1
  server.hooks.onRequest = ({ method }, socket) => {
    if (method !== "status" || losses-- <= 0) return undefined
    socket.terminate()
    return "ignore"
  }
  server.methods.set("status", () => ({ version: "1" }))
  await using client = await open(server.url)
  await expect(client.call("status")).rejects.toMatchObject({ code: "unreachable" })
  losses = 1
  expect(await client.call("status", {}, { retry: true })).toMatchObject({ version: "1" })
})

test("losing and regaining the connection is told", async () => {
  await using server = startServer()
  const states: ConnectionState["state"][] = []
  const regained = Promise.withResolvers<void>()
  const onState = ({ state }: ConnectionState) => {
    states.push(state)
    if (states.filter((known) => known === "open").length === 2) regained.resolve()
  }
  await using client = await open(server.url, { onState })
  server.cut()
  await regained.promise
  client.close()
  expect(states).toEqual(["open", "lost", "open", "closed"])
})

test("a token that is revoked ends the client instead of knocking for ever", async () => {
  await using server = startServer()
  const closed = Promise.withResolvers<ConnectionState>()
  const onState = (state: ConnectionState) => void (state.state === "closed" && closed.resolve(state))
  await using client = await open(server.url, { onState })
  for (const socket of server.sockets) socket.close(4003, "revoked")
  expect(await closed.promise).toMatchObject({ error: { code: "unauthorized" } })
  await expect(client.call("status")).rejects.toMatchObject({ code: "unauthorized" })
})

test("a client without reconnecting ends with its first connection", async () => {
  await using server = startServer()
  const closed = Promise.withResolvers<ConnectionState>()
  const onState = (state: ConnectionState) => void (state.state === "closed" && closed.resolve(state))
  await using client = await open(server.url, { onState, reconnect: false })
  server.cut()
  await closed.promise
  await expect(client.chat("hi").result).rejects.toMatchObject({ code: "unreachable" })
})

test("subscriptions are shared by topic and survive a lost connection", async () => {
  await using server = startServer()
  const subscribed: unknown[] = []
  let renewed = Promise.withResolvers<void>()
  server.methods.set("event.subscribe", ({ topics }) => {
    subscribed.push(topics)
    if (subscribed.length > 1) renewed.resolve()
    return {}
  })
  server.methods.set("event.unsubscribe", () => ({}))
  const publish = (topic: string) => {
    const frame = { jsonrpc: "2.0", method: "event", params: { topic, seq: 0, data: {} } }
    for (const socket of server.sockets) socket.send(JSON.stringify(frame))
  }
  await using client = await open(server.url)
  const turns = client.events(["turn.*"])
  const all = client.events(["*"])
  await renewed.promise
  publish("session.created")
  publish("turn.started")
  expect((await turns.next()).value).toMatchObject({ topic: "turn.started" })
  expect((await all.next()).value).toMatchObject({ topic: "session.created" })
  renewed = Promise.withResolvers<void>()
  server.cut()
  await renewed.promise
  expect(subscribed.at(-1)).toEqual(["turn.*", "*"])
  publish("turn.ended")
  expect((await turns.next()).value).toMatchObject({ topic: "turn.ended" })
  client.close()
  await all.next()
  await all.next()
  await expect(all.next()).rejects.toMatchObject({ code: "unreachable" })
})

test("a socket that falls silent is replaced", async () => {
  await using server = startServer()
  let is_deaf = false
  server.hooks.onRequest = () => (is_deaf ? "ignore" : undefined)
  const lost = Promise.withResolvers<ConnectionState>()
  const onState = (state: ConnectionState) => void (state.state === "lost" && lost.resolve(state))
  await using _client = await open(server.url, { onState, ping_ms: 5 })
  is_deaf = true
  expect(await lost.promise).toMatchObject({ reason: "the gateway fell silent" })
})

test("a request over the gateway's limit is refused here, without losing the connection", async () => {
  await using server = startServer()
  await using client = await open(server.url)
  await expect(client.chat("x".repeat(1_048_576)).result).rejects.toMatchObject({ code: "too_large" })
  expect(server.seen.map(({ method }) => method)).toEqual(["connect"])
})
