import type { Log } from "../../base/log.ts"
import type { VectorKernel } from "../../kernel/vectors/kernel.ts"
import type { Store } from "../../store/open.ts"
import { listMissing } from "../../store/vectors.ts"
import type { Allowed } from "./allowed.ts"
import { breathe, openBackground, type Pace, usual_pace } from "./background.ts"
import { checkCollection } from "./check.ts"
import type { Collection } from "./collection.ts"
import { serveSet, useEmbedder } from "./embedders.ts"
import { openJournal } from "./journal.ts"
import { closeSet, type Keeping, settle, settleAll, startWork, takeSets } from "./keep.ts"
import { addVectors } from "./places.ts"
import { type Searching, searchCollection } from "./search.ts"
import type { VectorSet, Vectors } from "./set.ts"
import { stateOf } from "./state.ts"
import type { TierSettings } from "./tiers.ts"

export type VectorSettings = Omit<TierSettings, "all_hot_rows"> & { index: "auto" | "exact" | "hnsw" }

export type VectorsOptions = {
  store: Store
  kernel: VectorKernel
  /** Of all sets, made if it is missing. */
  folder: string
  settings: VectorSettings
  now_ms(): number
  log: Log
  /** See `loadVectorKernel`. */
  library_folder?: string
  /** From how many rows on a graph is built where the index is "auto". */
  hnsw_rows_min?: number
  /** With how many rows all are hot, however old. */
  all_hot_rows?: number
  pace?: Pace
}

const remembered_max = 8
/** Some .6 ms. */
const looked_at_once = 1024

export function openVectors(options: VectorsOptions): Vectors {
  const keeping = openKeeping(options)
  const { background, journal, kernel, now_ms, open, pace, store } = keeping
  const { db } = store
  const searching: Searching = {
    ...{ db, pace, signal: background.signal },
    work: kernel.allocate(64 * 1024),
    remember: (key, make) => remember(keeping.remembered, key, make),
  }
  takeSets(keeping)
  return {
    sets: () => [...open.values()].map(toSet).sort(servingFirst),
    async use(embedder, dim) {
      const id = await store.commit((db) => useEmbedder(db, embedder, dim, now_ms()))
      takeSets(keeping)
      return toSet(open.get(id)!)
    },
    async finish(set_id) {
      await store.commit((db) => serveSet(db, set_id))
      takeSets(keeping)
    },
    async missing(set_id, after_id, limit) {
      for (let upto = after_id; open.has(set_id); ) {
        const found = listMissing(db, set_id, upto, looked_at_once)
        const ids = found.ids.slice(0, limit)
        if (ids.length > 0) return { ids, upto: ids.at(-1)! }
        upto = found.upto
        if (found.is_end) return { ids, upto }
        await breathe(background.signal)
      }
      return { ids: [], upto: after_id }
    },
    add(db, set_id, rows) {
      const collection = open.get(set_id)
      return collection ? addVectors(db, collection, rows) : 0
    },
    settle: () => settleAll(keeping),
    async search(query) {
      while (keeping.settle()) await breathe(background.signal)
      const collection = open.get(query.set_id)
      if (!collection) return { hits: [], looked_at: 0, rows: 0, index: "none" }
      return await searchCollection(collection, query, searching)
    },
    state: () => ({ kernel: kernel.name, sets: [...open.values()].map((one) => stateOf(one, db)) }),
    async check(sample) {
      await background.idle()
      await settleAll(keeping)
      const checks = []
      for (const one of open.values())
        checks.push(await checkCollection(one, { ...keeping, searching }, sample))
      return checks
    },
    rebuild() {
      for (const one of open.values()) startWork(keeping, one, "rebuild")
    },
    tend() {
      for (const one of open.values()) startWork(keeping, one, "tiers")
    },
    idle: background.idle,
    async [Symbol.asyncDispose]() {
      await background.stop()
      await settleAll(keeping)
      await journal.cleared()
      for (const one of open.values()) closeSet(keeping, one)
      searching.work[Symbol.dispose]()
    },
  }
}

function openKeeping(options: VectorsOptions): Keeping {
  const { store, kernel, folder, settings, now_ms, log, library_folder, pace = usual_pace } = options
  const { hnsw_rows_min = 200_000, all_hot_rows = 100_000 } = options
  const keeping: Keeping = {
    ...{ store, kernel, folder, log, pace, now_ms },
    background: openBackground(log),
    journal: openJournal(store, log),
    graphing: { index: settings.index, hnsw_rows_min, library_folder, pace, log },
    tiers: { ...settings, all_hot_rows },
    open: new Map(),
    touched: new Set(),
    remembered: new Map(),
    settle: () => settle(keeping),
  }
  return keeping
}

const toSet = ({ id, embedder, shape, state }: Collection): VectorSet => ({
  ...{ id, embedder, state },
  dim: shape.dim,
})

const servingFirst = (a: VectorSet, b: VectorSet): number =>
  Number(a.state === "filling") - Number(b.state === "filling") || a.id - b.id

function remember(remembered: Map<string, Allowed>, key: string, make: () => Allowed): Allowed {
  const known = remembered.get(key)
  if (known) return known
  const made = make()
  if (remembered.size >= remembered_max) remembered.delete(remembered.keys().next().value!)
  remembered.set(key, made)
  return made
}
