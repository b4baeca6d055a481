/** What is exported, taken out and taken in again is the same, to the byte. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import { parser } from "../../../src/base/schema.ts"
import { toSessionKey } from "../../../src/base/session-key.ts"
import { learnFacts } from "../../../src/memory/facts/learn.ts"
import { hashText } from "../../../src/memory/index/hash.ts"
import { toWords } from "../../../src/memory/text/fold.ts"
import { exportRows } from "../../../src/memory/transfer/export.ts"
import { importRows } from "../../../src/memory/transfer/import.ts"
import { TransferRow } from "../../../src/memory/transfer/row.ts"
import { addMemory, takeOwner } from "../../../src/store/memory.ts"
import { setProgress } from "../../../src/store/memory-index.ts"
import { addUses } from "../../../src/store/memory-search.ts"
import { matchWords } from "../../../src/store/memory-words.ts"
import { addMessage } from "../../../src/store/messages.ts"
import { openStore, type Store } from "../../../src/store/open.ts"
import { deleteSession, getSession, touchSession } from "../../../src/store/sessions.ts"

const no_vectors = { sets: () => [], add: () => 0 }
const page = { agents: undefined, after: 0, limit: 1000, bytes_max: 1e9, with_vectors: false }
const parseRow = parser(TransferRow)

/** As the lines of a file. */
const linesOf = ({ db }: Store): string[] =>
  exportRows({ db, vectors: no_vectors }, page).rows.map((row) => JSON.stringify(row))

const take = (store: Store, lines: readonly string[]) =>
  importRows(
    { store, vectors: no_vectors },
    { rows: lines.map((line) => parseRow(JSON.parse(line))), embedder: undefined },
  )

const Text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).map((text) => text.toWellFormed())
const Word = fc.constantFrom("name", "city", "likes", "ciudad", "名字")
const Row = fc.record({
  peer: fc.constantFrom("ann", "b:o%b", "张伟"),
  text: Text,
  tags: fc.uniqueArray(Text, { maxLength: 3 }),
  importance: fc.double({ min: 0, max: 1, noNaN: true }),
  created_ms: fc.integer({ min: 1, max: 5 }),
  is_used: fc.boolean(),
  is: fc.oneof(
    fc.constant({ a: "note" as const }),
    fc.constant({ a: "shared" as const }),
    fc.constant({ a: "message" as const }),
    fc.constant({ a: "piece" as const }),
    fc.record({ a: fc.constant("fact" as const), predicate: Word, is_change: fc.boolean() }),
  ),
})
type Row = typeof Row extends fc.Arbitrary<infer T> ? T : never

const partsOf = (peer: string) => ({ agent: "default", channel: "ws", account: "default", peer })
const senderOf = (peer: string) => toSessionKey(partsOf(peer)).slice("default:".length)

function fill({ db }: Store, rows: readonly Row[]): void {
  for (const { peer, text, tags, importance, created_ms, is_used, is } of rows) {
    const parts = partsOf(peer)
    const session = touchSession(db, toSessionKey(parts), parts, 1)
    const owner = { agent: "default", sender: is.a === "shared" ? "" : senderOf(peer) }
    const owner_id = takeOwner(db, { ...owner, namespace: is.a === "shared" ? "team" : "" })
    const said = { turn_id: `turn ${created_ms}`, role: "user" as const, created_ms }
    const message_id = addMessage(db, session.id, { ...said, parts: [{ type: "text", text }] })
    if (is.a === "fact") {
      const found = { type: "fact" as const, subject: "user", predicate: is.predicate, object: text }
      const where = { confidence: 0.9, start: 0, end: 0, said: text, is_change: is.is_change }
      const told = { owner_id, session_id: session.id, message_id, source: "conversation" as const }
      // Long after one another, so that what contradicts is disputed.
      learnFacts(db, { ...told, found: [{ ...found, ...where }], now_ms: message_id * 1e9 })
      continue
    }
    const is_message = is.a === "message" || is.a === "piece"
    const id = addMemory(db, {
      ...{ owner_id, tags, importance, created_ms, hash: hashText(text), words: toWords(text) },
      kind: is_message ? "message" : "note",
      source: "user",
      session_id: is_message ? session.id : null,
      message_id: is_message ? message_id : null,
      text: is.a === "message" ? null : text,
    })
    if (is_used) addUses(db, [[id, { used_ms: created_ms + 7, uses: 1 }]])
  }
  setProgress(db, "indexed", Number.MAX_SAFE_INTEGER)
}

test("the same home, the rows taken out: the same bytes, and a second time adds nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(Row, { maxLength: 12 }), async (rows) => {
      await using store = openStore(":memory:")
      fill(store, rows)
      const before = linesOf(store)
      store.db.run("DELETE FROM memory")
      expect(await take(store, before)).toMatchObject({ added: before.length, known: 0, detached: 0 })
      expect(linesOf(store)).toEqual(before)
      expect(await take(store, before)).toMatchObject({ added: 0, known: before.length })
      expect(linesOf(store)).toEqual(before)
    }),
    { numRuns: 30 },
  )
})

