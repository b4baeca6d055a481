/** The vectors of the native library. */
import { assert } from "../../base/errors.ts"
import type { Kernel } from "../library.ts"
import {
  checkBits,
  checkBytes,
  checkDim,
  checkFilter,
  checkFloats,
  checkRecords,
  checkRerank,
  checkRows,
} from "./checks.ts"
import { type Found, type KernelName, strideOf, type VectorKernel, wordsOf } from "./kernel.ts"
import { nativeGraph } from "./native-graph.ts"
import { addressOf, allocate, mapFile } from "./native-memory.ts"

const instruction_sets: readonly KernelName[] =
  process.arch === "arm64" ? ["neon"] : ["baseline", "avx2", "avx512"]

/**
 * `wanted` is one of the instruction sets; without it the best. Undefined where the processor has not what is wanted.
 * The choice is the library's: it holds for every kernel that was opened with it.
 */
export function openNativeKernel(library: Kernel, wanted?: KernelName): VectorKernel | undefined {
  const most = wanted === undefined ? instruction_sets.length - 1 : instruction_sets.indexOf(wanted)
  if (most < 0) return undefined
  const used = library.kernel_instructions(most)
  if (wanted !== undefined && used !== most) return undefined
  return {
    name: instruction_sets[used]!,
    allocate,
    map: mapFile,
    ...scans(library),
    ...conversions(library),
    ...nativeGraph(library),
  }
}

/** Results of one query, of which there are `count`. */
const cut = (ids: Uint32Array, scores: Float32Array, from: number, count: number): Found => ({
  ids: count === ids.length ? ids : ids.slice(from, from + count),
  scores: count === scores.length ? scores : scores.slice(from, from + count),
})

function scans(
  library: Kernel,
): Pick<VectorKernel, "scanF32" | "scanI8" | "scanBits" | "scanMany" | "rerank"> {
  const scanMany: VectorKernel["scanMany"] = (queries, matrix, n, allow, k) => {
    const count = checkBytes(queries, matrix, n, allow, k)
    const { dim } = matrix
    const bytes = new Int8Array(count * strideOf(dim))
    const scales = new Float32Array(count)
    const ids = new Uint32Array(count * k)
    const scores = new Float32Array(count * k)
    library.kernel_quantise(queries, count, dim, bytes, scales)
    const rows = addressOf(matrix.rows)
    const row_scales = addressOf(matrix.scales)
    const found = library.kernel_scan_i8(
      bytes,
      scales,
      count,
      rows,
      row_scales,
      n,
      dim,
      allow ?? null,
      k,
      ids,
      scores,
    )
    return Array.from({ length: count }, (_, query) => cut(ids, scores, query * k, found))
  }
  return {
    scanMany,
    scanI8: (query, matrix, n, allow, k) => {
      assert(query.length === matrix.dim, "one query")
      return scanMany(query, matrix, n, allow, k)[0]!
    },
    scanF32(query, rows, n, allow, k) {
      checkFloats(query, rows, n, allow, k)
      const ids = new Uint32Array(k)
      const scores = new Float32Array(k)
      const dim = query.length
      const found = library.kernel_scan_f32(query, 1, addressOf(rows), n, dim, allow ?? null, k, ids, scores)
      return cut(ids, scores, 0, found)
    },
    scanBits(query, rows, n, words, allow, k) {
      checkBits(query, rows, n, words, allow, k)
      const ids = new Uint32Array(k)
      const scores = new Float32Array(k)
      const found = library.kernel_scan_bits(query, addressOf(rows), n, words, allow ?? null, k, ids, scores)
      return cut(ids, scores, 0, found)
    },
    rerank(query, rows, from, k) {
      checkRerank(query, rows, from, k)
      const ids = new Uint32Array(k)
      const scores = new Float32Array(k)
      const found = library.kernel_rerank(
        query,
        addressOf(rows),
        query.length,
        from,
        from.length,
        k,
        ids,
        scores,
      )
      return cut(ids, scores, 0, found)
    },
  }
}

type Conversions = Pick<VectorKernel, "quantise" | "binarise" | "filter" | "digest" | "embed">

function conversions(library: Kernel): Conversions {
  return {
    quantise(rows, dim) {
      const n = checkRows(rows, dim)
      const bytes = new Int8Array(n * strideOf(dim))
      const scales = new Float32Array(n)
      library.kernel_quantise(rows, n, dim, bytes, scales)
      return { bytes, scales }
    },
    binarise(rows, dim, mean, seed) {
      const n = checkRows(rows, dim)
      assert(mean === undefined || mean.length === dim, "the mean is a row")
      const words = wordsOf(dim)
      const bits = new BigUint64Array(n * words)
      library.kernel_binarise(rows, n, dim, mean ?? null, seed, new Float32Array(64 * words), bits)
      return bits
    },
    filter(rows, n, filter, allow) {
      checkFilter(rows, n, allow)
      const { owners, session, kinds, after_s, before_s } = filter
      const bits = owners.length * 8
      return library.kernel_filter(addressOf(rows), n, owners, bits, session, kinds, after_s, before_s, allow)
    },
    digest(records, bytes, first, sum) {
      const n = checkRecords(records, bytes, first)
      const total = BigUint64Array.of(sum)
      library.kernel_digest(records, n, bytes, first, total)
      return total[0]!
    },
    embed(texts, dim, common) {
      checkDim(dim)
      const { text, offsets } = joinTexts(texts)
      const rows = new Float32Array(texts.length * dim)
      const work = new Int32Array(dim)
      library.kernel_embed(text, offsets, texts.length, dim, common, common.length, work, rows)
      return rows
    },
  }
}

function joinTexts(texts: readonly Uint8Array[]): { text: Uint8Array; offsets: Uint32Array } {
  const offsets = new Uint32Array(texts.length + 1)
  let end = 0
  for (const [index, { length }] of texts.entries()) offsets[index + 1] = end += length
  assert(end < 2 ** 32, "the texts of one call are below 4 GiB")
  const text = new Uint8Array(end)
  for (const [index, bytes] of texts.entries()) text.set(bytes, offsets[index])
  return { text, offsets }
}
