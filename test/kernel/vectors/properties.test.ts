/** Every engine against the reference in TypeScript: the same bits for whatever is asked. */
import { beforeEach, describe, expect, test } from "bun:test"
import fc from "fast-check"
import { bitmapBytes } from "../../../src/kernel/vectors/checks.ts"
import {
  type Found,
  row_bytes,
  strideOf,
  type VectorKernel,
  wordsOf,
} from "../../../src/kernel/vectors/kernel.ts"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { engines } from "./engines.ts"
import {
  bitmapOf,
  bitsOf,
  bytesOf,
  dims,
  limits,
  matrices,
  numbers,
  regionOf,
  shares,
  shifted,
} from "./shapes.ts"

const reference = openReferenceKernel()
const shape = ({ ids, scores }: Found) => ({ ids: [...ids], scores: bitsOf(scores) })
const check = <T extends unknown[]>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: 60 })

for (const { name, open } of engines) {
  describe(name, () => {
    let kernel: VectorKernel
    beforeEach(() => {
      kernel = open()
    })

    test("quantises as the reference does, to bytes from -127 to 127 that are off by half a step at most", () =>
      check(
        fc.property(matrices, ({ dim, values }) => {
          const made = kernel.quantise(shifted(values, dim), dim)
          const expected = reference.quantise(values, dim)
          expect(bitsOf(made.bytes)).toBe(bitsOf(expected.bytes))
          expect(bitsOf(made.scales)).toBe(bitsOf(expected.scales))
          expect(largestError(made, values, dim)).toBeLessThanOrEqual(0.501)
        }),
      ))

    test("finds the rows of floats that the reference finds", () =>
      check(
        fc.property(matrices, shares, limits, fc.integer(), (matrix, share, k, seed) => {
          const query = shifted(numbers(matrix.dim, seed, "even"), seed)
          const allow = bitmapOf(matrix.n, share, seed)
          using rows = regionOf(kernel, matrix.values)
          using same = regionOf(reference, matrix.values)
          expect(shape(kernel.scanF32(query, rows, matrix.n, allow, k))).toEqual(
            shape(reference.scanF32(query, same, matrix.n, allow, k)),
          )
        }),
      ))

    test("finds the rows of bytes that the reference finds, for one query and for several", () =>
      check(
        fc.property(
          matrices,
          shares,
          limits,
          fc.integer(),
          fc.constantFrom(1, 2, 7, 64),
          (matrix, share, k, seed, count) => {
            const queries = shifted(numbers(matrix.dim * count, seed, "wide"), seed)
            const allow = bitmapOf(matrix.n, share, seed)
            using rows = bytesOf(kernel, matrix)
            using same = bytesOf(reference, matrix)
            const found = kernel.scanMany(queries, rows, matrix.n, allow, k)
            expect(found.map(shape)).toEqual(reference.scanMany(queries, same, matrix.n, allow, k).map(shape))
            const one = kernel.scanI8(queries.slice(0, matrix.dim), rows, matrix.n, allow, k)
            expect(shape(one)).toEqual(shape(found[0]!))
          },
        ),
      ))

    test("ranks named rows as the reference does", () =>
      check(
        fc.property(matrices, limits, fc.integer(), (matrix, k, seed) => {
          const query = shifted(numbers(matrix.dim, seed, "wide"), seed)
          const count = Math.max(1, matrix.n)
          const from = Uint32Array.from({ length: matrix.n }, (_, i) => ((i * 7 + seed) >>> 0) % count)
          using rows = regionOf(kernel, matrix.values)
          using same = regionOf(reference, matrix.values)
          expect(shape(kernel.rerank(query, rows, from, k))).toEqual(
            shape(reference.rerank(query, same, from, k)),
          )
        }),
      ))

    test("makes bits and finds them as the reference does", () =>
      check(
        fc.property(
          matrices,
          shares,
          limits,
          fc.integer(),
          fc.boolean(),
          (matrix, share, k, seed, centred) => {
            const { n, dim, values } = matrix
            const mean = centred ? shifted(numbers(dim, seed + 1, "even"), seed) : undefined
            const bits = kernel.binarise(values, dim, mean, seed >>> 0)
            expect(bitsOf(bits)).toBe(bitsOf(reference.binarise(values, dim, mean, seed >>> 0)))
            const query = reference.binarise(numbers(dim, seed, "even"), dim, mean, seed >>> 0)
            const allow = bitmapOf(n, share, seed)
            using rows = regionOf(kernel, bits as BigUint64Array<ArrayBuffer>)
            using same = regionOf(reference, bits as BigUint64Array<ArrayBuffer>)
            const words = wordsOf(dim)
            expect(shape(kernel.scanBits(query, rows, n, words, allow, k))).toEqual(
              shape(reference.scanBits(query, same, n, words, allow, k)),
            )
          },
        ),
      ))

    test("allows the records that the reference allows", () =>
      check(
        fc.property(
          fc.integer({ min: 0, max: 300 }),
          fc.integer(),
          fc.integer({ min: 0, max: 3 }),
          (n, seed, session) => {
            const records = recordsOf(n, seed)
            const filter = {
              owners: Uint8Array.of(seed & 255, (seed >> 8) & 255),
              session,
              kinds: seed >>> 0,
              after_s: (seed >>> 16) % 100,
              before_s: (seed >>> 8) % 4 === 0 ? 2 ** 32 - 1 : 70,
            }
            using rows = regionOf(kernel, records)
            using same = regionOf(reference, records)
            const allow = new Uint8Array(bitmapBytes(n)).fill(0xa5)
            const expected = new Uint8Array(bitmapBytes(n))
            const count = reference.filter(same, n, filter, expected)
            expect(kernel.filter(rows, n, filter, allow)).toBe(count)
            expect(bitsOf(allow)).toBe(bitsOf(expected))
            expect(count).toBe(Buffer.from(expected).reduce((sum, byte) => sum + ones(byte), 0))
          },
        ),
      ))

    test("has the reference's digest of records, whatever their length and numbers", () =>
      check(
        fc.property(
          fc.integer({ min: 1, max: 40 }),
          fc.integer({ min: 0, max: 20 }),
          fc.constantFrom(0, 1, 1000, 2 ** 31, 2 ** 32 - 100),
          fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          fc.integer(),
          (bytes, n, first, sum, seed) => {
            const records = recordsOf(Math.ceil((bytes * n) / row_bytes), seed).slice(0, bytes * n)
            expect(kernel.digest(records, bytes, first, sum)).toBe(
              reference.digest(records, bytes, first, sum),
            )
          },
        ),
      ))

    test("embeds texts as the reference does", () =>
      check(
        fc.property(
          fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.lorem({ maxCount: 30 })), { maxLength: 6 }),
          fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
          dims,
          (written, raw, dim) => {
            const texts = [...written.map((text) => Buffer.from(text.toLowerCase())), ...raw]
            const common = new Uint32Array([0, 17, 0x811c9dc5, 2 ** 32 - 1])
            expect(bitsOf(kernel.embed(texts, dim, common))).toBe(bitsOf(reference.embed(texts, dim, common)))
          },
        ),
      ))
  })
}

/** How far a byte is from its element, in steps of its row. */
function largestError(
  { bytes, scales }: { bytes: Int8Array; scales: Float32Array },
  values: Float32Array,
  dim: number,
): number {
  let largest = 0
  for (const [i, value] of values.entries()) {
    const row = Math.floor(i / dim)
    const byte = bytes[row * strideOf(dim) + (i % dim)]!
    // A row that is too small for a scale is zero.
    if (scales[row]! > 0) largest = Math.max(largest, Math.abs(byte - value / scales[row]!))
  }
  return largest
}

function recordsOf(n: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(n * row_bytes)
  const words = new Uint32Array(bytes.buffer)
  for (const [i, value] of numbers(n * 6, seed, "even").entries()) {
    const field = i % 6
    const even = Math.floor((value + 1) * 2 ** 16)
    if (field === 0) words[i] = even % 4
    else if (field === 1) words[i] = even % 20
    else if (field === 2) words[i] = even % 3
    else if (field === 3) words[i] = even % 90
    else words[i] = even % 40
  }
  return bytes
}

function ones(byte: number): number {
  let count = 0
  for (let bits = byte; bits > 0; bits &= bits - 1) count++
  return count
}
