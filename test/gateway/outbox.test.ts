import { afterEach, expect, test } from "bun:test"
import fc from "fast-check"
import type { TurnEvent } from "../../src/agent/events.ts"
import { type LogEntry, openTurnLog } from "../../src/agent/log.ts"
import { limits } from "../../src/gateway/limits.ts"
import { type Outbox, openOutbox } from "../../src/gateway/outbox.ts"

const small = { ...limits, slow_bytes: 100, behind_bytes: 1000, behind_ms: 60_000 }
const text = (text: string): TurnEvent => ({ type: "text", text })
const done: TurnEvent = { type: "done", stop_reason: "end" }
const encode = (entry: LogEntry) => JSON.stringify(entry)

const opened: Outbox[] = []
// Each that is left slow has a timer of a minute, which would outlive the test by as much.
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox.gone()
})

/** The server's side of a socket whose reader takes bytes when the test says so. */
function openReader(given = small) {
  const sent: string[] = []
  const closes: number[] = []
  let buffered = 0
  let dropping = false
  let given_up = 0
  const socket = {
    sendText(frame: string) {
      if (dropping || closes.length > 0) return 0
      sent.push(frame)
      buffered += frame.length
      return -1
    },
    getBufferedAmount: () => buffered,
    close: (code: number) => void closes.push(code),
  }
  const outbox: Outbox = openOutbox(socket, () => given_up++, given)
  opened.push(outbox)
  return {
    outbox,
    sent,
    closes,
    given_up: () => given_up,
    drop() {
      dropping = true
    },
    /** Takes so many bytes; without a number all. */
    read(bytes = Number.POSITIVE_INFINITY) {
      buffered = Math.max(0, buffered - bytes)
      outbox.drained()
    },
    follow: (log = openTurnLog(), after_seq = -1) => {
      let over = false
      void outbox.follow(log, after_seq, encode).then(() => {
        over = true
      })
      return { log, over: () => over }
    },
    entries: () =>
      sent.filter((frame) => frame.includes('"seq"')).map((frame) => JSON.parse(frame) as LogEntry),
  }
}

test("whatever the pace of its reader, a stream has no gap, and text is only ever joined", async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ say: fc.string({ minLength: 1, maxLength: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ think: fc.string({ minLength: 1, maxLength: 20 }) }) },
    { weight: 1, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 300 }) }) },
    { weight: 1, arbitrary: fc.record({ answer: fc.string({ maxLength: 30 }) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const reader = openReader({ ...small, behind_bytes: 1_000_000 })
      const { log, over } = reader.follow()
      const said: string[] = []
      const answers: string[] = []
      for (const one of steps) {
        if ("say" in one) {
          said.push(one.say)
          log.append(text(one.say))
        } else if ("think" in one) log.append({ type: "reasoning", text: one.think })
        else if ("answer" in one) {
          answers.push(`a${one.answer}`)
          reader.outbox.send(`a${one.answer}`)
        } else reader.read(one.read)
      }
      log.append(done)
      for (let i = 0; i < 1000 && !over(); i++) {
        reader.read()
        await Promise.resolve()
      }
      const entries = reader.entries()
      let next = 0
      for (const { seq_first, seq } of entries) {
        expect(seq_first).toBe(next)
        next = seq + 1
      }
      expect(next).toBe(log.entries.length)
      expect(entries.map(({ event }) => (event.type === "text" ? event.text : "")).join("")).toBe(
        said.join(""),
      )
      expect(entries.at(-1)!.event).toEqual(done)
      expect(reader.sent.filter((frame) => frame.startsWith("a"))).toEqual(answers)
      expect(reader.closes).toEqual([])
    }),
  )
})

test("text that came while the reader was slow comes as one event, with the first of its numbers", () => {
  const reader = openReader()
  const { log } = reader.follow()
  log.append(text("x".repeat(200)))
  for (const word of ["a", "b", "c"]) log.append(text(word))
  expect(reader.entries()).toBeArrayOfSize(1)
  reader.read()
  expect(reader.entries().slice(1)).toMatchObject([{ seq_first: 1, seq: 3, event: text("abc") }])
})

