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
import type { VectorKernel } from "./kernel.ts"
import { binarise, scanBits } from "./reference-bits.ts"
import { allocateArray, readIntoArray } from "./reference-memory.ts"
import { digestRecords, filterRows } from "./reference-rows.ts"
import { quantise, rerank, scanF32, scanMany } from "./reference-scan.ts"

/** The kernel in TypeScript: what the others are held to, and what is there where neither of them can be loaded. */
export function openReferenceKernel(): VectorKernel {
  return {
    name: "reference",
    allocate: allocateArray,
    map: readIntoArray,
    quantise(rows, dim) {
      return quantise(rows, checkRows(rows, dim), dim)
    },
    scanF32(query, rows, n, allow, k) {
      checkFloats(query, rows, n, allow, k)
      return scanF32(query, rows, n, allow, k)
    },
    scanI8(query, matrix, n, allow, k) {
      assert(checkBytes(query, matrix, n, allow, k) === 1, "one query")
      return scanMany(query, 1, matrix, n, allow, k)[0]!
    },
    scanBits(query, rows, n, words, allow, k) {
      checkBits(query, rows, n, words, allow, k)
      return scanBits(query, rows, n, words, allow, k)
    },
    scanMany(queries, matrix, n, allow, k) {
      return scanMany(queries, checkBytes(queries, matrix, n, allow, k), matrix, n, allow, k)
    },
    rerank(query, rows, from, k) {
      checkRerank(query, rows, from, k)
      return rerank(query, rows, from, k)
    },
    binarise(rows, dim, mean, seed) {
      const n = checkRows(rows, dim)
      assert(mean === undefined || mean.length === dim, "the mean is a row")
      return binarise(rows, n, dim, mean, seed)
    },
    filter(rows, n, filter, allow) {
      checkFilter(rows, n, allow)
      return filterRows(rows, n, filter, allow)
    },
    digest(records, bytes, first, sum) {
      return digestRecords(records, checkRecords(records, bytes, first), bytes, first, sum)
    },
    embed: later,
    graphBytes: later,
    graphInit: later,
    graphCheck: later,
    graphInsert: later,
    graphRemove: later,
    graphSearch: later,
    graphCopy: later,
  }
}

function later(): never {
  throw new Error("being written: the graph and the embedding of the reference")
}
