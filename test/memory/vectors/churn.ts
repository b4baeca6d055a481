/** Adds, removes, moves and rebuilds until it is killed: `bun churn.ts FOLDER`. Prints a line after each step. */
import { join } from "node:path"
import { openLog } from "../../../src/base/log.ts"
import { loadVectorKernel } from "../../../src/kernel/vectors/load.ts"
import { openVectors } from "../../../src/memory/vectors/open.ts"
import { addMemory, removeMemories, takeOwner } from "../../../src/store/memory.ts"
import { openStore } from "../../../src/store/open.ts"
import { dim, first_ms, vectorOf } from "./world.ts"

export const openChurn = (home: string) => {
  const store = openStore(join(home, "weft.db"))
  const vectors = openVectors({
    store,
    kernel: loadVectorKernel(),
    folder: join(home, "vectors"),
    settings: {
      index: "hnsw",
      hot_rows_max: 50,
      warm_rows_max: 60,
      warm_after_days: 90,
      cold_after_days: 365,
    },
    now_ms: () => first_ms,
    log: openLog("warn", (line) => process.stderr.write(line)),
    all_hot_rows: 20,
    pace: { slice_ms: 0, rows_at_once: 8 },
  })
  return { store, vectors }
}

async function churn(home: string): Promise<void> {
  const { store, vectors } = openChurn(home)
  const { id: set_id } = await vectors.use("test:1", dim)
  const owner_id = await store.commit((db) => takeOwner(db, { agent: "a", sender: "", namespace: "" }))
  const row = {
    owner_id,
    kind: "note",
    session_id: null,
    message_id: null,
    text: "",
    words: "",
    tags: [],
  } as const
  const known = { hash: new Uint8Array(16), importance: 0.5, source: "user", created_ms: first_ms } as const
  for (let step = 1; ; step++) {
    const removed = await store.commit((db) => {
      const ids = Array.from({ length: 10 }, () => addMemory(db, { ...row, ...known }))
      vectors.add(
        db,
        set_id,
        ids.map((memory_id) => ({ memory_id, vector: vectorOf(memory_id) })),
      )
      return ids.filter((id) => id % 3 === 0).map((id) => Math.max(1, id - 60))
    })
    await store.commit((db) => removeMemories(db, removed))
    if (step % 4 === 0) await vectors.settle()
    if (step % 7 === 0) vectors.tend()
    if (step % 11 === 0) vectors.rebuild()
    process.stdout.write(`${step}\n`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

if (import.meta.main) await churn(process.argv[2]!)
