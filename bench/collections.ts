/**
 * A collection of vectors in a folder, by a process of its own for each step, as files that this one has open would be
 * in its memory: `bun bench/collections.ts fill|tear|open FOLDER [ROWS]`. "tear" ends in the middle of its work.
 */
import { join } from "node:path"
import { openLog } from "../src/base/log.ts"
import type { VectorKernel } from "../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../src/kernel/vectors/load.ts"
import { openVectors } from "../src/memory/vectors/open.ts"
import { addMemory, takeOwner } from "../src/store/memory.ts"
import { openStore, type Store } from "../src/store/open.ts"
import { openClusters } from "./data/clusters.ts"

export type Opened = {
  /** From opening the collection to its first answer; the database and the library are open by then. */
  first_ms: number
  /** The search after that. */
  next_ms: number
  index: string
  looked_at: number
  opened: string
  /** Until nothing is left to check or to make anew. */
  settled_ms: number
}

const dim = 384
const at_once = 1000
const created_ms = Date.UTC(2026, 0, 1)

const openCollections = (store: Store, kernel: VectorKernel, folder: string) =>
  openVectors({
    ...{ store, kernel },
    folder: join(folder, "vectors"),
    settings: {
      index: "exact",
      hot_rows_max: 200_000,
      warm_rows_max: 2_000_000,
      warm_after_days: 90,
      cold_after_days: 365,
    },
    now_ms: () => created_ms,
    log: openLog("warn", console.error),
  })

type Collections = ReturnType<typeof openCollections>

async function fill(folder: string, rows: number): Promise<void> {
  await using store = openStore(join(folder, "weft.db"))
  await using vectors = openCollections(store, loadVectorKernel(), folder)
  const stream = openClusters(dim)
  for (let done = 0; done < rows; done += at_once)
    await add(store, vectors, stream, Math.min(at_once, rows - done))
  await vectors.idle()
}

/** What it added last is in SQLite; the files do not have it, and nobody closed them. */
async function tear(folder: string): Promise<void> {
  const store = openStore(join(folder, "weft.db"))
  const vectors = openCollections(store, loadVectorKernel(), folder)
  await add(store, vectors, openClusters(dim, 8), 100)
  process.kill(process.pid, "SIGKILL")
}

async function add(
  store: Store,
  vectors: Collections,
  stream: ReturnType<typeof openClusters>,
  count: number,
) {
  const set = await vectors.use("bench:1", dim)
  const rows = new Float32Array(count * dim)
  stream.fill(rows)
  await store.commit((db) => {
    const owner_id = takeOwner(db, { agent: "default", sender: "", namespace: "" })
    const added = Array.from({ length: count }, (_, i) => {
      const row = { owner_id, kind: "note" as const, session_id: null, message_id: null, text: "", words: "" }
      const how = { hash: new Uint8Array(16), importance: 0.5, source: "user" as const, created_ms, tags: [] }
      return { memory_id: addMemory(db, { ...row, ...how }), vector: rows.subarray(i * dim, (i + 1) * dim) }
    })
    vectors.add(db, set.id, added)
  })
  await vectors.settle()
}

async function open(folder: string): Promise<Opened> {
  await using store = openStore(join(folder, "weft.db"))
  const kernel = loadVectorKernel()
  const vector = new Float32Array(dim)
  openClusters(dim).fill(vector)
  const owner_ids = [1]
  const begun = performance.now()
  await using vectors = openCollections(store, kernel, folder)
  const query = { set_id: vectors.sets()[0]!.id, vector, filter: { owner_ids }, k: 10 }
  const { index, looked_at } = await vectors.search(query)
  const first_ms = performance.now() - begun
  const again = performance.now()
  await vectors.search(query)
  const next_ms = performance.now() - again
  const { opened } = vectors.state().sets[0]!
  await vectors.idle()
  return { first_ms, next_ms, index, looked_at, opened, settled_ms: performance.now() - begun }
}

if (import.meta.main) {
  const [step, folder, rows] = process.argv.slice(2)
  if (step === "fill") await fill(folder!, Number(rows))
  else if (step === "tear") await tear(folder!)
  else console.log(JSON.stringify(await open(folder!)))
}