test("a reader too far behind is closed with 4008, once, and its streams are let go", async () => {
  const reader = openReader()
  const first = reader.follow()
  const second = reader.follow()
  first.log.append(text("x".repeat(200)))
  for (let i = 0; i < 30; i++) (i % 2 ? first : second).log.append(text("y".repeat(100)))
  await Promise.resolve()
  expect([reader.closes, reader.given_up(), first.over(), second.over()]).toEqual([[4008], 1, true, true])
  reader.outbox.send("more")
  expect(reader.sent).not.toContain("more")
})

test("answers that wait count as well", () => {
  const reader = openReader()
  reader.outbox.send("x".repeat(200))
  for (let i = 0; i < 11; i++) reader.outbox.send("y".repeat(100))
  expect(reader.closes).toEqual([4008])
})

test("bytes are counted and not characters", () => {
  const reader = openReader()
  reader.outbox.send("x".repeat(200))
  for (let i = 0; i < 4; i++) reader.outbox.send("€".repeat(100))
  expect(reader.closes).toEqual([4008])
})

test("what a reader caught up with is no longer behind it", () => {
  const reader = openReader()
  const { log } = reader.follow()
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 9; i++) log.append(text("y".repeat(100)))
    reader.read()
    reader.read()
  }
  expect(reader.closes).toEqual([])
})

test("a reader that takes a little now and then is still as far behind as it is", () => {
  const reader = openReader()
  const { log } = reader.follow()
  for (let i = 0; i < 30; i++) {
    log.append({
      type: "tool_result",
      id: "t",
      name: "t",
      content: "y".repeat(100),
      is_error: false,
      duration_ms: 1,
    })
    if (i % 10 === 9) reader.read()
  }
  expect(reader.closes).toEqual([4008])
})

const result = (content: string): TurnEvent => ({
  type: "tool_result",
  id: "t",
  name: "t",
  content,
  is_error: false,
  duration_ms: 1,
})

test("what a reader was sent since is no longer counted, even where it has not caught up", () => {
  const reader = openReader()
  const { log } = reader.follow()
  log.append(text("x".repeat(200)))
  for (let i = 0; i < 7; i++) log.append(result("y".repeat(50)))
  for (let i = 0; i < 5; i++) reader.read()
  for (let i = 0; i < 4; i++) log.append(result("y".repeat(50)))
  expect([reader.entries().length, reader.closes]).toEqual([6, []])
})

test("a stream goes on when half of what is slow has gone out, not before", () => {
  const reader = openReader()
  const { log } = reader.follow()
  log.append(text("x".repeat(20)))
  const bytes = reader.sent[0]!.length
  log.append(text("y".repeat(100)))
  log.append(text("z"))
  reader.read(bytes + reader.sent[1]!.length - 51)
  expect(reader.sent).toBeArrayOfSize(2)
  reader.read(1)
  expect(reader.sent).toBeArrayOfSize(3)
})

test("a frame that could not go out ends the socket, since nothing is dropped in silence", async () => {
  const reader = openReader()
  const { log, over } = reader.follow()
  reader.drop()
  log.append(text("lost"))
  await Promise.resolve()
  expect([reader.closes, over()]).toEqual([[4008], true])
})

test("a reader that takes nothing for too long is closed with 4008", async () => {
  const reader = openReader({ ...small, behind_ms: 20 })
  const { log } = reader.follow()
  log.append(text("x".repeat(200)))
  const over = Promise.withResolvers<void>()
  void reader.outbox.follow(log, -1, encode).then(over.resolve)
  await over.promise
  expect(reader.closes).toEqual([4008])
})

test("a reader that comes back in time is left alone", async () => {
  const reader = openReader({ ...small, behind_ms: 20 })
  const { log } = reader.follow()
  log.append(text("x".repeat(200)))
  reader.read()
  const other = openReader({ ...small, behind_ms: 40 })
  other.outbox.send("x".repeat(200))
  const over = Promise.withResolvers<void>()
  void other.outbox.follow(log, -1, encode).then(over.resolve)
  await over.promise
  expect([reader.closes, other.closes]).toEqual([[], [4008]])
})

test("the limits are those of the protocol", () => {
  expect(limits).toMatchObject({
    connect_ms: 5000,
    slow_bytes: 2 ** 20,
    behind_bytes: 2 ** 23,
    behind_ms: 30_000,
  })
})
