import { readFileSync } from "node:fs"
import { assert } from "../../base/errors.ts"
import {
  checkBits,
  checkBytes,
  checkFilter,
  checkFloats,
  checkRecords,
  checkRerank,
  checkRows,
} from "./checks.ts"
import { type Bytes, type Found, strideOf, type VectorKernel, wordsOf } from "./kernel.ts"
import packed_path from "./kernel.wasm" with { type: "file" }
import { unhurried } from "./reference.ts"
import type { Exports } from "./wasm-calls.ts"
import { inFrame } from "./wasm-frames.ts"
import { graphCalls } from "./wasm-graph.ts"
import { openHeap } from "./wasm-memory.ts"
import { openRegions } from "./wasm-regions.ts"

/**
 * The C kernel as WebAssembly, which needs no compiler and no library: the same bits at less than half the speed. What
 * would take too many bytes for what it gains is TypeScript. All regions are in its memory of at most 4 GiB; beyond is the error `too_large`.
 */
export function openWasmKernel(): VectorKernel {
  const calls = instantiate()
  const heap = openHeap(calls.memory, calls.__heap_base.value)
  const { allocate, map, addressOf: of } = openRegions(heap)

  function scanMany(
    queries: Float32Array,
    matrix: Bytes,
    n: number,
    allow: Uint8Array | undefined,
    k: number,
  ): Found[] {
    const count = checkBytes(queries, matrix, n, allow, k)
    const { rows, scales, dim } = matrix
    return inFrame(heap, [queries, allow], (frame, [from, bitmap]) => {
      const bytes = frame.bytes(count * strideOf(dim)).at
      const own = frame.floats(count).at
      calls.kernel_quantise(from!, count, dim, bytes, own)
      return frame.found(k, count, (ids, scores) =>
        calls.kernel_scan_i8(bytes, own, count, of(rows), of(scales), n, dim, bitmap!, k, ids, scores),
      )
    })
  }

  return {
    name: "wasm",
    allocate,
    map,
    quantise(rows, dim) {
      const n = checkRows(rows, dim)
      return inFrame(heap, [rows], (frame, [from]) => {
        const bytes = frame.bytes(n * strideOf(dim))
        const scales = frame.floats(n)
        calls.kernel_quantise(from!, n, dim, bytes.at, scales.at)
        return { bytes: new Int8Array(bytes.read().buffer), scales: scales.read() }
      })
    },
    scanF32(query, rows, n, allow, k) {
      checkFloats(query, rows, n, allow, k)
      return inFrame(heap, [query, allow], (frame, [from, bitmap]) =>
        frame.found(k, 1, (ids, scores) =>
          calls.kernel_scan_f32(from!, 1, of(rows), n, query.length, bitmap!, k, ids, scores),
        ),
      )[0]!
    },
    scanI8(query, matrix, n, allow, k) {
      assert(query.length === matrix.dim, "one query")
      return scanMany(query, matrix, n, allow, k)[0]!
    },
    scanBits(query, rows, n, words, allow, k) {
      checkBits(query, rows, n, words, allow, k)
      return inFrame(heap, [query, allow], (frame, [from, bitmap]) =>
        frame.found(k, 1, (ids, scores) =>
          calls.kernel_scan_bits(from!, of(rows), n, words, bitmap!, k, ids, scores),
        ),
      )[0]!
    },
    scanMany,
    rerank(query, rows, from, k) {
      checkRerank(query, rows, from, k)
      return inFrame(heap, [query, from], (frame, [vector, list]) =>
        frame.found(k, 1, (ids, scores) =>
          calls.kernel_rerank(vector!, of(rows), query.length, list!, from.length, k, ids, scores),
        ),
      )[0]!
    },
    binarise(rows, dim, mean, seed) {
      const n = checkRows(rows, dim)
      assert(mean === undefined || mean.length === dim, "the mean is a row")
      return inFrame(heap, [rows, mean], (frame, [from, mean_at]) => {
        const bits = frame.bytes(n * wordsOf(dim) * 8)
        const work = frame.floats(wordsOf(dim) * 64).at
        calls.kernel_binarise(from!, n, dim, mean_at!, seed, work, bits.at)
        return new BigUint64Array(bits.read().buffer)
      })
    },
    filter(rows, n, { owners, session, kinds, after_s, before_s }, allow) {
      checkFilter(rows, n, allow)
      return inFrame(heap, [owners], (frame, [owners_at]) => {
        const bitmap = frame.bytes(Math.ceil(n / 64) * 8)
        const owner_bits = owners.length * 8
        const count = calls.kernel_filter(
          of(rows),
          n,
          owners_at!,
          owner_bits,
          session,
          kinds,
          after_s,
          before_s,
          bitmap.at,
        )
        allow.set(bitmap.read())
        return count
      })
    },
    digest(records, bytes, first, sum) {
      const n = checkRecords(records, bytes, first)
      return inFrame(heap, [records, BigUint64Array.of(sum)], (_, [from, sum_at]) => {
        calls.kernel_digest(from!, n, bytes, first, sum_at!)
        return new BigUint64Array(heap.memory.buffer, sum_at, 1)[0]!
      })
    },
    ...unhurried,
    ...graphCalls(calls, heap, of),
  }
}

function instantiate(): Exports {
  const bytes = readFileSync(packed_path)
  const unpacked = packed_path.endsWith(".zst") ? new Uint8Array(Bun.zstdDecompressSync(bytes)) : bytes
  const module = new WebAssembly.Module(unpacked)
  return new WebAssembly.Instance(module).exports as Exports
}
