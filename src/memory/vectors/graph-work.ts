/** When there is a graph: opened where one was saved, else built, kept up with what is added, saved in the end. */
import { readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Log } from "../../base/log.ts"
import { readGraphHeader } from "../../kernel/vectors/graph-layout.ts"
import type { Region } from "../../kernel/vectors/kernel.ts"
import { breathe, type Pace } from "./background.ts"
import { type Collection, isTrusted } from "./collection.ts"
import { isCopy, remove, sizeOf } from "./flat.ts"
import {
  adopt,
  beUsable,
  countStale,
  dropGraph,
  linkSlots,
  matrixOf,
  nextUnlinked,
  nodesOf,
  removeNodes,
  staleNodes,
} from "./graph.ts"
import { type BuildShape, buildGraph, type Measured, recall_min } from "./graph-build.ts"
import { runGraphJob } from "./graph-thread.ts"

export type Graphing = {
  index: "auto" | "exact" | "hnsw"
  /** From so many hot and warm rows on, where it is "auto". */
  hnsw_rows_min: number
  library_folder: string | undefined
  pace: Pace
  log: Log
}

/** Below that many a graph finds nothing sooner, whoever wishes for one. */
const rows_min = 64
const removed_share_max = 0.4
/** Links that are mended when the bytes of their rows are gone are worse: 400 rows less 35 of 100 had a recall of .95. */
const stale_share_max = 0.1
const saved_share = 0.05
const nodes_at_once = 16

type Saved = { set_id: number; embedder: string; dim: number; seed: number; breadth: number; recall: number }

const savedOf = ({ id, embedder, shape, graph }: Collection, region: Region): Saved => ({
  set_id: id,
  embedder,
  dim: shape.dim,
  seed: readGraphHeader(region).seed,
  breadth: graph.breadth,
  recall: graph.recall,
})

export function wantsGraph({ graph, main }: Collection, { index, hnsw_rows_min }: Graphing): boolean {
  const rows = main.counts.hot + main.counts.warm
  if (index === "exact" || rows < (index === "hnsw" ? rows_min : hnsw_rows_min)) return false
  // What was refused is tried again when there is twice as much.
  if (!graph.region) return rows > 2 * graph.refused_at
  const { capacity } = readGraphHeader(graph.region)
  const nodes = nodesOf(graph)
  const stale = graph.is_usable ? 0 : countStale(graph, main)
  if (main.slots > capacity || stale > stale_share_max * nodes) return true
  return graph.removed + stale > removed_share_max * (nodes + graph.removed)
}

/** So much was removed from it that it is not searched until it was reconciled. */
export const isLeft = ({ graph }: Collection): boolean => graph.region !== undefined && !graph.is_usable

/** Opens the saved graph, or builds one while search goes on without; or reconciles one that was left. */
export async function makeGraph(
  collection: Collection,
  context: Graphing,
  signal: AbortSignal,
): Promise<void> {
  const { graph } = collection
  if (!isTrusted(collection)) return
  const [is_left, is_wanted] = [isLeft(collection), wantsGraph(collection, context)]
  if (!is_left && !is_wanted) return
  graph.building = true
  graph.progress = 0
  try {
    if (!is_wanted) {
      await reconcile(collection, context, signal)
      return
    }
    if (!graph.region && (await openSaved(collection, context, signal))) return
    await build(collection, context, signal)
  } finally {
    graph.building = false
  }
}

/** Links what the graph does not have yet. */
export async function linkRest(
  collection: Collection,
  { pace }: Graphing,
  signal: AbortSignal,
): Promise<void> {
  const { graph, main, shape } = collection
  for (let from = 0, begun = performance.now(); graph.is_usable && isTrusted(collection); ) {
    const slots = nextUnlinked(graph, main, from, nodes_at_once)
    if (slots.length === 0) return
    linkSlots(shape.kernel, graph, main, shape.dim, slots)
    from = slots.at(-1)! + 1
    if (performance.now() - begun < pace.slice_ms) continue
    await breathe(signal)
    begun = performance.now()
  }
}

async function openSaved(collection: Collection, context: Graphing, signal: AbortSignal): Promise<boolean> {
  const { folder, graph, kept_in, shape } = collection
  const path = join(folder, "graph")
  const saved = kept_in === "files" && sizeOf(path) > 0 ? readSaved(folder) : undefined
  const is_ours =
    saved?.set_id === collection.id && saved.embedder === collection.embedder && saved.dim === shape.dim
  if (!saved || !is_ours) return false
  const job = { kernel: shape.kernel.name, library_folder: context.library_folder, graph: path }
  const answer = await runGraphJob({ ...job, build: undefined, dim: shape.dim }, signal, () => undefined)
  if (answer.type !== "checked" || answer.fault !== undefined || answer.seed !== saved.seed) {
    context.log.warn("The saved graph of the vectors cannot be used; it is built anew.", {
      set: collection.id,
      fault: answer.type === "checked" ? answer.fault : undefined,
    })
    return false
  }
  if (!isTrusted(collection)) return false
  adopt(graph, collection.main, shape.kernel.map(path, { shared: false }), saved.breadth, saved.recall)
  await reconcile(collection, context, signal)
  return graph.is_usable
}

