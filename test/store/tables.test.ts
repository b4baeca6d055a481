import type { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import type { Part } from "../../src/base/parts.ts"
import { toSessionKey } from "../../src/base/session-key.ts"
import { addFile, findFile } from "../../src/store/files.ts"
import {
  addMessage,
  listMessages,
  listMessagesAfter,
  listRecentTurns,
  type NewMessage,
} from "../../src/store/messages.ts"
import { openStore } from "../../src/store/open.ts"
import { purge } from "../../src/store/retention.ts"
import {
  countSessions,
  deleteSession,
  findSession,
  getSession,
  listSessions,
  patchSession,
  resetSession,
  touchSession,
} from "../../src/store/sessions.ts"
import {
  addToken,
  listAuthFailures,
  listTokens,
  putAuthFailures,
  revokeToken,
  touchToken,
} from "../../src/store/tokens.ts"
import {
  addIdempotency,
  findIdempotency,
  findTurn,
  finishTurn,
  interruptTurns,
  rateTurn,
  startTurn,
} from "../../src/store/turns.ts"
import { addUsage, sumUsage } from "../../src/store/usage.ts"

const hour_ms = 3_600_000

const partsOf = (peer: string, agent = "default") => ({ agent, channel: "ws", account: "default", peer })
const touch = (db: Database, peer: string, now_ms = 1, agent = "default") =>
  touchSession(db, toSessionKey(partsOf(peer, agent)), partsOf(peer, agent), now_ms)

const say = (db: Database, session_id: number, text: string, more: Partial<NewMessage> = {}) =>
  addMessage(db, session_id, {
    turn_id: "t",
    role: "user",
    parts: [{ type: "text", text }],
    created_ms: 1,
    ...more,
  })

const textsOf = (messages: { parts: Part[] }[]) =>
  messages.map(({ parts }) => parts.map((part) => (part.type === "text" ? part.text : part.type)).join("+"))

test("a session is made once, keeps its parts and moves on with time", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const made = touch(db, "a:b%", 5)
  expect(made).toMatchObject({
    key: "default:ws:default:a%3Ab%25",
    created_ms: 5,
    updated_ms: 5,
    context_after: 0,
  })
  expect(touch(db, "a:b%", 9)).toMatchObject({ id: made.id, created_ms: 5, updated_ms: 9 })
  // A clock that goes back does not reorder the list.
  expect(touch(db, "a:b%", 2).updated_ms).toBe(9)
  expect([countSessions(db), findSession(db, "no:such:session:x")]).toEqual([1, undefined])
  expect(() => getSession(db, "no")).toThrow(expect.objectContaining({ code: "not_found" }))
})

test("sessions are listed the last used first, in pages that neither repeat nor leave out", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  for (let i = 0; i < 9; i++) touch(db, `peer ${i}`, Math.floor(i / 3), i % 2 ? "work" : "default")
  const all = listSessions(db, { limit: 100 }).map(({ peer }) => peer)
  expect(all).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0].map((i) => `peer ${i}`))
  const paged: string[] = []
  let before: { updated_ms: number; id: number } | undefined
  for (;;) {
    const page = listSessions(db, { limit: 2, before })
    paged.push(...page.map(({ peer }) => peer))
    before = page.at(-1)
    if (!before) break
  }
  expect(paged).toEqual(all)
  expect(listSessions(db, { agents: ["work"], limit: 9 }).map(({ peer }) => peer)).toEqual([
    "peer 7",
    "peer 5",
    "peer 3",
    "peer 1",
  ])
  expect(listSessions(db, { agents: [], limit: 9 })).toEqual([])
  expect(listSessions(db, { channel: "api", limit: 9 })).toEqual([])
})

test("title and model are set and taken away", async () => {
  await using store = openStore(":memory:")
  const { id, key } = touch(store.db, "a")
  patchSession(store.db, id, { title: "Notes", model: "script/b" })
  expect(getSession(store.db, key)).toMatchObject({ title: "Notes", model: "script/b", message_count: 0 })
  patchSession(store.db, id, { title: null, model: null })
  expect(getSession(store.db, key)).toMatchObject({ title: null, model: null })
})