test("another home, without the sessions: the same bytes, and a second time adds nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(Row, { maxLength: 12 }), async (rows) => {
      await using from = openStore(":memory:")
      await using to = openStore(":memory:")
      fill(from, rows)
      // The same keys, but not the same conversations.
      for (const { peer } of rows) touchSession(to.db, toSessionKey(partsOf(peer)), partsOf(peer), 99)
      const before = linesOf(from)
      await take(to, before)
      expect(linesOf(to)).toEqual(before)
      expect(await take(to, before)).toMatchObject({ added: 0, known: before.length })
      expect(to.db.query("SELECT 1 FROM memory WHERE session_id IS NOT NULL").all()).toEqual([])
    }),
    { numRuns: 30 },
  )
})

const note = (more: object = {}) =>
  parseRow({ agent: "default", kind: "note", text: "The boat is called Albatross", created_ms: 5, ...more })

test("facts that hold no more and facts that are disputed come back as they were", async () => {
  await using from = openStore(":memory:")
  await using to = openStore(":memory:")
  const say = (text: string, predicate: "name" | "city", is_change: boolean): Row => ({
    ...{ peer: "ann", text, tags: [], importance: 0.5, created_ms: 3, is_used: true },
    is: { a: "fact", predicate, is_change },
  })
  fill(from, [
    say("Oslo", "city", false),
    say("Bergen", "city", true),
    say("Ann", "name", false),
    say("Eve", "name", false),
  ])
  const before = linesOf(from)
  expect(before.filter((line) => line.includes('"superseded_by"'))).toHaveLength(1)
  expect(before.filter((line) => line.includes('"disputes"'))).not.toEqual([])
  await take(to, before)
  expect(linesOf(to)).toEqual(before)
})

test.each([
  ["later", 9, ["Lima", "Oslo"]],
  ["earlier", 1, ["Oslo", "Lima"]],
])("a fact that is %s than what is known here", async (_name, learned_ms, [holds, held]) => {
  await using store = openStore(":memory:")
  const city = (object: string, learned_ms: number, uid: string) =>
    note({
      ...{ kind: "fact", text: `user's city: ${object}` },
      fact: { uid, key: "user\ncity", subject: "user", predicate: "city", object, learned_ms },
    })
  const rows = [city("Oslo", 5, "here"), city("Lima", learned_ms, "there")]
  for (const row of rows)
    await importRows({ store, vectors: no_vectors }, { rows: [row], embedder: undefined })
  const facts = store.db
    .query("SELECT object, superseded_by FROM fact ORDER BY superseded_ms IS NOT NULL")
    .all()
  expect(facts).toEqual([
    { object: holds, superseded_by: null },
    { object: held, superseded_by: holds === "Oslo" ? "here" : "there" },
  ])
})

test("what is taken in is found by its words", async () => {
  await using store = openStore(":memory:")
  await importRows({ store, vectors: no_vectors }, { rows: [note()], embedder: undefined })
  const owner_id = takeOwner(store.db, { agent: "default", sender: "", namespace: "" })
  expect(matchWords(store.db, ["albatross"], { owner_ids: [owner_id] }, 9).matched).toBe(1)
})

test("messages of a session that is gone are notes that keep their day, and are messages again in an export", async () => {
  await using store = openStore(":memory:")
  fill(store, [
    {
      peer: "ann",
      text: "hello",
      tags: [],
      importance: 0.5,
      created_ms: 3,
      is_used: false,
      is: { a: "message" },
    },
  ])
  const before = linesOf(store)
  deleteSession(store.db, getSession(store.db, toSessionKey(partsOf("ann"))))
  expect(await take(store, before)).toMatchObject({ added: 1, detached: 1 })
  expect(store.db.query("SELECT kind, text, created_ms, session_id FROM memory").all()).toEqual([
    { kind: "note", text: "hello", created_ms: 3, session_id: null },
  ])
  expect(linesOf(store)).toEqual(before)
})

test("a session of the same key that began at another time is another one", async () => {
  await using store = openStore(":memory:")
  const key = toSessionKey(partsOf("ann"))
  touchSession(store.db, key, partsOf("ann"), 99)
  // Its message is gone, so that the session is all that it hangs on.
  const fact = {
    uid: "a",
    key: "user\ncity",
    subject: "user",
    predicate: "city",
    object: "Oslo",
    learned_ms: 1,
  }
  for (const [uid, created_ms] of [
    ["a", 98],
    ["b", 99],
  ] as const) {
    const of = { sender: senderOf("ann"), session: { key, created_ms }, text: "x" }
    const row = note({ ...of, kind: "fact", fact: { ...fact, uid } })
    await importRows({ store, vectors: no_vectors }, { rows: [row], embedder: undefined })
  }
  expect(store.db.query("SELECT session_id IS NOT NULL AS is_in FROM memory ORDER BY id").all()).toEqual([
    { is_in: 0 },
    { is_in: 1 },
  ])
})

