/** Rotated bits in TypeScript: made from floats, and searched by the number of differing ones. */
import { type Found, type Region, wordsOf } from "./kernel.ts"
import { isAllowed, newHeap, putBest, toFound } from "./reference-scan.ts"

const round = Math.fround

export function binarise(
  rows: Float32Array,
  n: number,
  dim: number,
  mean: Float32Array | undefined,
  seed: number,
): BigUint64Array {
  const words = wordsOf(dim)
  // The halves of its words are written, low half first, on machines with the low byte first.
  const bits = new BigUint64Array(n * words)
  const halves = new Uint32Array(bits.buffer)
  const work = new Float32Array(words * 64)
  for (let row = 0; row < n; row++) {
    work.fill(0)
    for (let i = 0; i < dim; i++) {
      const value = round(rows[row * dim + i]! - (mean?.[i] ?? 0))
      work[i] = signOf(seed, i) ? -value : value
    }
    rotate(work)
    for (let i = 0; i < work.length; i++)
      if (work[i]! > 0) halves[row * words * 2 + (i >> 5)]! |= 1 << (i & 31)
  }
  return bits
}

/** Whether element i changes its sign. The mix is "lowbias32" of Wellons. */
function signOf(seed: number, i: number): boolean {
  let x = (seed + Math.imul(i, 0x9e3779b9)) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return ((x ^ (x >>> 16)) & 1) === 1
}

/** Walsh-Hadamard, in place and not scaled, as only signs are looked at. */
function rotate(work: Float32Array): void {
  for (let width = 1; width < work.length; width *= 2)
    for (let start = 0; start < work.length; start += 2 * width)
      for (let i = start; i < start + width; i++) {
        const a = work[i]!
        const b = work[i + width]!
        work[i] = a + b
        work[i + width] = a - b
      }
}

export function scanBits(
  query: BigUint64Array,
  rows: Region,
  n: number,
  words: number,
  allow: Uint8Array | undefined,
  k: number,
): Found {
  const wanted = new Uint32Array(query.buffer, query.byteOffset, words * 2)
  const { bytes } = rows
  const values = new Uint32Array(bytes.buffer, bytes.byteOffset, n * words * 2)
  const heap = newHeap(k)
  for (let row = 0; row < n; row++) {
    if (!isAllowed(allow, row)) continue
    let differing = 0
    for (let i = 0; i < words * 2; i++) differing += onesOf(wanted[i]! ^ values[row * words * 2 + i]!)
    // No negative zero: the C subtracts from zero.
    putBest(heap, 0 - differing, row)
  }
  return toFound(heap)
}

function onesOf(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
