import { expect, test } from "bun:test"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { countRows } from "../../src/store/memory-search.ts"
import { matchWords } from "../../src/store/memory-words.ts"
import { openStore } from "../../src/store/open.ts"

const said = ["tea", "tea with milk", "milk and honey", "honey", "green tea, no milk", "water"]

/** Enough that a search asks whose they are; of two owners in turns, of which the second has nine of ten. */
async function openRows() {
  const store = openStore(":memory:")
  const rows = await store.commit((db) => {
    const owners = ["few", "many"].map((agent) => takeOwner(db, { agent, sender: "", namespace: "" }))
    return Array.from({ length: 2_400 }, (_, i) => {
      const owner_id = owners[i % 10 === 3 ? 0 : 1]!
      const kind = i % 4 === 0 ? ("note" as const) : ("message" as const)
      const of = { session_id: null, message_id: null, hash: new Uint8Array(16), importance: 0.5, tags: [] }
      const row = {
        owner_id,
        kind,
        source: "user" as const,
        created_ms: i,
        text: "",
        words: i % 20 < 4 ? said[(i + Math.floor(i / 10)) % 6]! : "nothing",
      }
      return { id: addMemory(db, { ...of, ...row }), owner_id, kind, created_ms: i }
    })
  })
  return { store, rows, few: rows[3]!.owner_id, many: rows[0]!.owner_id }
}

test("words find the same rows in the same order whether their owners have few rows or most", async () => {
  const { store, rows, few, many } = await openRows()
  await using _ = store
  const ids = (owner_ids: number[]) => matchWords(store.db, ["tea", "milk"], { owner_ids }, 1000).ids
  const both = ids([few, many])
  const of = (owner: number) => new Set(rows.filter(({ owner_id }) => owner_id === owner).map(({ id }) => id))
  for (const owner of [few, many]) {
    expect(ids([owner]).length).toBeGreaterThan(10)
    expect(ids([owner])).toEqual(both.filter((id) => of(owner).has(id)))
  }
})

test.each([
  [{}, () => true],
  [{ kinds: ["note"] }, ({ kind }) => kind === "note"],
  [{ kinds: ["fact"] }, () => false],
  [{ after_ms: 100, before_ms: 200 }, ({ created_ms }) => created_ms >= 100 && created_ms < 200],
  [{ tags: ["none"] }, () => false],
  [{ tags: [] }, () => true],
  [{ include_superseded: true, before_ms: 7 }, ({ created_ms }) => created_ms < 7],
] as [object, (row: { kind: string; created_ms: number }) => boolean][])(
  "rows are counted by %j",
  async (filter, isMeant) => {
    const { store, rows, few, many } = await openRows()
    await using _ = store
    for (const owner_ids of [[few], [many], [few, many], []]) {
      const expected = rows.filter((row) => owner_ids.includes(row.owner_id) && isMeant(row)).length
      expect(countRows(store.db, { ...filter, owner_ids })).toBe(expected)
    }
  },
)
