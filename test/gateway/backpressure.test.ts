import { expect, test } from "bun:test"
import { type Frame, openSocket, startGateway, startModel } from "../harness.ts"
import { ask, request } from "./client.ts"
import { openPausable } from "./pausable.ts"

const piece = "0123456789abcdef".repeat(512)

/** A model that says `count` numbered pieces of 8 KiB, and more when the test lets it. */
function talkative(count: number) {
  const more = Promise.withResolvers<void>()
  const model = startModel(async function* () {
    for (let i = 0; i < count; i++) yield `<${i}>${piece}`
    yield { until: more.promise }
    yield "the end"
  })
  return { model, finish: more.resolve }
}

type Event = { seq: number; seq_first?: number; type: string; text?: string; turn_id: string }
const eventsOf = (frames: Frame[]) =>
  frames.filter(({ method }) => method === "chat.event").map(({ params }) => params as Event)

test("a reader that stops gets its stream paused, joined and whole, while others go on", async () => {
  const { model, finish } = talkative(1400)
  await using _model = model
  await using gateway = await startGateway({
    model,
    limits: { slow_bytes: 65_536, behind_bytes: 64 * 2 ** 20 },
  })
  await using slow = await openPausable(gateway)
  await using quick = await openSocket(gateway.ws, { token: gateway.token })
  slow.send(request("chat.send", { content: "hi" }))
  const { params } = await slow.until(({ method }) => method === "chat.event")
  slow.pause()
  const { turn_id } = params as Event

  // Another client follows the same turn to its end and asks other things meanwhile.
  quick.send(request("chat.attach", { turn_id }, "attach"))
  let chars = 0
  while (chars < 1400 * piece.length) {
    const frame = await quick.read()
    chars += ((frame.params as Event | undefined)?.text ?? "").length
  }
  expect(await quick.call("ping")).toMatchObject({ result: "pong" })
  finish()
  let frame = await quick.read()
  while (frame.id !== "attach") frame = await quick.read()
  const { text } = frame.result as { text: string }

  slow.resume()
  const answer = await slow.until(({ id }) => id === 1)
  const events = eventsOf(slow.frames)
  let next = 0
  for (const { seq, seq_first = seq } of events) {
    expect(seq_first).toBe(next)
    next = seq + 1
  }
  expect(events.some(({ seq_first }) => seq_first !== undefined)).toBe(true)
  expect(events.at(-1)).toMatchObject({ type: "done" })
  expect(events.map(({ text = "" }) => text).join("")).toBe(text)
  expect(answer).toMatchObject({ result: { turn_id, text, stop_reason: "end" } })
  expect(slow.frames.at(-1)).toBe(answer)
})

test("a reader too far behind is closed with 4008, its turn goes on, and others do not notice", async () => {
  const { model, finish } = talkative(2000)
  await using _model = model
  await using gateway = await startGateway({ model, limits: { slow_bytes: 65_536, behind_bytes: 2 ** 20 } })
  await using slow = await openPausable(gateway)
  await using quick = await openSocket(gateway.ws, { token: gateway.token })
  await quick.call("event.subscribe", { topics: ["turn.done"] })
  slow.send(request("chat.send", { content: "hi" }))
  await slow.until(({ method }) => method === "chat.event")
  slow.pause()
  const { params } = slow.frames[0]!
  finish()
  const told = await quick.read()
  expect(told).toMatchObject({
    method: "event",
    params: { topic: "turn.done", data: { stop_reason: "end" } },
  })
  slow.resume()
  expect(await slow.closed).toBe(4008)
  const { turn_id } = params as Event
  const { result } = await quick.call("chat.attach", { turn_id })
  expect((result as { text: string }).text).toEndWith("the end")
  const metrics = await fetch(`${gateway.url}/metrics`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  })
  expect(await metrics.text()).toContain("weft_slow_readers_total 1\n")
  expect(await ask(gateway, "status")).toMatchObject({ turns: { running: 0 } })
})

test("a reader that takes nothing for too long is closed with 4008", async () => {
  const { model } = talkative(1400)
  await using _model = model
  await using gateway = await startGateway({
    model,
    limits: { slow_bytes: 65_536, behind_bytes: 64 * 2 ** 20, behind_ms: 50 },
  })
  await using slow = await openPausable(gateway)
  await using quick = await openSocket(gateway.ws, { token: gateway.token })
  slow.send(request("chat.send", { content: "hi", on_disconnect: "abort" }))
  await slow.until(({ method }) => method === "chat.event")
  slow.pause()
  await quick.call("event.subscribe", { topics: ["turn.done"] })
  expect(await quick.read()).toMatchObject({ params: { data: { stop_reason: "aborted" } } })
  slow.resume()
  expect(await slow.closed).toBe(4008)
})
