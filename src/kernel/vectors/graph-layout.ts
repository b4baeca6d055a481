/** The header of a graph, as native/kernel.h declares it, and what every engine asserts about one. */
import { assert } from "../../base/errors.ts"
import { bitmapBytes, breadth_max, checkDim, k_max } from "./checks.ts"
import { type Bytes, type GraphShape, type Region, strideOf } from "./kernel.ts"

/** The fields of 32 bits by their numbers. */
export const graph_fields = [
  "magic",
  "version",
  "capacity",
  "dim",
  "degree",
  "breadth",
  "count",
  "live",
  "entry",
  "top",
  "seed",
  "upper_used",
  "upper_capacity",
] as const

export type GraphHeader = Record<(typeof graph_fields)[number], number>

export const graph_header_bytes = 14 * 4 + 6 * 8

export function readGraphHeader({ bytes }: Region): GraphHeader {
  assert(bytes.length >= graph_header_bytes, "a graph has a header")
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, graph_fields.length)
  return Object.fromEntries(graph_fields.map((name, index) => [name, words[index]])) as GraphHeader
}

export function checkShape({ capacity, dim, degree, breadth }: GraphShape): void {
  checkDim(dim)
  checkCapacity(capacity, degree)
  assert(Number.isInteger(breadth) && breadth >= 1 && breadth <= breadth_max, "a breadth is 1 to 4096")
}

export function checkCapacity(capacity: number, degree: number): void {
  assert(Number.isInteger(capacity) && capacity >= 1 && capacity < 2 ** 31, "a graph has room for nodes")
  assert(Number.isInteger(degree) && degree >= 2 && degree <= 64, "a node has 2 to 64 links")
}

/** For whoever looks at rows up to `n`. */
export function checkMatrix(graph: Region, { rows, scales, dim }: Bytes, n: number): GraphHeader {
  const header = readGraphHeader(graph)
  assert(header.dim === dim, "a graph and its rows have one dimension")
  assert(n * strideOf(dim) <= rows.bytes.length && n * 4 <= scales.bytes.length, "every node is a row")
  return header
}

export function checkNodes(graph: Region, matrix: Bytes, nodes: Uint32Array): void {
  const header = checkMatrix(graph, matrix, 0)
  let n = header.count
  for (const node of nodes) if (node < header.capacity) n = Math.max(n, node + 1)
  checkMatrix(graph, matrix, n)
}

export function checkGraphSearch(
  graph: Region,
  matrix: Bytes,
  query: Float32Array,
  k: number,
  breadth: number,
  allow: Uint8Array | undefined,
): void {
  const { count } = readGraphHeader(graph)
  checkMatrix(graph, matrix, count)
  assert(query.length === matrix.dim, "one query")
  assert(Number.isInteger(k) && k >= 1 && k <= k_max, "1 to 65536 results are asked for")
  assert(Number.isInteger(breadth) && breadth >= k && breadth <= breadth_max, "a breadth is k to 4096")
  assert(allow === undefined || allow.length >= bitmapBytes(count), "the bitmap is as long as the graph")
}

export function checkCopy(from: Region, moved: Uint32Array | undefined): void {
  assert(moved === undefined || moved.length >= readGraphHeader(from).count, "every node has a place")
}