test("a message comes back as it was, with every kind of part", async () => {
  await using store = openStore(":memory:")
  const { id } = touch(store.db, "a")
  const parts: Part[] = [
    { type: "reasoning", text: "hm", metadata: { p: { signature: "s" } } },
    { type: "text", text: 'say \u0000 "so" 🦊' },
    { type: "image", file_id: "f", mime: "image/png" },
    { type: "file", file_id: "g", mime: "text/plain", name: "a.txt" },
    { type: "tool_use", id: "1", name: "t", input: { a: [1, null] } },
    { type: "tool_result", id: "1", name: "t", content: "", is_error: true },
  ]
  const message: NewMessage = {
    turn_id: "t",
    role: "assistant",
    parts,
    provider: "script",
    metadata: { client: { a: 1 } },
    created_ms: 7,
  }
  const message_id = addMessage(store.db, id, message)
  expect(listMessages(store.db, id, { limit: 9 })).toEqual([{ id: message_id, ...message }])
})

test("messages are paged from both ends", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const { id } = touch(db, "a")
  const ids = Array.from({ length: 7 }, (_, i) => say(db, id, `m${i}`))
  say(db, touch(db, "other").id, "elsewhere")
  expect(textsOf(listMessages(db, id, { limit: 3 }))).toEqual(["m4", "m5", "m6"])
  expect(textsOf(listMessages(db, id, { limit: 3, before: ids[4] }))).toEqual(["m1", "m2", "m3"])
  const after = (after: number, bytes_max: number) =>
    textsOf(listMessagesAfter(db, id, { after, limit: 4, bytes_max }))
  expect(after(0, 10_000)).toEqual(["m0", "m1", "m2", "m3"])
  expect(after(ids[4]!, 10_000)).toEqual(["m5", "m6"])
  // One message is always given, however large.
  expect(after(0, 1)).toEqual(["m0"])
})

test("the last turns start with a user's message and after a reset", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const session = touch(db, "a")
  for (const n of [1, 2, 3]) {
    say(db, session.id, `q${n}`)
    say(db, session.id, `call${n}`, { role: "assistant" })
    say(db, session.id, `result${n}`, { role: "tool" })
    say(db, session.id, `a${n}`, { role: "assistant" })
  }
  const turn = (n: number) => [`q${n}`, `call${n}`, `result${n}`, `a${n}`]
  const last = (turns: number) => textsOf(listRecentTurns(db, getSession(db, session.key), turns))
  expect(last(1)).toEqual(turn(3))
  expect(last(2)).toEqual([...turn(2), ...turn(3)])
  expect(last(99)).toHaveLength(12)
  resetSession(db, session.id)
  expect(last(99)).toEqual([])
  say(db, session.id, "anew")
  expect([last(99), getSession(db, session.key).message_count]).toEqual([["anew"], 13])
})

test("a deleted session takes its messages, turns and keys along and leaves what it cost", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const [gone, kept] = [touch(db, "gone"), touch(db, "kept")]
  for (const { id, key } of [gone, kept]) {
    say(db, id, "hello")
    startTurn(db, { id: `turn ${id}`, session_id: id, agent: "default", started_ms: 1 })
    addIdempotency(db, {
      session_key: key,
      key: "k",
      request_hash: "h",
      turn_id: `turn ${id}`,
      created_ms: 1,
    })
    addUsage(db, { ...usage, turn_id: `turn ${id}`, session_key: key })
  }
  deleteSession(db, gone)
  expect(findSession(db, gone.key)).toBeUndefined()
  expect(listMessages(db, gone.id, { limit: 9 })).toEqual([])
  expect(findTurn(db, `turn ${gone.id}`)).toBeUndefined()
  expect(findIdempotency(db, gone.key, "k", 0)).toBeUndefined()
  expect(findTurn(db, `turn ${kept.id}`)).toMatchObject({ session_key: kept.key })
  expect(sumUsage(db, { by: "none", since_ms: 0, until_ms: 99 })[0]).toMatchObject({ calls: 2 })
  // An id is a client's cursor, so it does not come again.
  const newest = say(db, kept.id, "next")
  db.query("DELETE FROM message WHERE id = ?").run(newest)
  expect(say(db, kept.id, "after")).toBeGreaterThan(newest)
})

