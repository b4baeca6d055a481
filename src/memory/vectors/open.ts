/** Opens the sets, and keeps files, graphs and tiers up with SQLite. */
import { AppError, toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import type { VectorKernel } from "../../kernel/vectors/kernel.ts"
import type { Store } from "../../store/open.ts"
import {
  addSet,
  changeSet,
  fromPlace,
  getSet,
  listChanges,
  listMissing,
  listSets,
  removeChanges,
  removeSetStep,
} from "../../store/vectors.ts"
import type { Allowed } from "./allowed.ts"
import { applyPlaces } from "./apply.ts"
import { breathe, openBackground, type Pace, usual_pace } from "./background.ts"
import { checkCollection } from "./check.ts"
import { type Collection, closeCleanly, closeCollection, isTrusted, openCollection } from "./collection.ts"
import { unlinkedOf } from "./graph.ts"
import { type Graphing, linkRest, makeGraph, removeSaved, saveGraph, wantsGraph } from "./graph-work.ts"
import { addVectors } from "./places.ts"
import { rebuild, recover } from "./rebuild.ts"
import { type Searching, searchCollection } from "./search.ts"
import type { VectorSet, Vectors } from "./set.ts"
import { stateOf } from "./state.ts"
import { isOverfull, type TierSettings, tendTiers } from "./tiers.ts"

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
  /** From how many rows on it is worth the trouble: for a graph where the index is "auto", and for tiers at all. */
  hnsw_rows_min?: number
  all_hot_rows?: number
  pace?: Pace
}

const changes_at_once = 1024
const removed_at_once = 256
const remembered_max = 8

export function openVectors(options: VectorsOptions): Vectors {
  const { store, kernel, folder, settings, now_ms, log, pace = usual_pace } = options
  const { db } = store
  const background = openBackground(log)
  const open = new Map<number, Collection>()
  const remembered = new Map<string, Allowed>()
  const graphing: Graphing = {
    index: settings.index,
    hnsw_rows_min: options.hnsw_rows_min ?? 200_000,
    library_folder: options.library_folder,
    pace,
    log,
  }
  const tiers = { ...settings, all_hot_rows: options.all_hot_rows ?? 100_000 }
  const searching: Searching = {
    db,
    work: kernel.allocate(64 * 1024),
    pace,
    signal: background.signal,
    remember: (key, make) => remember(remembered, key, make),
  }
  const journal = openJournal(store, log)

  /** Nothing is done for a set that was closed meanwhile. */
  const startFor = (
    collection: Collection,
    name: string,
    run: (collection: Collection, signal: AbortSignal) => Promise<void>,
  ) =>
    background.start(`${name} ${collection.id}`, async (signal) => {
      if (open.get(collection.id) === collection) await run(collection, signal)
    })

  const follow = (collection: Collection) => {
    if (!isTrusted(collection)) return
    if (wantsGraph(collection, graphing)) startFor(collection, "graph", runGraph)
    if (collection.graph.is_usable && unlinkedOf(collection.graph, collection.main) > 0)
      startFor(collection, "link", runLink)
    if (isOverfull(collection, tiers)) startFor(collection, "tiers", runTiers)
  }
  const runGraph = async (collection: Collection, signal: AbortSignal) => {
    await makeGraph(collection, graphing, signal)
    follow(collection)
  }
  const runLink = (collection: Collection, signal: AbortSignal) => linkRest(collection, graphing, signal)
  const runTiers = (collection: Collection, signal: AbortSignal) =>
    tendTiers(collection, { store, pace, settle, tiers, now_ms }, signal)

  function settle(): void {
    for (const places of journal.take()) {
      for (const [id, collection] of open) {
        const own = places.filter((place) => fromPlace(place).set_id === id)
        if (own.length === 0) continue
        applyPlaces(collection, db, own, log)
        follow(collection)
      }
    }
  }

  /** Opens what is to be open, and gives up what is retired. */
  function takeSets(): void {
    remembered.clear()
    for (const row of listSets(db)) {
      const collection = open.get(row.id)
      if (row.state === "retired") {
        open.delete(row.id)
        background.start(`retire ${row.id}`, (signal) => retire(store, row.id, collection, signal))
      } else if (collection) collection.state = row.state
      else open.set(row.id, openCollection(kernel, db, folder, row, log))
    }
  }

  function start(): void {
    takeSets()
    settle()
    for (const collection of open.values()) {
      if (collection.work !== "none")
        startFor(collection, "recover", async (collection, signal) => {
          await recover(collection, { store, log, pace, settle }, signal)
          follow(collection)
        })
      else follow(collection)
    }
  }

  start()
  return {
    sets: () => [...open.values()].map(toSet).sort(servingFirst),
    async use(embedder, dim) {
      const id = await store.commit(() => useEmbedder(store, embedder, dim, now_ms()))
      takeSets()
      return toSet(open.get(id)!)
    },
    async finish(set_id) {
      await store.commit((db) => {
        for (const { id, state } of listSets(db)) {
          if (id === set_id) changeSet(db, id, "serving")
          else if (state !== "retired") changeSet(db, id, "retired")
        }
      })
      takeSets()
    },
    missing: (set_id, after_id, limit) => (open.has(set_id) ? listMissing(db, set_id, after_id, limit) : []),
    add(db, set_id, rows) {
      const collection = open.get(set_id)
      return collection ? addVectors(db, collection, rows) : 0
    },
    settle,
    async search(query) {
      settle()
      const collection = open.get(query.set_id)
      if (!collection) return { hits: [], looked_at: 0, rows: 0, index: "none" }
      return await searchCollection(collection, query, searching)
    },
    state: () => ({ kernel: kernel.name, sets: [...open.values()].map((one) => stateOf(one, db)) }),
    async check(sample) {
      await background.idle()
      settle()
      const checks = []
      for (const collection of open.values())
        checks.push(await checkCollection(collection, { store, settle, searching }, sample))
      return checks
    },
    rebuild() {
      for (const one of open.values())
        startFor(one, "rebuild", async (collection, signal) => {
          collection.rebuilt_because = "it was asked for"
          removeSaved(collection)
          await rebuild(collection, { store, log, pace, settle }, signal)
          follow(collection)
        })
    },
    tend() {
      for (const collection of open.values()) startFor(collection, "tiers", runTiers)
    },
    idle: background.idle,
    async [Symbol.asyncDispose]() {
      await background.stop()
      settle()
      await journal.cleared()
      for (const collection of open.values()) close(store, collection, log)
      searching.work[Symbol.dispose]()
    },
  }
}

