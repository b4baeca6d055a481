import { expect, test } from "bun:test"
import { join } from "node:path"
import { openCursor } from "../../src/agent/log.ts"
import type { Turn } from "../../src/agent/turn.ts"
import { AppError } from "../../src/base/errors.ts"
import { purge } from "../../src/store/retention.ts"
import { touchSession } from "../../src/store/sessions.ts"
import { findTurn, startTurn } from "../../src/store/turns.ts"
import { temporaryFolder } from "../harness.ts"
import {
  done,
  eventsOf,
  failure,
  gate,
  linesOf,
  openHouse,
  partsOf,
  stopOf,
  stored,
  text,
  untilEvent,
} from "./scripted.ts"

const { key } = partsOf("main")

/** What a reader is told that comes with `after_seq`. */
function read(turn: Turn, after_seq: number): unknown[] {
  const cursor = openCursor(turn.log, after_seq)
  const seen: unknown[] = []
  for (let entry = cursor.next(false); entry; entry = cursor.next(false))
    seen.push([entry.seq_first, entry.event])
  return seen
}

test("turns of a session run one at a time in order, those of others beside them", async () => {
  const { script, open } = gate()
  await using house = await openHouse({ script })
  const [first, second, third] = ["1", "2", "3"].map((content) => house.say(content))
  const other = house.say("beside", {}, "somebody else")
  await Promise.all([untilEvent(first!, "text"), untilEvent(other, "text")])
  expect(house.turns.counts()).toEqual({ running: 2, waiting: 2 })
  expect([eventsOf(second!), eventsOf(third!)]).toEqual([[], []])
  for (let call = 0; call < 4; call++) open(call)
  await third!.outcome
  expect(stored(house)).toEqual([
    ...["user 1", "assistant answer 0", "user 2", "assistant answer 2", "user 3", "assistant answer 3"],
  ])
  expect(linesOf(house.models.asked[3]!).at(-2)).toBe("assistant answer 2")
  await house.turns.between(key, async () => undefined)
  expect(house.turns.counts().waiting).toBe(0)
})

test.each([16, 1, 0])(
  "with queue_max %p that many wait and the next one is told that it cannot",
  async (queue_max) => {
    const { script } = gate()
    await using house = await openHouse({ script, queue_max })
    const turns = Array.from({ length: queue_max + 1 }, (_, i) => house.say(String(i)))
    expect(() => house.say("one too many")).toThrow(
      expect.objectContaining({ code: "session_busy", data: { queue_max } }),
    )
    // Another session's queue is its own, and what has no session waits for nobody.
    house.say("elsewhere", {}, "somebody else")
    house.turns.submit(house.request("alone"))
    expect(house.turns.abort({ session_key: key })).toBe(turns.length)
    await house.turns.between(key, async () => undefined)
    house.say("again")
  },
)

test("an abort stops what runs, and what waits never was", async () => {
  const { script } = gate()
  await using house = await openHouse({ script })
  const [running, waiting] = [house.say("runs"), house.say("waits")]
  await untilEvent(running, "text")
  expect(house.turns.abort({ session_key: key })).toBe(2)
  expect(await running.outcome).toMatchObject({ result: { stop_reason: "aborted", text: "answer 0" } })
  expect(await waiting.outcome).toEqual({ error: { code: "aborted", data: { turn_id: waiting.id } } })
  expect(eventsOf(running)).toEqual(["started", "text", "done"])
  expect(waiting.log.entries.map(({ event }) => event)).toMatchObject([
    { type: "error", code: "aborted" },
    { type: "done", stop_reason: "aborted" },
  ])
  expect(stored(house)).toEqual(["user runs", "assistant answer 0"])
  expect([house.turns.abort({ turn_id: running.id }), house.turns.find(waiting.id)]).toEqual([0, undefined])
})

test("one of several waiting turns is taken out, and the others keep their order", async () => {
  const { script, open } = gate()
  await using house = await openHouse({ script })
  const turns = ["1", "2", "3"].map((content) => house.say(content))
  expect(house.turns.abort({ turn_id: turns[1]!.id })).toBe(1)
  open(0)
  open(1)
  expect(await Promise.all(turns.map(stopOf))).toEqual(["end", "aborted", "end"])
  expect(stored(house)).toEqual(["user 1", "assistant answer 0", "user 3", "assistant answer 1"])
})

test("a waiting turn that is aborted twice takes no other one with it", async () => {
  const { script, open } = gate()
  await using house = await openHouse({ script })
  const turns = ["1", "2", "3"].map((content) => house.say(content))
  for (let i = 0; i < 2; i++) turns[1]!.abort(new AppError("aborted"))
  open(0)
  open(1)
  expect(await Promise.all(turns.map(stopOf))).toEqual(["end", "aborted", "end"])
})

test("the same idempotency key is the same turn: while it waits, while it runs, after it and after a restart", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  const { script, open } = gate()
  const more = { idempotency_key: "k" }
  let outcome: unknown
  let id: string
  {
    await using house = await openHouse({ script, path })
    const before = house.say("before")
    const first = house.say("once", more)
    expect(house.say("once", more)).toBe(first)
    open(0)
    await before.outcome
    await untilEvent(first, "text")
    expect(house.say("once", more)).toBe(first)
    expect(() => house.say("something else", more)).toThrow(expect.objectContaining({ code: "conflict" }))
    open(1)
    outcome = await first.outcome
    id = first.id
    const again = house.say("once", more)
    expect([again.id, await again.outcome]).toEqual([id, outcome as never])
    expect(() => house.say("something else", more)).toThrow(expect.objectContaining({ code: "conflict" }))
    // In another session the key is another one.
    open(2)
    expect(house.say("something else", more, "somebody else").id).not.toBe(id)
  }
  await using house = await openHouse({ path })
  const again = house.say("once", more)
  expect([again.id, await again.outcome]).toEqual([id, outcome as never])
  expect(house.models.asked).toEqual([])
  expect(stored(house)).toEqual(["user before", "assistant answer 0", "user once", "assistant answer 1"])
  // A day later it is as good as new.
  house.clock.now_ms += 24 * 3_600_000
  const anew = house.say("once", more)
  await anew.outcome
  expect(anew.id).not.toBe(id)
})

