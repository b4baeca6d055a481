/** Walks through a graph: native/graph-search.h in TypeScript. */
import { type Bytes, type Found, strideOf } from "./kernel.ts"
import { at, type Graph, isLinked, linksOf, nextOf } from "./reference-graph.ts"
import {
  bytesOf,
  dotBytes,
  floatsOf,
  type Heap,
  isAllowed,
  newHeap,
  putBest,
  quantiseRow,
  scaled,
  toFound,
} from "./reference-scan.ts"

/** Rows with their scales, as one side or both of a product. */
export type Rows = { bytes: Int8Array; scales: Float32Array; stride: number }
/** One row of them as the other side. */
export type Query = { bytes: Int8Array; from: number; scale: number }

/** Nodes with their scores, best first, the lower node of two equals. */
export type Near = { node: number; score: number; is_followed: boolean }[]

const breadth_max = 4096
/** A walk scores about as many rows as this times its breadth: where no more are allowed, all of them are. */
const scored_of_breadth = 16

export function rowsOf({ rows, scales, dim }: Bytes): Rows {
  const n = Math.floor(scales.bytes.length / 4)
  return { bytes: bytesOf(rows), scales: floatsOf(scales, n), stride: strideOf(dim) }
}

export const queryOf = ({ bytes, scales, stride }: Rows, node: number): Query => ({
  bytes,
  from: node * stride,
  scale: scales[node]!,
})

export function scoreOf(query: Query, { bytes, scales, stride }: Rows, node: number): number {
  return scaled(dotBytes(query.bytes, query.from, bytes, node * stride, stride), query.scale, scales[node]!)
}

/** Puts one in its place, of at most `breadth`. Returns the place. */
export function insertNear(near: Near, breadth: number, score: number, node: number): number {
  let low = 0
  let high = near.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = near[middle]!
    if (other.score > score || (other.score === score && other.node < node)) low = middle + 1
    else high = middle
  }
  if (near.length === breadth) near.pop()
  near.splice(low, 0, { node, score, is_followed: false })
  return low
}

type Finding = { heap: Heap; allow: Uint8Array | undefined }

/** With the rows that equal it. */
function find({ heap, allow }: Finding, graph: Graph, node: number, score: number): void {
  if (!isLinked(graph, node)) return
  let twin = node
  do {
    if (graph.keys[twin] !== 0 && isAllowed(allow, twin)) putBest(heap, score, twin)
    twin = graph.base[nextOf(graph, twin)]!
  } while (twin !== node)
}

/**
 * The nodes near the query on one level: from the best that was not followed yet until there is no other. `visited` are
 * never scored.
 */
export function walk(
  graph: Graph,
  rows: Rows,
  query: Query,
  start: number,
  level: number,
  breadth: number,
  visited: Set<number>,
  finding?: Finding,
): Near {
  const first = scoreOf(query, rows, start)
  visited.add(start)
  const pool: Near = [{ node: start, score: first, is_followed: false }]
  if (finding) find(finding, graph, start, first)
  for (let next = 0; ; ) {
    while (pool[next]?.is_followed) next++
    const followed = pool[next]
    if (!followed) return pool
    followed.is_followed = true
    const list = linksOf(graph, followed.node, level)
    for (let i = 1; list && i <= list[0]!; i++) {
      const node = list[i]!
      if (visited.has(node)) continue
      visited.add(node)
      const score = scoreOf(query, rows, node)
      if (finding && (finding.heap.count < finding.heap.k || score >= finding.heap.scores[0]!))
        find(finding, graph, node, score)
      if (pool.length === breadth && score <= pool[breadth - 1]!.score) continue
      next = Math.min(next, insertNear(pool, breadth, score, node))
    }
  }
}

/** The best node that can be reached by steps to a better one on the levels above `level`. */
export function descend(graph: Graph, rows: Rows, query: Query, level: number): number {
  let node = graph.head[at.entry]!
  let best = scoreOf(query, rows, node)
  for (let height = graph.head[at.top]!; height > level; height--) {
    for (let moved = true; moved; ) {
      moved = false
      const list = linksOf(graph, node, height)
      for (let i = 1; list && i <= list[0]!; i++) {
        const score = scoreOf(query, rows, list[i]!)
        if (!(score > best)) continue
        best = score
        node = list[i]!
        moved = true
      }
    }
  }
  return node
}

export function graphSearch(
  graph: Graph,
  matrix: Bytes,
  vector: Float32Array,
  k: number,
  breadth: number,
  allow: Uint8Array | undefined,
): Found {
  const heap = newHeap(k)
  const finding = { heap, allow }
  const { head, keys } = graph
  if (head[at.live] === 0) return toFound(heap)
  const rows = rowsOf(matrix)
  const bytes = new Int8Array(rows.stride)
  const query = { bytes, from: 0, scale: quantiseRow(vector, 0, matrix.dim, bytes, 0) }
  let wide = breadth
  if (allow) {
    const nodes = allowedNodes(allow, head[at.count]!)
    if (nodes.length <= scored_of_breadth * breadth) {
      for (const node of nodes) if (keys[node] !== 0) putBest(heap, scoreOf(query, rows, node), node)
      return toFound(heap)
    }
    wide = Math.min(breadth_max, Math.floor((breadth * head[at.count]!) / nodes.length))
  }
  const start = descend(graph, rows, query, 0)
  if (!allow) {
    for (const { node, score } of walk(graph, rows, query, start, 0, breadth, new Set())) {
      if (heap.count === k) break
      find(finding, graph, node, score)
    }
    if (heap.count === Math.min(k, head[at.live]!)) return toFound(heap)
    // What was removed took the room of others.
    heap.count = 0
  }
  walk(graph, rows, query, start, 0, wide, new Set(), finding)
  if (heap.count === Math.min(k, head[at.live]!)) return toFound(heap)
  // Nor do links lead everywhere where most was removed.
  heap.count = 0
  for (let node = 0; node < head[at.count]!; node++)
    if (isAllowed(allow, node) && keys[node] !== 0) putBest(heap, scoreOf(query, rows, node), node)
  return toFound(heap)
}

function allowedNodes(allow: Uint8Array, count: number): number[] {
  const nodes: number[] = []
  for (let node = 0; node < count; node++) if (isAllowed(allow, node)) nodes.push(node)
  return nodes
}