test("a turn is running, then what it ended as; what a crash left running is interrupted", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const { id: session_id, key } = touch(db, "a")
  for (const id of ["ended", "left"]) startTurn(db, { id, session_id, agent: "default", started_ms: 1 })
  startTurn(db, { id: "alone", session_id: null, agent: "default", started_ms: 1 })
  finishTurn(db, {
    id: "ended",
    state: "done",
    stop_reason: "end",
    outcome: "{}",
    events: "[]",
    finished_ms: 3,
  })
  rateTurn(db, { id: "ended", rating: -1, note: "wrong" })
  expect(findTurn(db, "ended")).toMatchObject({
    ...{ session_key: key, state: "done", stop_reason: "end", outcome: "{}", events: "[]" },
    ...{ rating: -1, rating_note: "wrong", finished_ms: 3 },
  })
  expect([interruptTurns(db, 5), interruptTurns(db, 6)]).toEqual([2, 0])
  for (const [id, session_key] of [
    ["left", key],
    ["alone", null],
  ] as const) {
    expect(findTurn(db, id)).toMatchObject({
      session_key,
      state: "interrupted",
      finished_ms: 5,
      outcome: null,
    })
  }
  expect(findTurn(db, "none")).toBeUndefined()
})

const usage = {
  ...{ turn_id: "t", session_key: null, agent: "default", provider: "p", model: "m" },
  ...{ input_tokens: 10, output_tokens: 5, cached_tokens: 2, cost_usd: 0.5, created_ms: 1 },
}
const day_ms = 24 * hour_ms

test.each([
  ["none", [["all", 4, 1.5, 1]]],
  [
    "day",
    [
      ["1970-01-01", 3, 1, 1],
      ["1970-01-02", 1, 0.5, 0],
    ],
  ],
  [
    "agent",
    [
      ["default", 3, 1.5, 0],
      ["work", 1, 0, 1],
    ],
  ],
  [
    "model",
    [
      ["p/m", 3, 1, 1],
      ["p/n", 1, 0.5, 0],
    ],
  ],
  [
    "session",
    [
      ["", 3, 1, 1],
      ["s", 1, 0.5, 0],
    ],
  ],
] as const)("usage adds up by %s, the unknown prices counted apart", async (by, rows) => {
  await using store = openStore(":memory:")
  addUsage(store.db, { ...usage, session_key: "s" })
  addUsage(store.db, { ...usage, model: "n" })
  addUsage(store.db, { ...usage, agent: "work", cost_usd: null })
  addUsage(store.db, { ...usage, created_ms: day_ms })
  addUsage(store.db, { ...usage, created_ms: 10 * day_ms })
  const sums = sumUsage(store.db, { by, since_ms: 0, until_ms: 2 * day_ms })
  expect(sums).toEqual(
    rows.map(([group, calls, cost_usd, unpriced_calls]) => ({
      ...{ group, calls, cost_usd, unpriced_calls },
      ...{ input_tokens: 10 * calls, output_tokens: 5 * calls, cached_tokens: 2 * calls },
    })),
  )
})

test("usage is narrowed to agents and to a session", async () => {
  await using store = openStore(":memory:")
  addUsage(store.db, { ...usage, session_key: "s" })
  addUsage(store.db, { ...usage, agent: "work" })
  const calls = (filter: object) =>
    sumUsage(store.db, { by: "none", since_ms: 0, until_ms: 99, ...filter })[0]?.calls ?? 0
  expect([{}, { agents: ["work"] }, { agents: [] }, { session_key: "s" }].map(calls)).toEqual([2, 1, 0, 1])
})

