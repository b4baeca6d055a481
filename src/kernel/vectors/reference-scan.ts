/** The exact scans in TypeScript: what the C computes, bit for bit. */
import { type Bytes, type Found, type Region, strideOf } from "./kernel.ts"

export type Heap = { ids: Uint32Array; scores: Float32Array; count: number; k: number }

const round = Math.fround
const lanes = 32

export const newHeap = (k: number): Heap => ({
  ids: new Uint32Array(k),
  scores: new Float32Array(k),
  count: 0,
  k,
})

/** Views of a region's bytes, which begin at a multiple of 8 or in an array of their own. */
export const floatsOf = ({ bytes }: Region, count: number): Float32Array<ArrayBuffer> =>
  new Float32Array(bytes.buffer, bytes.byteOffset, count)
export const bytesOf = ({ bytes }: Region): Int8Array<ArrayBuffer> =>
  new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
export const wordsIn = ({ bytes }: Region, count: number): Uint32Array<ArrayBuffer> =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, count)

/** The sum of 32 lanes, added by halves. Every step is rounded to a float, as the C has no others. */
export function dotFloats(a: Float32Array, b: Float32Array, b_at: number, dim: number): number {
  const sums = new Float32Array(lanes)
  for (let i = 0; i < dim; i++) sums[i % lanes]! += round(a[i]! * b[b_at + i]!)
  for (let width = lanes / 2; width > 0; width >>= 1)
    for (let lane = 0; lane < width; lane++) sums[lane]! += sums[lane + width]!
  return sums[0]!
}

/** Whole groups of 32, as rows are filled up with zeros. Four sums are twice as fast as one. */
export function dotBytes(a: Int8Array, a_at: number, b: Int8Array, b_at: number, dim: number): number {
  let first = 0
  let second = 0
  let third = 0
  let fourth = 0
  for (let i = 0; i < dim; i += 4) {
    first = (first + a[a_at + i]! * b[b_at + i]!) | 0
    second = (second + a[a_at + i + 1]! * b[b_at + i + 1]!) | 0
    third = (third + a[a_at + i + 2]! * b[b_at + i + 2]!) | 0
    fourth = (fourth + a[a_at + i + 3]! * b[b_at + i + 3]!) | 0
  }
  return first + second + third + fourth
}

/** The score of two int8 rows from the sum of their products. */
export const scaled = (dot: number, a_scale: number, b_scale: number): number =>
  round(round(dot) * round(a_scale * b_scale))

/** A row with a smaller scale would have an infinite inverse, and is zero. */
const scale_min = 2 ** -126

export function quantiseRow(
  row: Float32Array,
  row_at: number,
  dim: number,
  to: Int8Array,
  to_at: number,
): number {
  let largest = 0
  for (let i = 0; i < dim; i++) largest = Math.max(largest, Math.abs(row[row_at + i]!))
  const scale = round(largest / 127)
  if (scale < scale_min) {
    to.fill(0, to_at, to_at + dim)
    return 0
  }
  const inverse = round(127 / largest)
  for (let i = 0; i < dim; i++) {
    const x = round(row[row_at + i]! * inverse)
    to[to_at + i] = Math.trunc(round(x + (x < 0 ? -0.5 : 0.5)))
  }
  return scale
}

export function quantise(
  rows: Float32Array,
  n: number,
  dim: number,
): { bytes: Int8Array; scales: Float32Array } {
  const stride = strideOf(dim)
  const bytes = new Int8Array(n * stride)
  const scales = new Float32Array(n)
  for (let row = 0; row < n; row++) scales[row] = quantiseRow(rows, row * dim, dim, bytes, row * stride)
  return { bytes, scales }
}

export const isAllowed = (allow: Uint8Array | undefined, row: number): boolean =>
  allow === undefined || ((allow[row >>> 3]! >> (row & 7)) & 1) === 1

export function scanF32(
  query: Float32Array,
  rows: Region,
  n: number,
  allow: Uint8Array | undefined,
  k: number,
): Found {
  const dim = query.length
  const values = floatsOf(rows, n * dim)
  const heap = newHeap(k)
  for (let row = 0; row < n; row++)
    if (isAllowed(allow, row)) putBest(heap, dotFloats(query, values, row * dim, dim), row)
  return toFound(heap)
}

export function scanMany(
  queries: Float32Array,
  count: number,
  matrix: Bytes,
  n: number,
  allow: Uint8Array | undefined,
  k: number,
): Found[] {
  const { dim } = matrix
  const stride = strideOf(dim)
  const { bytes, scales } = quantise(queries, count, dim)
  const values = bytesOf(matrix.rows)
  const row_scales = floatsOf(matrix.scales, n)
  return Array.from({ length: count }, (_, query) => {
    const heap = newHeap(k)
    for (let row = 0; row < n; row++) {
      if (!isAllowed(allow, row)) continue
      const dot = dotBytes(bytes, query * stride, values, row * stride, dim)
      putBest(heap, scaled(dot, scales[query]!, row_scales[row]!), row)
    }
    return toFound(heap)
  })
}

export function rerank(query: Float32Array, rows: Region, from: Uint32Array, k: number): Found {
  const dim = query.length
  const values = floatsOf(rows, Math.floor(rows.bytes.length / 4))
  const heap = newHeap(k)
  for (const row of from) putBest(heap, dotFloats(query, values, row * dim, dim), row)
  return toFound(heap)
}

const isWorse = (a: number, a_id: number, b: number, b_id: number): boolean =>
  a < b || (a === b && a_id > b_id)

/** A heap whose root is the worst that is kept. */
export function putBest(heap: Heap, score: number, id: number): void {
  const { ids, scores, k } = heap
  if (heap.count < k) {
    let at = heap.count++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isWorse(score, id, scores[parent]!, ids[parent]!)) break
      scores[at] = scores[parent]!
      ids[at] = ids[parent]!
      at = parent
    }
    scores[at] = score
    ids[at] = id
    return
  }
  if (isWorse(scores[0]!, ids[0]!, score, id)) sink(heap, heap.count, score, id)
}

/** Puts an entry at the root and lets it sink to its place within the first `count`. */
function sink({ ids, scores }: Heap, count: number, score: number, id: number): void {
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= count) break
    if (child + 1 < count && isWorse(scores[child + 1]!, ids[child + 1]!, scores[child]!, ids[child]!))
      child++
    if (!isWorse(scores[child]!, ids[child]!, score, id)) break
    scores[at] = scores[child]!
    ids[at] = ids[child]!
    at = child
  }
  scores[at] = score
  ids[at] = id
}

/** Sorts, best first. */
export function toFound(heap: Heap): Found {
  const { ids, scores, count } = heap
  for (let last = count - 1; last > 0; last--) {
    const score = scores[last]!
    const id = ids[last]!
    scores[last] = scores[0]!
    ids[last] = ids[0]!
    sink(heap, last, score, id)
  }
  return { ids: ids.slice(0, count), scores: scores.slice(0, count) }
}
