import { expect, test } from "bun:test"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { hasManyParts, mergeParts } from "../../src/store/memory-index.ts"
import { matchWords } from "../../src/store/memory-words.ts"
import { openStore } from "../../src/store/open.ts"

test("the parts that single rows leave in the index of words are merged, and every word is found as before", async () => {
  await using store = openStore(":memory:")
  const owner_id = takeOwner(store.db, { agent: "a", sender: "ws:default:main", namespace: "" })
  const row = { owner_id, kind: "note", session_id: null, message_id: null, importance: 0.5 } as const
  const find = () =>
    matchWords(store.db, ["common"], { owner_ids: [owner_id] }, 100).ids.toSorted((a, b) => a - b)
  expect(hasManyParts(store.db)).toBe(false)
  for (let i = 0; i < 60; i++) {
    const words = `word${i} common`
    addMemory(store.db, {
      ...row,
      text: words,
      hash: new Uint8Array(16),
      source: "user",
      created_ms: i,
      tags: [],
      words,
    })
  }
  const before = find()
  expect(before).toHaveLength(60)
  expect(hasManyParts(store.db)).toBe(true)
  let steps = 0
  while (hasManyParts(store.db) && mergeParts(store.db)) steps++
  expect(steps).toBeGreaterThan(0)
  expect(hasManyParts(store.db)).toBe(false)
  expect(find()).toEqual(before)
})

test("parts of an index that is too large to merge at once become few in small steps", async () => {
  await using store = openStore(":memory:")
  const owner_id = takeOwner(store.db, { agent: "a", sender: "ws:default:main", namespace: "" })
  // Small pages: many of them of little text.
  store.db.run("INSERT INTO memory_fts (memory_fts, rank) VALUES ('pgsz', 64)")
  let added = 0
  const add = (rows: number) =>
    store.commit((db) => {
      for (let i = 0; i < rows; i++) {
        const words = `word${added++} common`
        const row = { owner_id, kind: "note", session_id: null, message_id: null, importance: 0.5 } as const
        const [hash, source] = [new Uint8Array(16), "user" as const]
        addMemory(db, { ...row, text: words, hash, source, created_ms: 1, tags: [], words })
      }
    })
  const pages = () =>
    store.db.query("SELECT count(*) FROM memory_fts_idx GROUP BY segid").values().flat() as number[]
  const merge = async () => {
    let steps = 0
    while (hasManyParts(store.db) && (await store.commit(mergeParts))) steps++
    return steps
  }
  for (let i = 0; i < 30; i++) await add(100)
  expect(await merge()).toBeGreaterThan(4)
  expect([pages().length, pages()[0]! > 300]).toEqual([1, true])
  for (let i = 0; i < 5; i++) await add(1)
  // Little has come: the large one is not written again for it.
  const largest = Math.max(...pages())
  expect(await merge()).toBeLessThan(4)
  expect(Math.max(...pages())).toBe(largest)
  expect(hasManyParts(store.db)).toBe(false)
  for (let i = 0; i < 8; i++) await add(100)
  await merge()
  expect(hasManyParts(store.db)).toBe(false)
  const found = store.db.query("SELECT count(*) FROM memory_fts WHERE memory_fts MATCH 'common'").values()
  expect(found).toEqual([[added]])
})
