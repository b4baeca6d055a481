/** What the flat files have of a row: a piece in each, computed from SQLite alone. */
import { assert } from "../../base/errors.ts"
import { row_bytes, strideOf, type VectorKernel, wordsOf } from "../../kernel/vectors/kernel.ts"
import { type MemoryKind, memory_kinds } from "../../store/memory.ts"
import type { Tier, VectorMemory } from "../../store/vectors.ts"

/** How vectors of a set become bytes and bits. */
export type Shape = {
  kernel: VectorKernel
  dim: number
  /** For one vector at a time, as those of SQLite lie at any address. */
  floats: Float32Array
  /** Of the rotation. */
  seed: number
  /** Of the vectors, when the first became cold. */
  mean: Float32Array | undefined
}

/** A piece for each file of the part, in their order: record, bytes, scale, floats; of a cold row record and bits. */
export type Image = readonly Uint8Array[]

/** A second is split into thousandths in the record's last two bytes, which the kernel leaves alone. */
export const millis_at = 22

export const kindNumber = (kind: MemoryKind): number => memory_kinds.indexOf(kind)

/** Bytes of a row in each file of the part. */
export const widthsOf = (dim: number, cold: boolean): number[] =>
  cold ? [row_bytes, wordsOf(dim) * 8] : [row_bytes, strideOf(dim), 4, dim * 4]

/** `vector` are the bytes of its floats, at any address. */
export function toImage(
  shape: Shape,
  memory: VectorMemory,
  vector: Uint8Array,
  slot: number,
  tier: Tier,
): Image {
  const { kernel, dim, floats } = shape
  assert(vector.length === dim * 4, "a vector has the length of its set")
  const record = toRecord(memory, tier, tier === 0 ? slot + 1 : 0)
  bytesOf(floats).set(vector)
  if (tier === 2) return [record, bytesOf(kernel.binarise(floats, dim, shape.mean, shape.seed))]
  const { bytes, scales } = kernel.quantise(floats, dim)
  // Only a hot row's floats are in the file.
  return [record, bytesOf(bytes), bytesOf(scales), tier === 0 ? vector : new Uint8Array(dim * 4)]
}

/** A region ends at 4 GiB, and with it the floats: a row beyond is at best warm. */
export const fitTier = ({ dim }: Shape, slot: number, tier: Tier): Tier =>
  tier === 0 && (slot + 1) * dim * 4 > floats_bytes_max ? 1 : tier

const floats_bytes_max = 2 ** 32 - 2 ** 24

/** `exact` is one more than the row of the floats; 0: they are in SQLite only. */
function toRecord(memory: VectorMemory, tier: Tier, exact: number): Uint8Array {
  const { memory_id, owner_id, session_id, kind, created_ms } = memory
  const created_s = Math.floor(created_ms / 1000)
  const values = [memory_id, owner_id, session_id ?? 0, created_s, exact]
  assert(
    values.every((value) => value >= 0 && value < 2 ** 32),
    "numbers of rows, owners, sessions and seconds have 32 bits",
  )
  const record = new Uint8Array(new ArrayBuffer(row_bytes))
  new Uint32Array(record.buffer).set(values)
  const millis = created_ms - created_s * 1000
  record[20] = kindNumber(kind)
  record[21] = tier
  record[millis_at] = millis
  record[millis_at + 1] = millis >> 8
  return record
}

/** Cold rows have slots of their own; their digests are told apart by numbers from here on. */
const cold_first = 2 ** 31

/** Records of a part are digested with their slots; floats only where they are in the file. */
export const firstOf = (cold: boolean, slot: number): number => (cold ? cold_first : 0) + slot

const digest_mask = 2n ** 62n - 1n

export const toDigest = (sum: bigint): bigint => sum & digest_mask

export function digestImage(kernel: VectorKernel, image: Image, slot: number, tier: Tier): bigint {
  const first = firstOf(tier === 2, slot)
  let sum = 0n
  for (const [i, piece] of image.entries()) {
    if (i === floats_index && tier !== 0) continue
    sum = kernel.digest(piece, piece.length, first, sum)
  }
  return toDigest(sum)
}

/** The file of floats among a part's. */
export const floats_index = 3

export const bytesOf = (array: Float32Array | Int8Array | BigUint64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** Neither NaN nor infinity: 0 times those is NaN, and a loop is 30 times as fast as `every`. */
export function isFiniteVector(vector: Float32Array): boolean {
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * 0
  return sum === 0
}

export function toFloats(blob: Uint8Array): Float32Array {
  const copy = new Float32Array(new ArrayBuffer(blob.length))
  bytesOf(copy).set(blob)
  return copy
}
