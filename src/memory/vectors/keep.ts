/** Keeps the open sets up with SQLite: at once what was committed, in the background what that asks for. */
import { toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import type { VectorKernel } from "../../kernel/vectors/kernel.ts"
import type { Store } from "../../store/open.ts"
import { fromPlace, getSet, listSets } from "../../store/vectors.ts"
import type { Allowed } from "./allowed.ts"
import { applyPlaces } from "./apply.ts"
import { type Background, breathe, type Pace } from "./background.ts"
import { type Collection, closeCleanly, closeCollection, isTrusted, openCollection } from "./collection.ts"
import { removeSet } from "./embedders.ts"
import { unlinkedOf } from "./graph.ts"
import {
  type Graphing,
  isLeft,
  linkRest,
  makeGraph,
  removeSaved,
  saveGraph,
  wantsGraph,
} from "./graph-work.ts"
import type { Journal } from "./journal.ts"
import { rebuild, recover } from "./rebuild.ts"
import { isOverfull, type TierSettings, tendTiers } from "./tiers.ts"

export type Keeping = {
  store: Store
  kernel: VectorKernel
  folder: string
  log: Log
  pace: Pace
  now_ms(): number
  background: Background
  journal: Journal
  graphing: Graphing
  tiers: TierSettings
  /** By their numbers. */
  open: Map<number, Collection>
  /** Of which rows were taken over, since all was. */
  touched: Set<Collection>
  remembered: Map<string, Allowed>
  /** See `settle`. */
  settle(): boolean
}

type Work = (collection: Collection, keeping: Keeping, signal: AbortSignal) => Promise<void>

const works = {
  recover,
  async rebuild(collection, keeping, signal) {
    collection.rebuilt_because = "it was asked for"
    removeSaved(collection)
    await rebuild(collection, keeping, signal)
  },
  graph: (collection, { graphing }, signal) => makeGraph(collection, graphing, signal),
  link: (collection, { graphing }, signal) => linkRest(collection, graphing, signal),
  tiers: tendTiers,
} as const satisfies Record<string, Work>

/** In the background. Nothing is done for a set that was closed meanwhile. */
export function startWork(keeping: Keeping, collection: Collection, name: keyof typeof works): void {
  keeping.background.start(`${name} ${collection.id}`, async (signal) => {
    if (keeping.open.get(collection.id) !== collection) return
    await works[name](collection, keeping, signal)
    if (name === "recover" || name === "rebuild" || name === "graph") follow(keeping, collection)
  })
}

/** What a set asks for as it is now. */
function follow(keeping: Keeping, collection: Collection): void {
  if (collection.work === "checking" || collection.work === "rebuilding") return
  if (!isTrusted(collection)) return
  const { graph, main } = collection
  if (isLeft(collection) || wantsGraph(collection, keeping.graphing)) startWork(keeping, collection, "graph")
  if (graph.is_usable && unlinkedOf(graph, main) > 0) startWork(keeping, collection, "link")
  if (isOverfull(collection, keeping.tiers)) startWork(keeping, collection, "tiers")
}

/**
 * Takes over what was committed, for as long as a slice, and answers whether there is more, for which the caller lets
 * others have their turn. Where there is none, files and graph are as SQLite is until then.
 */
export function settle(keeping: Keeping): boolean {
  const { journal, open, pace, touched } = keeping
  const until = performance.now() + pace.slice_ms
  while (journal.take(2 * pace.rows_at_once, (places) => applyAll(keeping, places)))
    if (performance.now() >= until) return true
  for (const collection of touched) {
    collection.graph.unlinking = 0
    // Not before: a graph that is built while many rows go is measured by rows that are gone.
    if (open.get(collection.id) === collection) follow(keeping, collection)
  }
  touched.clear()
  return false
}

function applyAll(keeping: Keeping, places: readonly number[]): void {
  const { log, open, pace, store, touched } = keeping
  for (const [id, collection] of open) {
    const own = places.filter((place) => fromPlace(place).set_id === id)
    if (own.length === 0) continue
    applyPlaces(collection, store.db, own, pace.rows_at_once, log)
    touched.add(collection)
  }
}

export async function settleAll(keeping: Keeping): Promise<void> {
  while (keeping.settle()) await breathe()
}

/** Opens the sets that there are now, and gives up those that are retired. */
export function takeSets(keeping: Keeping): void {
  const { background, folder, kernel, log, open, remembered, store } = keeping
  remembered.clear()
  const opened: Collection[] = []
  for (const row of listSets(store.db)) {
    const collection = open.get(row.id)
    if (row.state === "retired") {
      open.delete(row.id)
      background.start(`retire ${row.id}`, async (signal) => {
        if (collection) closeCollection(collection, true)
        await removeSet(store, row.id, () => settleAll(keeping), signal)
      })
    } else if (collection) collection.state = row.state
    else opened.push(openCollection(kernel, store.db, folder, row, log))
  }
  for (const collection of opened) open.set(collection.id, collection)
  if (keeping.settle()) background.start("settle", () => settleAll(keeping))
  for (const collection of opened) {
    if (collection.work === "none") follow(keeping, collection)
    else startWork(keeping, collection, "recover")
  }
}

/** What cannot be written is checked at the next start. */
export function closeSet({ store, log }: Keeping, collection: Collection): void {
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