test("a failed turn's key gives its failure again, and a refused one's runs", async () => {
  let fails = true
  await using house = await openHouse({
    script: function* () {
      if (fails) throw failure()
      yield* [text("ok"), done()]
    },
  })
  const more = { idempotency_key: "k" }
  const first = await house.say("once", more).outcome
  fails = false
  expect(first).toMatchObject({ error: { code: "provider_failed" } })
  expect(await house.say("once", more).outcome).toEqual(first)
  const refused = { idempotency_key: "other", model: "two/not-mine" }
  expect(() => house.say("twice", refused)).toThrow(expect.objectContaining({ code: "forbidden" }))
  expect(await stopOf(house.say("twice", { idempotency_key: "other" }))).toBe("end")
})

test("a turn is picked up after any event: while it runs, after its end and after a restart", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  let id: string
  let outcome: unknown
  let all: Turn["log"]["entries"]
  {
    const { script, open } = gate()
    await using house = await openHouse({ path, script })
    const turn = house.say("hello")
    await untilEvent(turn, "text")
    const found = house.turns.find(turn.id)!
    const reader = openCursor(found.log, 0)
    expect(reader.next(true)).toMatchObject({ seq: 1, event: { type: "text" } })
    expect(reader.next(true)).toBeUndefined()
    open(0)
    outcome = await turn.outcome
    expect([reader.next(true)?.event.type, reader.next(true)?.event.type]).toEqual(["usage", "done"])
    all = turn.log.entries
    id = turn.id
    for (let after_seq = -1; after_seq < 5; after_seq++) {
      const expected = all.filter(({ seq }) => seq > after_seq).map(({ seq, event }) => [seq, event])
      expect(read(house.turns.find(id)!, after_seq)).toEqual(expected)
    }
  }
  await using house = await openHouse({ path })
  for (let after_seq = -1; after_seq < 5; after_seq++) {
    const turn = house.turns.find(id, after_seq)!
    const expected = all.filter(({ seq }) => seq > after_seq).map(({ seq, event }) => [seq, event])
    expect([read(turn, after_seq), await turn.outcome]).toEqual([expected, outcome as never])
  }
  expect(house.turns.find("no such turn")).toBeUndefined()

  // After a day the events are gone; the end and the outcome are not.
  await house.store.commit((db) =>
    purge(db, { turn_events_hours: 24, tool_results_hours: 24 }, house.clock.now_ms + 24 * 3_600_000 + 1),
  )
  const late = house.turns.find(id, 1)!
  expect([read(late, 1), await late.outcome]).toEqual([
    [[2, { type: "done", stop_reason: "end" }]],
    outcome as never,
  ])
})

test("what a crash left running is interrupted, and the conversation goes on", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  {
    await using house = await openHouse({ path })
    await house.say("before").outcome
    await house.store.commit((db) => {
      const { key: _key, ...parts } = partsOf("main")
      const { id: session_id } = touchSession(db, key, parts, 1)
      startTurn(db, { id: "crashed", session_id, agent: "default", started_ms: 1 })
    })
  }
  await using house = await openHouse({ path })
  const turn = house.turns.find("crashed", 6)!
  expect(await turn.outcome).toEqual({ error: { code: "shutting_down", data: { turn_id: "crashed" } } })
  expect(read(turn, 6)).toEqual([[7, { type: "done", stop_reason: "interrupted" }]])
  expect(findTurn(house.store.db, "crashed")).toMatchObject({
    state: "interrupted",
    stop_reason: "interrupted",
  })
  expect(await stopOf(house.say("after"))).toBe("end")
})

test("while draining, what runs may end, what waits is told and nothing begins", async () => {
  const { script, open } = gate()
  await using house = await openHouse({ script })
  const [running, waiting] = [house.say("runs"), house.say("waits")]
  await untilEvent(running, "text")
  const drained = house.turns.drain(60_000)
  expect(house.turns.draining()).toBe(true)
  expect(() => house.say("late")).toThrow(expect.objectContaining({ code: "shutting_down" }))
  expect(await waiting.outcome).toEqual({ error: { code: "shutting_down", data: { turn_id: waiting.id } } })
  expect(eventsOf(waiting)).toEqual(["error", "done"])
  open(0)
  await drained
  expect(await stopOf(running)).toBe("end")
  expect(house.turns.counts()).toEqual({ running: 0, waiting: 0 })
})

test("what does not end within its grace is interrupted, told and kept; a second drain does not wait", async () => {
  const { script } = gate()
  await using house = await openHouse({ script })
  const turn = house.say("runs")
  await untilEvent(turn, "text")
  const patient = house.turns.drain(60_000)
  await Promise.all([house.turns.drain(0), patient])
  expect(await stopOf(turn)).toBe("shutting_down")
  expect(turn.log.entries.slice(2).map(({ event }) => event)).toMatchObject([
    { type: "error", code: "shutting_down" },
    { type: "done", stop_reason: "interrupted" },
  ])
  expect(findTurn(house.store.db, turn.id)).toMatchObject({ state: "interrupted" })
  expect(stored(house)).toEqual(["user runs", "assistant answer 0"])
})
