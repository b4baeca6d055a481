import { expect, test } from "bun:test"
import { openUses } from "../../src/memory/uses.ts"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { openStore } from "../../src/store/open.ts"

test("what was given to a model is counted, however often before it is written, and what is gone is not missed", async () => {
  await using store = openStore(":memory:")
  const owner_id = takeOwner(store.db, { agent: "a", sender: "ws:default:main", namespace: "" })
  const row = { owner_id, kind: "note", session_id: null, message_id: null, importance: 0.5 } as const
  const [hash, words, source] = [new Uint8Array(16), "word", "user" as const]
  const add = () => addMemory(store.db, { ...row, text: words, hash, source, created_ms: 1, tags: [], words })
  const ids = Array.from({ length: 600 }, add)
  let now = 10
  const uses = openUses({ store, now_ms: () => now })
  expect(await uses.step()).toBe(false)
  uses.add([...ids, 9_999])
  now = 20
  uses.add(ids.slice(0, 2))
  const writing = uses.step()
  // While that is being written: it counts, too.
  now = 30
  uses.add([ids[0]!])
  await writing
  while (await uses.step());
  const said = store.db.query("SELECT used_ms, uses FROM memory ORDER BY id").values()
  expect(said.slice(0, 3)).toEqual([
    [30, 3],
    [20, 2],
    [10, 1],
  ])
  expect(said.slice(2).every(([used_ms, count]) => used_ms === 10 && count === 1)).toBe(true)
})
