/** The graph over the hot and warm rows of a set. It has links only; the rows are the part's. */
import { assert } from "../../base/errors.ts"
import { breadth_max } from "../../kernel/vectors/checks.ts"
import { readGraphHeader } from "../../kernel/vectors/graph-layout.ts"
import type { Bytes, Found, Region, VectorKernel } from "../../kernel/vectors/kernel.ts"
import { idAt, type Part, record_words, wordsOfRecords } from "./part.ts"

export type Graph = {
  region: Region | undefined
  /** Whether it is searched. While it is not, nothing is removed from it, and it is reconciled before it is. */
  is_usable: boolean
  /** Whether rows of it changed that were left in it. */
  is_stale: boolean
  /** Nodes that were to be removed since all changes were taken over last. */
  unlinking: number
  building: boolean
  progress: number
  breadth: number
  recall: number
  /** Slots that are in it, as `allow` has them. */
  linked: Uint8Array
  /** Nodes that were added or removed since it was saved; and removed since it was built. */
  changed: number
  removed: number
  reason: string | undefined
  /** How many rows there were when it was refused. */
  refused_at: number
}

export const noGraph = (): Graph => ({
  region: undefined,
  is_usable: false,
  is_stale: false,
  unlinking: 0,
  building: false,
  progress: 0,
  breadth: 0,
  recall: 0,
  linked: new Uint8Array(0),
  changed: 0,
  removed: 0,
  reason: undefined,
  refused_at: 0,
})

export const matrixOf = (part: Part, dim: number): Bytes => ({
  rows: part.files[1]!.region,
  scales: part.files[2]!.region,
  dim,
})

/** By memory ids: node i is slot i. */
export function keysOf(region: Region): Uint32Array {
  const { bytes } = region
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = Number(view.getBigUint64(14 * 4, true))
  return new Uint32Array(bytes.buffer, bytes.byteOffset + at, readGraphHeader(region).capacity)
}

export const nodesOf = ({ region }: Graph): number => (region ? readGraphHeader(region).live : 0)

/** Rows that are to be searched beside it. */
export const unlinkedOf = (graph: Graph, part: Part): number =>
  part.counts.hot + part.counts.warm - nodesOf(graph)

/** Takes over a graph that was built or saved, which is to be reconciled. */
export function adopt(graph: Graph, part: Part, region: Region, breadth: number, recall: number): void {
  dropGraph(graph)
  const { count } = readGraphHeader(region)
  for (const [i, file] of part.files.entries()) if (i < 3) file.reserve(count * part.widths[i]!)
  Object.assign(graph, { region, breadth, recall, removed: 0, changed: 0, reason: undefined })
}

export function dropGraph(graph: Graph): void {
  graph.region?.[Symbol.dispose]()
  Object.assign(graph, { region: undefined, is_usable: false, linked: new Uint8Array(0) })
}

/** Nodes from a slot on whose key is not the row's: rows were removed or replaced while the graph was away. */
export function staleNodes(graph: Graph, part: Part, from: number, limit: number): Uint32Array {
  const [keys, words] = [keysOf(graph.region!), wordsOfRecords(part)]
  const found: number[] = []
  for (let slot = from; slot < keys.length && found.length < limit; slot++) {
    const id = slot < part.slots ? words[slot * record_words] : 0
    if (keys[slot] !== 0 && keys[slot] !== id) found.push(slot)
  }
  return Uint32Array.from(found)
}

export function removeNodes(kernel: VectorKernel, graph: Graph, matrix: Bytes, nodes: Uint32Array): void {
  const removed = kernel.graphRemove(graph.region!, matrix, nodes)
  graph.removed += removed
  graph.changed += removed
}

export function countStale(graph: Graph, part: Part): number {
  const [keys, words] = [keysOf(graph.region!), wordsOfRecords(part)]
  let count = 0
  for (let slot = 0; slot < keys.length; slot++)
    if (keys[slot] !== 0 && keys[slot] !== (slot < part.slots ? words[slot * record_words] : 0)) count++
  return count
}

/** Nothing of it is stale any more: from now on it is searched. */
export function beUsable(graph: Graph): void {
  const keys = keysOf(graph.region!)
  graph.linked = new Uint8Array(Math.ceil(keys.length / 64) * 8)
  for (let slot = 0; slot < keys.length; slot++)
    if (keys[slot] !== 0) graph.linked[slot >> 3]! |= 1 << (slot & 7)
  graph.is_usable = true
}

/**
 * Before these slots change: the bytes of their rows must still be there. It takes up to .4 ms a node, so where they are
 * many the graph is not searched until it was reconciled in the background.
 */
export function unlinkSlots(
  kernel: VectorKernel,
  graph: Graph,
  part: Part,
  dim: number,
  slots: number[],
  unlinked_max: number,
): void {
  if (!graph.region) return
  const keys = keysOf(graph.region)
  const nodes = slots.filter((slot) => slot < keys.length && keys[slot] !== 0)
  if (nodes.length === 0) return
  graph.unlinking += nodes.length
  if (!graph.is_usable || graph.unlinking > unlinked_max) {
    Object.assign(graph, { is_usable: false, is_stale: true, linked: new Uint8Array(0) })
    return
  }
  removeNodes(kernel, graph, matrixOf(part, dim), Uint32Array.from(nodes))
  for (const slot of nodes) graph.linked[slot >> 3]! &= ~(1 << (slot & 7))
}

/** The next rows that are not in it, from a slot on. */
export function nextUnlinked(graph: Graph, part: Part, from: number, limit: number): number[] {
  const words = wordsOfRecords(part)
  const end = Math.min(part.slots, graph.linked.length * 8, readGraphHeader(graph.region!).capacity)
  const found: number[] = []
  for (let slot = from; slot < end && found.length < limit; slot++)
    if (words[slot * record_words] !== 0 && (graph.linked[slot >> 3]! & (1 << (slot & 7))) === 0)
      found.push(slot)
  return found
}

export function linkSlots(
  kernel: VectorKernel,
  graph: Graph,
  part: Part,
  dim: number,
  slots: number[],
): void {
  const keys = Uint32Array.from(slots, (slot) => idAt(part, slot))
  const count = kernel.graphInsert(graph.region!, matrixOf(part, dim), Uint32Array.from(slots), keys)
  assert(count === slots.length, "the graph has room for what is linked")
  for (const slot of slots) graph.linked[slot >> 3]! |= 1 << (slot & 7)
  graph.changed += count
}

/** Undefined where it finds fewer than there must be. */
export function searchGraph(
  kernel: VectorKernel,
  graph: Graph,
  part: Part,
  query: Float32Array,
  k: number,
  allow: Uint8Array | undefined,
  expected: number,
): Found | undefined {
  const breadth = Math.min(breadth_max, Math.max(graph.breadth, k))
  const found = kernel.graphSearch(
    graph.region!,
    matrixOf(part, query.length),
    query,
    Math.min(k, breadth),
    breadth,
    allow,
  )
  return found.ids.length < Math.min(k, expected) ? undefined : found
}

/** Rows the graph does not have, of those that are allowed. */
export function unlinkedAmong(graph: Graph, allow: Uint8Array): Uint8Array {
  const rest = allow.slice()
  const [words, linked] = [new Uint32Array(rest.buffer), new Uint32Array(graph.linked.buffer)]
  for (let i = 0; i < Math.min(words.length, linked.length); i++) words[i]! &= ~linked[i]!
  return rest
}
