import { expect, test } from "bun:test"
import fc from "fast-check"
import type { TurnEvent } from "../../src/agent/events.ts"
import {
  isEnded,
  type LogEntry,
  mergeEntries,
  openCursor,
  openTurnLog,
  readLog,
  type TurnLog,
} from "../../src/agent/log.ts"

const tool: TurnEvent = { type: "tool_use", id: "1", name: "t", input: {} }
const done: TurnEvent = { type: "done", stop_reason: "end" }

// Some texts are so long that a few of them do not fit into one merged event.
const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ maxLength: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 70_000 }).map((length) => "x".repeat(length)) },
)
const event: fc.Arbitrary<TurnEvent> = fc.oneof(
  { weight: 6, arbitrary: text.map((one): TurnEvent => ({ type: "text", text: one })) },
  { weight: 2, arbitrary: text.map((one): TurnEvent => ({ type: "reasoning", text: one })) },
  { weight: 1, arbitrary: fc.constant(tool) },
)
const events = fc.array(event, { maxLength: 25 })

/** What readers are owed: every event after a place, text as single characters so that merging makes no difference. */
const owed = (list: TurnEvent[]) =>
  list.flatMap((one) =>
    one.type === "text" || one.type === "reasoning" ? runs(one.type, one.text) : [one.type],
  )
const runs = (type: string, text: string) => (text === "" ? [] : [`${type}:${text}`])

/** Puts neighbouring texts together, so that reads in different portions compare equal. */
function flat(list: string[]): string[] {
  const out: string[] = []
  for (const one of list) {
    const [type] = one.split(":", 1)
    if (one.includes(":") && out.at(-1)?.startsWith(`${type}:`))
      out[out.length - 1] += one.slice(type!.length + 1)
    else out.push(one)
  }
  return out
}
const view = (list: TurnEvent[]) => flat(owed(list))

function expectGapless(entries: LogEntry[], after_seq: number): void {
  let seq = after_seq
  for (const entry of entries) {
    expect(entry.seq_first).toBe(seq + 1)
    expect(entry.seq).toBeGreaterThanOrEqual(entry.seq_first)
    seq = entry.seq
  }
}

function drain(log: TurnLog, after_seq: number, merges: boolean[] = [true]): LogEntry[] {
  const cursor = openCursor(log, after_seq)
  const read: LogEntry[] = []
  for (let i = 0; ; i++) {
    const entry = cursor.next(merges[i % merges.length]!)
    if (!entry) return read
    read.push(entry)
  }
}

test("readers that come and go at any time, merging or not, get exactly what was said", () => {
  const step = fc.oneof(
    fc.record({ append: event }),
    fc.record({ read: fc.nat(2), merge: fc.boolean() }),
    fc.record({ reattach: fc.nat(2) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = openTurnLog()
      const said: TurnEvent[] = []
      const readers = [0, 1, 2].map(() => ({ cursor: openCursor(log, -1), read: [] as LogEntry[] }))
      for (const one of steps) {
        if ("append" in one) {
          log.append(one.append)
          said.push(one.append)
        } else if ("read" in one) {
          const entry = readers[one.read]!.cursor.next(one.merge)
          if (entry) readers[one.read]!.read.push(entry)
        } else {
          const reader = readers[one.reattach]!
          reader.cursor = openCursor(log, reader.read.at(-1)?.seq ?? -1)
        }
      }
      for (const { cursor, read } of readers) {
        for (let entry = cursor.next(true); entry; entry = cursor.next(true)) read.push(entry)
        expectGapless(read, -1)
        expect(view(read.map(({ event }) => event))).toEqual(view(said))
        expect(read.at(-1)?.seq ?? -1).toBe(said.length - 1)
      }
    }),
  )
})

