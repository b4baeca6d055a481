/** What every engine asserts before it computes: the bounds of native/kernel.h. */
import { assert } from "../../base/errors.ts"
import { type Bytes, dim_max, queries_max, type Region, row_bytes, strideOf, wordsOf } from "./kernel.ts"

export const k_max = 65_536
export const breadth_max = 4096

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0 && n < 2 ** 32

export function checkDim(dim: number): void {
  assert(Number.isInteger(dim) && dim >= 1 && dim <= dim_max, "a vector has 1 to 4096 dimensions")
}

/** Whole rows of `dim`; returns how many. */
export function checkRows(values: Float32Array, dim: number): number {
  checkDim(dim)
  assert(values.length % dim === 0, "vectors are whole rows")
  return values.length / dim
}

function checkScan(n: number, row: number, region: Region, allow: Uint8Array | undefined, k: number): void {
  assert(isCount(n), "rows are a count below 2^32")
  assert(Number.isInteger(k) && k >= 1 && k <= k_max, "1 to 65536 results are asked for")
  assert(n * row <= region.bytes.length, "the rows are within their region")
  assert(allow === undefined || allow.length >= bitmapBytes(n), "the bitmap is as long as the rows")
}

/** Bytes of a bitmap over n rows: whole groups of 8. */
export const bitmapBytes = (n: number): number => Math.ceil(n / 64) * 8

export function checkFloats(
  query: Float32Array,
  rows: Region,
  n: number,
  allow: Uint8Array | undefined,
  k: number,
): void {
  checkDim(query.length)
  checkScan(n, query.length * 4, rows, allow, k)
}

/** Returns how many queries there are. */
export function checkBytes(
  queries: Float32Array,
  matrix: Bytes,
  n: number,
  allow: Uint8Array | undefined,
  k: number,
): number {
  const count = checkRows(queries, matrix.dim)
  assert(count >= 1 && count <= queries_max, "1 to 64 queries at once")
  checkScan(n, strideOf(matrix.dim), matrix.rows, allow, k)
  assert(n * 4 <= matrix.scales.bytes.length, "every row has its scale")
  return count
}

export function checkBits(
  query: BigUint64Array,
  rows: Region,
  n: number,
  words: number,
  allow: Uint8Array | undefined,
  k: number,
): void {
  assert(query.length === words, "the query has as many words as a row")
  assert(
    Number.isInteger(words) && words >= 1 && words <= wordsOf(dim_max),
    "a row of bits has 1 to 64 words",
  )
  checkScan(n, words * 8, rows, allow, k)
}

export function checkRerank(query: Float32Array, rows: Region, from: Uint32Array, k: number): void {
  checkDim(query.length)
  checkScan(0, 0, rows, undefined, k)
  const n = Math.floor(rows.bytes.length / (query.length * 4))
  for (const row of from) assert(row < n, "a row to rank is within its region")
}

export function checkFilter(rows: Region, n: number, allow: Uint8Array): void {
  checkScan(n, row_bytes, rows, allow, 1)
}

/** Returns how many records there are. */
export function checkRecords(records: Uint8Array, bytes: number, first: number): number {
  assert(Number.isInteger(bytes) && bytes >= 1, "a record has bytes")
  assert(records.length % bytes === 0, "records are whole")
  const n = records.length / bytes
  assert(isCount(first) && isCount(first + n), "the numbers of records are below 2^32")
  return n
}
