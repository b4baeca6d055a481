import { expect, test } from "bun:test"
import fc from "fast-check"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { matchWords } from "../../src/store/memory-words.ts"
import { openStore } from "../../src/store/open.ts"

function openRows() {
  const store = openStore(":memory:")
  const ownerOf = (peer: string) =>
    takeOwner(store.db, { agent: "a", sender: `ws:default:${peer}`, namespace: "" })
  const add = (owner_id: number, words: string, kind: "note" | "summary" = "note") => {
    const row = { owner_id, kind, session_id: null, message_id: null, importance: 0.5, text: words, words }
    const how = { hash: new Uint8Array(16), source: "user" as const, created_ms: 1, tags: [] }
    return addMemory(store.db, { ...row, ...how })
  }
  const [ann, bob] = [ownerOf("ann"), ownerOf("bob")]
  const find = (
    words: string[],
    { owner_ids = [ann], limit = 10, kinds = undefined as ["note" | "summary"] | undefined } = {},
  ) => matchWords(store.db, words, { owner_ids, kinds }, limit)
  return { store, ann, bob, add, find }
}

test("beside a rarer word one that very many rows have does not count, and alone the newest rows with it are found", async () => {
  const { store, ann, bob, add, find } = openRows()
  await using _ = store
  const few = Array.from({ length: 300 }, () => add(ann, "common daily"))
  expect(find(["common"])).toEqual({ ids: few.slice(0, 10).map((_, i) => few.at(-1 - i)!), matched: 300 })
  const many = Array.from({ length: 1_600 }, (_, i) => add(ann, i % 2 === 0 ? "common daily" : "common"))
  const rare = add(ann, "common rare")
  add(bob, "common rare")
  expect(find(["common", "rare"])).toEqual({ ids: [rare], matched: 1 })
  expect(find(["common"]).ids).toEqual([rare, ...many.slice(-9).reverse()])
  // Rows with all of the words are before rows with any.
  expect(find(["common", "daily"]).ids).toEqual(
    many
      .filter((_, i) => i % 2 === 0)
      .slice(-10)
      .reverse(),
  )
  expect(find(["common", "unheard"]).ids).toHaveLength(10)
  expect(find(["common"], { kinds: ["note"], limit: 3 }).ids).toHaveLength(3)
  // What is asked for besides may be true of a row with a common word only.
  expect(find(["common", "rare"], { kinds: ["summary"] }).ids).toEqual([])
  const summary = add(ann, "common daily", "summary")
  expect(find(["common", "rare"], { kinds: ["summary"] }).ids).toEqual([summary])
  expect(find(["common"], { kinds: ["note"], limit: 1 }).ids).toEqual([rare])
})

test("a word that everybody says is found where one sender said it, beside rarer ones that he said", async () => {
  const { store, ann, bob, add, find } = openRows()
  await using _ = store
  const first = add(ann, "order status")
  const second = add(ann, "albatross")
  for (let i = 0; i < 4_000; i++) add(bob, "order status")
  expect(find(["order", "status"])).toEqual({ ids: [first], matched: 1 })
  expect(find(["order", "albatross"])).toEqual({ ids: [second, first], matched: 2 })
  expect(find(["order", "unheard"])).toEqual({ ids: [first], matched: 1 })
  expect(find(["unheard"])).toEqual({ ids: [], matched: 0 })
})

test("of many words that are each in some rows the rarest rank", async () => {
  const { store, ann, add, find } = openRows()
  await using _ = store
  const words = Array.from({ length: 8 }, (_, i) => `word${i}`)
  const rows = words.flatMap((word, i) => Array.from({ length: 80 + i }, () => add(ann, word)))
  const { ids, matched } = find(words, { limit: 2_000 })
  // 80 + 81 + 82 + 83: with the next word there were more than are worth it.
  expect(matched).toBe(326)
  expect(new Set(ids)).toEqual(new Set(rows.slice(0, 326)))
})

test("whatever is asked for, rows that have it are found, and no others, each once", async () => {
  const { store, ann, bob, add } = openRows()
  await using _ = store
  const vocabulary = ["often", "mostly", "common", "daily", "some", "seldom", "rare", "once"]
  // The first word is in every row, each further one in a third of those with the one before.
  const wordsOf = (i: number) => vocabulary.filter((_, nth) => i % 3 ** nth === 0)
  const rows = Array.from({ length: 5_000 }, (_, i) => {
    const [owner, kind] = [i % 7 === 0 ? ann : bob, i % 11 === 0 ? ("summary" as const) : ("note" as const)]
    return { id: add(owner, wordsOf(i).join(" "), kind), owner, kind, words: wordsOf(i) }
  })
  const query = fc.record({
    words: fc.uniqueArray(fc.constantFrom(...vocabulary, "unheard"), { minLength: 1, maxLength: 9 }),
    owner_ids: fc.constantFrom([ann], [bob], [ann, bob]),
    kinds: fc.constantFrom(undefined, ["summary" as const], ["note" as const], ["fact" as const]),
    limit: fc.integer({ min: 1, max: 64 }),
  })
  fc.assert(
    fc.property(query, ({ words, owner_ids, kinds, limit }) => {
      const { ids, matched } = matchWords(store.db, words, { owner_ids, kinds }, limit)
      const right = rows.filter(
        (row) =>
          owner_ids.includes(row.owner) &&
          (!kinds || kinds.some((kind) => kind === row.kind)) &&
          row.words.some((word) => words.includes(word)),
      )
      const known = new Set(right.map(({ id }) => id))
      expect(ids.filter((id) => !known.has(id))).toEqual([])
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.length).toBeLessThanOrEqual(limit)
      expect(matched).toBeLessThanOrEqual(right.length)
      expect(matched).toBeGreaterThanOrEqual(ids.length)
      // Never nothing where there is something.
      expect(ids.length > 0).toBe(right.length > 0)
    }),
    { numRuns: 300 },
  )
})