const toSet = ({ id, embedder, shape, state }: Collection): VectorSet => ({
  id,
  embedder,
  dim: shape.dim,
  state,
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

/** What SQLite says has changed. What was taken is cleared there in the background. */
function openJournal({ db, commit }: Store, log: Log) {
  let taken = 0
  let clearing: Promise<void> | undefined
  const clear = async (until: number) => {
    try {
      await commit((db) => removeChanges(db, until))
    } catch (thrown) {
      // They are taken again when the files are opened, which changes nothing.
      if (!(thrown instanceof AppError)) throw thrown
      log.warn("What the files of the vectors have taken over could not be marked.", { code: thrown.code })
    }
    clearing = undefined
  }
  return {
    /** The places of a thousand changes at a time. */
    *take(): Generator<number[]> {
      const before = taken
      for (;;) {
        const changes = listChanges(db, taken, changes_at_once)
        if (changes.length === 0) break
        taken = changes.at(-1)!.seq
        yield [...new Set(changes.map(({ place }) => place))]
      }
      if (taken > before) clearing ??= clear(taken)
    },
    async cleared() {
      await clearing
      if (taken > 0) await clear(taken)
    },
  }
}

/** Answers the number of the set. */
function useEmbedder({ db }: Store, embedder: string, dim: number, created_ms: number): number {
  const sets = listSets(db)
  const known = sets.find((set) => set.embedder === embedder && set.dim === dim)
  for (const { id, state } of sets) if (state === "filling" && id !== known?.id) changeSet(db, id, "retired")
  const has_serving = sets.some(({ state }) => state === "serving")
  const state = has_serving ? "filling" : "serving"
  if (!known) return addSet(db, { embedder, dim, state, created_ms })
  if (known.state === "retired") changeSet(db, known.id, state)
  return known.id
}

async function retire(
  store: Store,
  id: number,
  collection: Collection | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (collection) closeCollection(collection, true)
  const step = () =>
    store.commit((db) => {
      // It may be wanted again.
      if (getSet(db, id)?.state !== "retired") return true
      return removeSetStep(db, id, removed_at_once)
    })
  while (!(await step())) await breathe(signal)
}

/** What cannot be written is checked at the next start. */
function close(store: Store, collection: Collection, log: Log): void {
  try {
    const row = getSet(store.db, collection.id)
    const is_clean = isTrusted(collection) && collection.kept_in === "files" && collection.work === "none"
    if (row && is_clean) {
      closeCleanly(collection, row)
      saveGraph(collection)
    }
    closeCollection(collection, false)
  } catch (thrown) {
    log.warn("The files of the vectors could not be closed; they are checked at the next start.", {
      set: collection.id,
      trace: toTrace(thrown),
    })
  }
}
