/** What fast-check makes for the kernel: matrices whose rows tie, bitmaps, regions with what they hold. */
import fc from "fast-check"
import { bitmapBytes } from "../../../src/kernel/vectors/checks.ts"
import type { Bytes, Region, VectorKernel } from "../../../src/kernel/vectors/kernel.ts"

/** Those around a group of 32, a vector of 16 and a word; the bounds; and any. */
export const dims = fc.oneof(
  fc.constantFrom(1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 384, 1000, 4095, 4096),
  fc.integer({ min: 1, max: 200 }),
)

export type Matrix = { n: number; dim: number; values: Float32Array<ArrayBuffer> }

/**
 * Rows from few numbers, so that scores tie, from many, or from numbers of very different sizes, whose sums depend on
 * their order. `n` is small where rows are long.
 */
export const matrices: fc.Arbitrary<Matrix> = dims.chain((dim) =>
  fc
    .record({
      n: fc.oneof(fc.constantFrom(0, 1, 63, 64, 65), fc.integer({ min: 0, max: 200 })),
      seed: fc.integer(),
      kind: fc.constantFrom("few", "even", "wide", "zero", "tiny"),
    })
    .map(({ n, seed, kind }) => {
      const rows = dim > 500 ? n % 20 : n
      return { n: rows, dim, values: numbers(rows * dim, seed, kind) }
    }),
)

export function numbers(count: number, seed: number, kind: string): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count)
  const next = randomOf(seed)
  for (let i = 0; i < count; i++) {
    const even = next() * 2 - 1
    if (kind === "few") values[i] = Math.round(even * 2)
    else if (kind === "even") values[i] = even
    else if (kind === "wide") values[i] = even * 2 ** Math.floor(next() * 60 - 30)
    else if (kind === "tiny") values[i] = even * 2 ** Math.floor(-118 - next() * 30)
  }
  return values
}

/** Mulberry32: even numbers from 0 to 1. */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The same numbers within a longer buffer, so that they begin at no multiple of a vector's length. */
export function shifted<T extends Float32Array | Uint8Array>(values: T, by: number): T {
  const elements = Math.abs(by) % 17
  const size = values.BYTES_PER_ELEMENT
  const buffer = new ArrayBuffer(values.byteLength + (elements + 3) * size)
  new Uint8Array(buffer).fill(0xff)
  const bytes = new Uint8Array(buffer, elements * size, values.byteLength)
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  const view =
    values instanceof Float32Array ? new Float32Array(buffer, elements * size, values.length) : bytes
  return view as T
}

/** Undefined, none, all, or a share of n rows; the bits beyond the last row are zero. */
export function bitmapOf(n: number, share: number | undefined, seed: number): Uint8Array | undefined {
  if (share === undefined) return undefined
  const allow = new Uint8Array(bitmapBytes(n))
  const next = randomOf(seed)
  for (let row = 0; row < n; row++) if (next() < share) allow[row >> 3]! |= 1 << (row & 7)
  return shifted(allow, seed)
}

export const shares = fc.constantFrom(undefined, 0, 0.02, 0.2, 0.5, 1)
export const limits = fc.oneof(fc.constantFrom(1, 2, 10, 300), fc.integer({ min: 1, max: 64 }))

export function regionOf(kernel: VectorKernel, values: ArrayBufferView<ArrayBuffer>): Region {
  const region = kernel.allocate(values.byteLength)
  region.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return region
}

/** The same matrix as int8. */
export function bytesOf(kernel: VectorKernel, { dim, values }: Matrix): Bytes & Disposable {
  const { bytes, scales } = kernel.quantise(values, dim)
  const rows = regionOf(kernel, bytes as Int8Array<ArrayBuffer>)
  const own = regionOf(kernel, scales as Float32Array<ArrayBuffer>)
  return {
    rows,
    scales: own,
    dim,
    [Symbol.dispose]() {
      rows[Symbol.dispose]()
      own[Symbol.dispose]()
    },
  }
}

/** Bits, not values: 0 and -0 differ, and so do two NaN. */
export const bitsOf = (values: ArrayBufferView): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex")