test("a log that was stored merged is taken up in the middle of a merged event", () => {
  const merges = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(events, merges, fc.nat(30), (list, merge, place) => {
      const log = openTurnLog()
      for (const one of [...list, done]) log.append(one)
      const kept = JSON.stringify(mergeEntries(log))
      const stored = openTurnLog(JSON.parse(kept) as LogEntry[])
      const after_seq = Math.min(place, list.length) - 1
      for (const from of [log, stored]) {
        const read = drain(from, after_seq, merge)
        expectGapless(read, after_seq)
        expect(view(read.map(({ event }) => event))).toEqual(view([...list, done].slice(after_seq + 1)))
      }
      // Reading changes nothing of what is kept, and what is merged merges no further.
      expect(JSON.stringify(stored.entries)).toBe(kept)
      expect(mergeEntries(stored)).toEqual(stored.entries)
      for (const { event } of stored.entries) {
        const alone = list.some((one) => one.type === event.type && "text" in one && one.text.length > 65_536)
        if ("text" in event && !alone) expect(event.text.length).toBeLessThanOrEqual(65_536)
      }
    }),
  )
})

test("only neighbouring text of one type is merged", () => {
  const log = openTurnLog()
  const types = ["text", "text", "reasoning", "reasoning", "text"] as const
  for (const [i, type] of types.entries()) log.append({ type, text: String(i) })
  log.append(tool)
  log.append({ type: "text", text: "5" })
  log.append(done)
  expect(mergeEntries(log)).toEqual([
    { seq_first: 0, seq: 1, event: { type: "text", text: "01" }, ends: [1, 2] },
    { seq_first: 2, seq: 3, event: { type: "reasoning", text: "23" }, ends: [1, 2] },
    { seq_first: 4, seq: 4, event: { type: "text", text: "4" } },
    { seq_first: 5, seq: 5, event: tool },
    { seq_first: 6, seq: 6, event: { type: "text", text: "5" } },
    { seq_first: 7, seq: 7, event: done },
  ])
})

test("who claims to have seen more than there is hears of what comes after that", () => {
  const log = openTurnLog()
  log.append({ type: "text", text: "a" })
  const cursor = openCursor(log, 2)
  for (const text of ["b", "c"]) log.append({ type: "text", text })
  expect(cursor.next(true)).toBeUndefined()
  log.append({ type: "text", text: "d" })
  expect(cursor.next(true)).toEqual({ seq_first: 3, seq: 3, event: { type: "text", text: "d" } })
})

test("a reader waits for what is to come and ends with the log", async () => {
  const log = openTurnLog()
  const read: TurnEvent[] = []
  const reading = (async () => {
    for await (const { event } of readLog(log, -1, new AbortController().signal)) {
      read.push(event)
      if (event.type === "text") log.append(event.text === "a" ? { type: "text", text: "b" } : done)
    }
  })()
  log.append({ type: "text", text: "a" })
  await reading
  expect(read).toEqual([{ type: "text", text: "a" }, { type: "text", text: "b" }, done])
  expect(isEnded(log)).toBe(true)
})

test.each([0, 1, 2, 99])("reading an ended log from after event %p comes to an end", async (after_seq) => {
  const log = openTurnLog()
  for (const one of [tool, tool, done]) log.append(one)
  const seen: number[] = []
  for await (const { seq } of readLog(log, after_seq, new AbortController().signal)) seen.push(seq)
  expect(seen).toEqual([0, 1, 2].filter((seq) => seq > after_seq))
})

test("a reader that is told to stop stops, waiting or not", async () => {
  const log = openTurnLog()
  log.append(tool)
  const stop = new AbortController()
  const reader = readLog(log, -1, stop.signal)
  expect((await reader.next()).value).toMatchObject({ seq: 0 })
  const waiting = reader.next()
  stop.abort()
  expect((await waiting).done).toBe(true)
  expect((await readLog(log, -1, stop.signal).next()).done).toBe(true)
})

test("a watcher hears each event until it is disposed of", () => {
  const log = openTurnLog()
  const heard: number[] = []
  {
    using _watching = log.watch(({ seq }) => heard.push(seq))
    log.append(tool)
    log.append(tool)
  }
  log.append(tool)
  expect(heard).toEqual([0, 1])
})
