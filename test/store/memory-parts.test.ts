import { expect, test } from "bun:test"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { hasManyParts, mergeParts } from "../../src/store/memory-index.ts"
import { matchWords } from "../../src/store/memory-search.ts"
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

test("among many rows a word that very many have does not count beside a rarer one, and does by itself", async () => {
  await using store = openStore(":memory:")
  const owner_id = takeOwner(store.db, { agent: "a", sender: "ws:default:main", namespace: "" })
  const row = { owner_id, kind: "note", session_id: null, message_id: null, importance: 0.5 } as const
  const add = (words: string) =>
    addMemory(store.db, {
      ...{ ...row, text: words, hash: new Uint8Array(16), source: "user", created_ms: 1, tags: [], words },
    })
  const find = (...words: string[]) => matchWords(store.db, words, { owner_ids: [owner_id] }, 10).matched
  store.db.transaction(() => {
    for (let i = 0; i < 2_100; i++) add("common")
    add("common rare")
  })()
  expect(find("common", "rare")).toBe(2_101)
  // So many rows were there once.
  store.db.run("UPDATE sqlite_sequence SET seq = 30000 WHERE name = 'memory'")
  add("something else")
  expect(find("common", "rare")).toBe(1)
  expect(find("common")).toBe(2_101)
})