function readSaved(folder: string): Saved | undefined {
  const path = join(folder, "graph.json")
  if (sizeOf(path) === 0) return undefined
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Saved
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

async function build(collection: Collection, context: Graphing, signal: AbortSignal): Promise<void> {
  const { graph, main } = collection
  const rows = main.counts.hot + main.counts.warm
  const plan = planOf(collection)
  const made =
    collection.kept_in === "files"
      ? await buildInThread(collection, plan, context, signal)
      : await buildHere(collection, plan, context, signal)
  const { breadth, recall, graph_ms, exact_ms } = made.measured
  const is_slow = context.index === "auto" && graph_ms > exact_ms
  if (breadth === undefined || is_slow) {
    made.region[Symbol.dispose]()
    dropGraph(graph)
    removeSaved(collection)
    // Of rows that went while they were measured by, it says nothing: it is tried again.
    const is_less = main.counts.hot + main.counts.warm < rows - stale_share_max * rows
    graph.refused_at = is_less ? 0 : rows
    graph.recall = recall
    graph.reason =
      breadth === undefined
        ? `on a sample it finds ${recall.toFixed(3)} of the ten nearest, and ${recall_min} are asked for`
        : "on a sample it is no faster than looking at all rows"
    return
  }
  adopt(graph, main, made.region, breadth, recall)
  if (collection.kept_in === "files") writeSaved(collection, made.region)
  await reconcile(collection, context, signal)
}

/** Hash embeddings are hard for a graph: with 16 links it never finds .99 of them. */
function planOf({ embedder, id, main, shape, graph }: Collection): BuildShape {
  const [degree, breadth] = embedder.startsWith("hash:") ? [32, 400] : [16, 200]
  const capacity = Math.ceil(main.slots * 1.25) + 1024
  // Another with each build, by which a graph is known to belong to what is noted about it.
  const seed = (graph.region ? readGraphHeader(graph.region).seed : id * 1000) + 1
  return { dim: shape.dim, slots: main.slots, capacity, degree, breadth, seed }
}

type Made = { region: Region; measured: Measured }

async function buildInThread(
  collection: Collection,
  shape: BuildShape,
  { library_folder }: Graphing,
  signal: AbortSignal,
): Promise<Made> {
  const { folder, graph, main } = collection
  const { kernel } = collection.shape
  const [rows, i8, scales] = main.names.map((name) => join(folder, name))
  if (isCopy(kernel)) for (const file of main.files.slice(0, 3)) file.sync()
  const path = join(folder, "graph.new")
  const files = { rows: rows!, i8: i8!, scales: scales!, shape }
  const job = { kernel: kernel.name, library_folder, graph: path, build: files, dim: shape.dim }
  const answer = await runGraphJob(job, signal, (progress) => {
    graph.progress = progress
  })
  if (answer.type !== "built") throw new Error("a thread that builds a graph answers with one")
  renameSync(path, join(folder, "graph"))
  return { region: kernel.map(join(folder, "graph"), { shared: false }), measured: answer.measured }
}

/** Piece by piece, where there are no files that a thread could read. */
async function buildHere(
  { graph, main, shape }: Collection,
  plan: BuildShape,
  { pace }: Graphing,
  signal: AbortSignal,
): Promise<Made> {
  const { kernel, dim } = shape
  const region = kernel.allocate(kernel.graphBytes(plan.capacity, plan.degree))
  const steps = buildGraph(kernel, region, { ...matrixOf(main, dim), records: main.files[0]!.region }, plan)
  for (let begun = performance.now(); ; ) {
    const { done, value } = steps.next()
    if (done) return { region, measured: value }
    graph.progress = value
    if (performance.now() - begun < pace.slice_ms) continue
    await breathe(signal)
    begun = performance.now()
  }
}

/** Takes out what is no longer the row that it was linked as; then it is searched. */
async function reconcile(collection: Collection, { pace }: Graphing, signal: AbortSignal): Promise<void> {
  const { graph, main, shape } = collection
  graph.is_stale = false
  for (let from = 0, begun = performance.now(); graph.region; ) {
    const stale = staleNodes(graph, main, from, nodes_at_once)
    if (stale.length === 0 && graph.is_stale) {
      // Rows changed behind it.
      graph.is_stale = false
      from = 0
      continue
    }
    if (stale.length === 0) {
      beUsable(graph)
      return
    }
    removeNodes(shape.kernel, graph, matrixOf(main, shape.dim), stale)
    from = stale.at(-1)!
    if (performance.now() - begun < pace.slice_ms) continue
    await breathe(signal)
    begun = performance.now()
  }
}

function writeSaved(collection: Collection, region: Region): void {
  const path = join(collection.folder, "graph.json")
  writeFileSync(`${path}.new`, JSON.stringify(savedOf(collection, region)), { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
}

export function removeSaved({ folder, kept_in }: Collection): void {
  if (kept_in !== "files") return
  for (const name of ["graph", "graph.json", "graph.new"]) remove(join(folder, name))
}

/** What has changed little is reconciled by its keys when it is opened. */
export function saveGraph(collection: Collection): void {
  const { folder, graph, kept_in } = collection
  if (kept_in !== "files") return
  const path = join(folder, "graph")
  if (!graph.region) {
    if (graph.refused_at > 0)
      for (const name of ["graph", "graph.json", "graph.new"]) remove(join(folder, name))
    return
  }
  if (graph.changed <= saved_share * nodesOf(graph)) return
  writeFileSync(`${path}.new`, graph.region.bytes, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
}