test("tokens keep their agents, their use and when they were revoked first", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const token = {
    ...{ id: "1", hash: new Uint8Array(32).fill(7), name: "n", scopes: "chat", agents: ["work"] },
    ...{ created_ms: 1, expires_ms: null, last_used_ms: null, revoked_ms: null },
  }
  addToken(db, token)
  addToken(db, { ...token, id: "2", hash: new Uint8Array(32), agents: null, created_ms: 2, expires_ms: 9 })
  touchToken(db, "1", 5)
  revokeToken(db, "1", 6)
  revokeToken(db, "1", 7)
  expect(listTokens(db)).toEqual([
    { ...token, last_used_ms: 5, revoked_ms: 6 },
    { ...token, id: "2", hash: new Uint8Array(32), agents: null, created_ms: 2, expires_ms: 9 },
  ])
  expect(() => addToken(db, { ...token, id: "3" })).toThrow("UNIQUE")
})

test("wrong tokens are remembered by address", async () => {
  await using store = openStore(":memory:")
  putAuthFailures(store.db, { address: "a", failed_ms: [1] })
  putAuthFailures(store.db, { address: "a", failed_ms: [1, 20] })
  putAuthFailures(store.db, { address: "b", failed_ms: [3] })
  expect(listAuthFailures(store.db, 10)).toEqual([{ address: "a", failed_ms: [1, 20] }])
})

test("a file's row comes back by its id", async () => {
  await using store = openStore(":memory:")
  const file = { id: "1", hash: "h", mime: "image/png", bytes: 3, name: null, token_id: "t", created_ms: 1 }
  addFile(store.db, file)
  expect([findFile(store.db, "1"), findFile(store.db, "2")]).toEqual([file, undefined])
})

test("what is past its time is forgotten, and nothing else", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const { id: session_id, key } = touch(db, "a")
  const now_ms = 100 * hour_ms
  const ended = (id: string, in_session: boolean, hours_ago: number) => {
    startTurn(db, { id, session_id: in_session ? session_id : null, agent: "default", started_ms: 1 })
    const finished_ms = now_ms - hours_ago * hour_ms
    finishTurn(db, { id, state: "done", stop_reason: "end", outcome: "{}", events: "[]", finished_ms })
  }
  ended("old", true, 25)
  ended("new", true, 23)
  ended("old alone", false, 25)
  ended("new alone", false, 23)
  startTurn(db, { id: "running", session_id: null, agent: "default", started_ms: 1 })
  for (const hours of [25, 23]) {
    const created_ms = now_ms - hours * hour_ms
    addIdempotency(db, { session_key: key, key: `${hours}`, request_hash: "h", turn_id: "old", created_ms })
  }
  putAuthFailures(db, { address: "a", failed_ms: [now_ms - 2 * hour_ms] })
  say(db, session_id, "two days ago", { created_ms: now_ms - 49 * hour_ms })
  say(db, session_id, "yesterday", { created_ms: now_ms - 47 * hour_ms })

  purge(db, { turn_events_hours: 24, tool_results_hours: 168 }, now_ms)
  const turns = ["old", "new", "old alone", "new alone", "running"].map((id) => findTurn(db, id))
  expect(turns.map((turn) => turn && [turn.state, turn.outcome, turn.events])).toEqual([
    ["done", "{}", null],
    ["done", "{}", "[]"],
    undefined,
    ["done", "{}", "[]"],
    ["running", null, null],
  ])
  expect(["25", "23"].map((one) => findIdempotency(db, key, one, 0) !== undefined)).toEqual([false, true])
  expect(listAuthFailures(db, 0)).toEqual([])
  expect(listMessages(db, session_id, { limit: 9 })).toHaveLength(2)
  purge(db, { turn_events_hours: 24, tool_results_hours: 168, messages_days: 2 }, now_ms)
  expect(textsOf(listMessages(db, session_id, { limit: 9 }))).toEqual(["yesterday"])
})

test("an idempotency key counts from the moment that is asked for, and can be given anew", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const row = { session_key: "s", key: "k", request_hash: "h", turn_id: "1", created_ms: 10 }
  addIdempotency(db, row)
  expect(findIdempotency(db, "s", "k", 9)).toEqual({ request_hash: "h", turn_id: "1" })
  expect([findIdempotency(db, "s", "k", 10), findIdempotency(db, "other", "k", 0)]).toEqual([
    undefined,
    undefined,
  ])
  addIdempotency(db, { ...row, turn_id: "2", created_ms: 99 })
  expect(findIdempotency(db, "s", "k", 10)).toMatchObject({ turn_id: "2" })
})
