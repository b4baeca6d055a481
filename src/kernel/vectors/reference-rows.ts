/** Records in TypeScript: which are allowed by a filter, and their digest. */
import { type Filter, type Region, row_bytes } from "./kernel.ts"

/** Places within a record, as `kernel_row` of native/kernel.h has them. */
const id_at = 0
const owner_at = 1
const session_at = 2
const created_at = 3
const kind_at = 20

export function filterRows(rows: Region, n: number, filter: Filter, allow: Uint8Array): number {
  const { bytes } = rows
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, (n * row_bytes) / 4)
  const { owners, session, kinds, after_s, before_s } = filter
  const owner_bits = owners.length * 8
  allow.fill(0, 0, Math.ceil(n / 64) * 8)
  let count = 0
  for (let row = 0; row < n; row++) {
    const at = (row * row_bytes) / 4
    const owner = words[at + owner_at]!
    const kind = bytes[row * row_bytes + kind_at]!
    const created_s = words[at + created_at]!
    if (words[at + id_at] === 0) continue
    if (owner >= owner_bits || ((owners[owner >>> 3]! >> (owner & 7)) & 1) === 0) continue
    if (session !== 0 && words[at + session_at] !== session) continue
    if (kind > 31 || ((kinds >>> kind) & 1) === 0) continue
    if (created_s < after_s || created_s >= before_s) continue
    allow[row >>> 3]! |= 1 << (row & 7)
    count++
  }
  return count
}

/** Slow, as its numbers are BigInts: 100,000 records take a fifth of a second. */
export function digestRecords(
  records: Uint8Array,
  n: number,
  bytes: number,
  first: number,
  sum: bigint,
): bigint {
  const word_count = Math.ceil(bytes / 8)
  const padded = new Uint8Array(word_count * 8)
  const words = new DataView(padded.buffer)
  let total = sum
  for (let i = 0; i < n; i++) {
    padded.set(records.subarray(i * bytes, (i + 1) * bytes))
    let hash = mix(BigInt(first + i) + 1n)
    for (let word = 0; word < word_count; word++) hash = mix(hash ^ words.getBigUint64(word * 8, true))
    total += hash
  }
  return BigInt.asUintN(64, total)
}

/** The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
function mix(start: bigint): bigint {
  let x = start
  x = BigInt.asUintN(64, (x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n)
  x = BigInt.asUintN(64, (x ^ (x >> 27n)) * 0x94d049bb133111ebn)
  return x ^ (x >> 31n)
}