test.each(["work", "default"])(
  "a row of another owner is not put into a session: agent %s",
  async (agent) => {
    await using store = openStore(":memory:")
    const parts = partsOf("ann")
    const session = touchSession(store.db, toSessionKey(parts), parts, 7)
    const said = { turn_id: "t", role: "user" as const, created_ms: 7 }
    const id = addMessage(store.db, session.id, { ...said, parts: [{ type: "text", text: "Mine" }] })
    setProgress(store.db, "indexed", id)
    const ref = { id, turn_id: "t" }
    const of = { agent, sender: senderOf("bob"), session: { key: session.key, created_ms: 7 }, text: "Mine" }
    const fact = { uid: "u", key: "k", subject: "user", predicate: "name", object: "Eve", said_in: ref }
    const rows = [
      note({ ...of, kind: "message", message: ref }),
      note({ ...of, kind: "summary", summary: { first: ref, last: ref, tokens: 1, made_by: "sentences" } }),
      note({ ...of, kind: "fact", fact }),
    ]
    await importRows({ store, vectors: no_vectors }, { rows, embedder: undefined })
    expect(store.db.query("SELECT 1 FROM memory WHERE session_id IS NOT NULL").all()).toEqual([])
    expect(store.db.query("SELECT 1 FROM summary").all()).toEqual([])
    expect(store.db.query("SELECT said_in FROM fact").values()).toEqual([[null]])
  },
)

test("a message that is yet to be indexed is left to that", async () => {
  await using store = openStore(":memory:")
  fill(store, [
    {
      peer: "ann",
      text: "hello",
      tags: [],
      importance: 0.5,
      created_ms: 3,
      is_used: false,
      is: { a: "message" },
    },
  ])
  const before = linesOf(store)
  store.db.run("DELETE FROM memory")
  setProgress(store.db, "indexed", 0)
  expect(await take(store, before)).toMatchObject({ added: 0, left: 1 })
})

test("a batch is whole or not at all", async () => {
  await using store = openStore(":memory:")
  const broken = {
    sets: () => [{ id: 1, embedder: "e", dim: 1, state: "serving" as const }],
    add: () => {
      throw new Error("broken")
    },
  }
  const rows = [
    note(),
    note({ text: "Another", vector: Buffer.from(new Float32Array([1]).buffer).toString("base64") }),
  ]
  const taking = importRows({ store, vectors: broken }, { rows, embedder: { id: "e", dim: 1 } })
  await expect(taking).rejects.toThrow("broken")
  expect(linesOf(store)).toEqual([])
})

test.each([
  ["another embedder's", { id: "other", dim: 2 }, [1, 0], 0],
  ["of another length", { id: "e", dim: 3 }, [1, 0], 0],
  ["cut off", { id: "e", dim: 2 }, [1], 0],
  ["not of length 1", { id: "e", dim: 2 }, [3, 4], 0],
  ["not a number", { id: "e", dim: 2 }, [Number.NaN, 1], 0],
  ["as it should be", { id: "e", dim: 2 }, [0.6, 0.8], 1],
])("a vector that is %s", async (_name, embedder, numbers, taken) => {
  await using store = openStore(":memory:")
  const given: number[][] = []
  const vectors = {
    sets: () => [{ id: 1, embedder: "e", dim: 2, state: "serving" as const }],
    add: (_db: unknown, _set: number, rows: readonly { vector: Float32Array }[]) =>
      given.push(...rows.map(({ vector }) => [...vector])),
  }
  const vector = Buffer.from(new Float32Array(numbers).buffer).toString("base64")
  const done = await importRows({ store, vectors }, { rows: [note({ vector })], embedder })
  expect(done).toMatchObject({ added: 1, vectors: taken })
  expect(given).toHaveLength(taken)
})

test("a page ends at its rows or its bytes, and the next goes on there", async () => {
  await using store = openStore(":memory:")
  const rows = Array.from({ length: 7 }, (_, i) => note({ text: `number ${i}` }))
  await importRows({ store, vectors: no_vectors }, { rows, embedder: undefined })
  for (const limits of [{ limit: 2 }, { bytes_max: 300 }, { bytes_max: 1 }]) {
    const seen: string[] = []
    for (let after: number | undefined = 0; after !== undefined; ) {
      const got = exportRows({ db: store.db, vectors: no_vectors }, { ...page, ...limits, after })
      seen.push(...got.rows.map(({ text }) => text))
      after = got.next
    }
    expect(seen).toEqual(rows.map(({ text }) => text))
  }
})
