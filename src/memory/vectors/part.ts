/** One half of a set's files: rows that are hot or warm, or rows that are cold. A slot is a row of each of its files. */
import { join } from "node:path"
import { row_bytes, type VectorKernel } from "../../kernel/vectors/kernel.ts"
import { allocateFlat, type Flat, mapFlat, remove } from "./flat.ts"
import { firstOf, floats_index, type Image, widthsOf } from "./image.ts"
import type { RowCounts } from "./set.ts"

export type Part = {
  readonly cold: boolean
  readonly names: readonly string[]
  readonly widths: readonly number[]
  files: Flat[]
  /** Slots, free ones among them. */
  slots: number
  /** Slots below it are as SQLite has them: all of them (Infinity), or as far as the work in the background has come. */
  trusted: number
  /** Free slots, when they were last looked for; some may be taken by now. */
  free: number[] | undefined
  counts: RowCounts
}

export const part_files = { main: ["rows", "i8", "scales", "f32"], cold: ["cold", "bits"] } as const

export const newPart = (dim: number, cold: boolean): Part => ({
  cold,
  names: cold ? part_files.cold : part_files.main,
  widths: widthsOf(dim, cold),
  files: [],
  slots: 0,
  trusted: 0,
  free: undefined,
  counts: { hot: 0, warm: 0, cold: 0 },
})

/** Throws what the file system throws. */
export function mapPart(kernel: VectorKernel, part: Part, folder: string): void {
  for (const name of part.names) part.files.push(mapFlat(kernel, join(folder, name)))
}

/** The same in memory. */
export function keepInMemory(kernel: VectorKernel, part: Part): void {
  const before = part.files
  part.files = part.names.map((_, i) => {
    const flat = allocateFlat(kernel)
    const had = before[i]?.region.bytes
    flat.reserve(had?.length ?? 0)
    if (had) flat.region.bytes.set(had)
    return flat
  })
  for (const file of before) tryClose(file)
}

/** Where a map is a copy, closing writes it back, which fails where writing does. */
function tryClose(file: Flat): void {
  try {
    file[Symbol.dispose]()
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown)) throw thrown
  }
}

export function dropPart(part: Part, with_files: boolean): void {
  for (const file of part.files) file[Symbol.dispose]()
  if (with_files) for (const { path } of part.files) if (path) remove(path)
  Object.assign(part, { files: [], slots: 0, trusted: 0, free: undefined })
  part.counts = { hot: 0, warm: 0, cold: 0 }
}

/** Of the records; not to be kept across anything that may make another array of them. */
export const wordsOfRecords = ({ files }: Part): Uint32Array => {
  const { bytes } = files[0]!.region
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
}

export const idAt = (part: Part, slot: number): number =>
  slot < part.slots ? wordsOfRecords(part)[slot * record_words]! : 0

export const record_words = row_bytes / 4
export const exact_word = 4
const tiers = ["hot", "warm", "cold"] as const

const tierAt = (part: Part, slot: number) =>
  tiers[part.files[0]!.region.bytes[slot * row_bytes + 21]!] ?? "cold"

export function writeSlot(part: Part, slot: number, image: Image): void {
  const is_hot = !part.cold && image[0]![21] === 0
  reserveSlots(part, slot + 1, is_hot)
  if (idAt(part, slot) !== 0) part.counts[tierAt(part, slot)]--
  part.slots = Math.max(part.slots, slot + 1)
  for (const [i, piece] of image.entries()) {
    const [file, at] = [part.files[i]!, slot * part.widths[i]!]
    if (i !== floats_index || is_hot) file.region.bytes.set(piece, at)
    // What is no longer hot leaves no floats behind.
    else if (at < file.region.bytes.length) file.wipe(at, piece.length)
  }
  part.counts[tierAt(part, slot)]++
}

/** Leaves zeros. */
export function clearSlot(part: Part, slot: number): void {
  if (slot >= part.slots) return
  if (idAt(part, slot) !== 0) {
    part.counts[tierAt(part, slot)]--
    part.free?.push(slot)
  }
  wipeSlot(part, slot)
}

function wipeSlot(part: Part, slot: number): void {
  for (const [i, file] of part.files.entries()) {
    const [at, bytes] = [slot * part.widths[i]!, part.widths[i]!]
    if (at + bytes <= file.region.bytes.length) file.wipe(at, bytes)
  }
}

/** Floats are reserved as far as hot rows reach. */
function reserveSlots(part: Part, slots: number, is_hot: boolean): void {
  for (const [i, file] of part.files.entries())
    if (i !== floats_index || is_hot) file.reserve(slots * part.widths[i]!)
}

/** Of what the files have in slots from `from` to `to`, added to `sum`; `toDigest` of it is what SQLite has. */
export function digestSlots(kernel: VectorKernel, part: Part, from: number, to: number, sum: bigint): bigint {
  let total = sum
  const words = wordsOfRecords(part)
  for (const [i, width] of part.widths.entries()) {
    const { bytes } = part.files[i]!.region
    const word = i === floats_index ? exact_word : 0
    for (let start = from; start < to; ) {
      const isLive = (slot: number) =>
        words[slot * record_words + word] !== 0 && words[slot * record_words] !== 0
      if (!isLive(start)) {
        start++
        continue
      }
      let end = start + 1
      while (end < to && isLive(end)) end++
      // A record that says that floats are where the file does not reach is not one of ours.
      const piece = bytes.subarray(start * width, Math.min(end * width, bytes.length))
      const whole = piece.length - (piece.length % width)
      total = kernel.digest(piece.subarray(0, whole), width, firstOf(part.cold, start), total)
      start = end
    }
  }
  return total
}

/** Wipes what a torn page left in free slots. */
export function wipeFree(part: Part, from: number, to: number): void {
  const words = wordsOfRecords(part)
  for (let slot = from; slot < to; slot++) if (words[slot * record_words] === 0) wipeSlot(part, slot)
}

export function countSlots(part: Part): void {
  const words = wordsOfRecords(part)
  part.counts = { hot: 0, warm: 0, cold: 0 }
  for (let slot = 0; slot < part.slots; slot++)
    if (words[slot * record_words] !== 0) part.counts[tierAt(part, slot)]++
}

export function findFree(part: Part): number[] {
  if (part.free) return part.free
  const words = wordsOfRecords(part)
  part.free = []
  // The lowest is taken first, being the last of the list.
  for (let slot = part.slots - 1; slot >= 0; slot--)
    if (words[slot * record_words] === 0) part.free.push(slot)
  return part.free
}
