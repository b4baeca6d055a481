/** Reading a module's bytes: every length is hostile, and nothing is held for a number that stands in them. */
import { visible } from "../../base/visible.ts"

/** Why a module cannot be a plugin, as it reads after "NAME: ": what is wrong, where, and what to do. */
export class ModuleRefused extends Error {
  override name = "ModuleRefused"
}

export type Cursor = {
  readonly bytes: Uint8Array
  offset: number
  /** The first byte that is not its own. */
  readonly end: number
  /** What is read, for the errors: "the import section". */
  readonly where: string
}

export const cursorOf = (
  bytes: Uint8Array,
  where: string,
  start = 0,
  end = start + bytes.length,
): Cursor => ({
  bytes,
  offset: start,
  end,
  where,
})

const truncated = ({ where }: Cursor) =>
  new ModuleRefused(`${where} ends in the middle; the file is damaged, build or copy it again`)

export function readByte(cursor: Cursor): number {
  if (cursor.offset >= cursor.end) throw truncated(cursor)
  return cursor.bytes[cursor.offset++]!
}

/** LEB128, unsigned, at most 32 bits: five bytes, the last of which has four bits. */
export function readU32(cursor: Cursor): number {
  let value = 0
  for (let scale = 1, index = 0; index < 5; index++, scale *= 128) {
    const byte = readByte(cursor)
    if (index === 4 && byte > 0x0f) break
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
  throw new ModuleRefused(`${cursor.where} has a number of more than 32 bits; the file is damaged`)
}

/** Steps over a LEB128 of at most so many bytes. What it stands for is for the compiler to judge. */
export function skipLeb(cursor: Cursor, bytes_max = 5): void {
  for (let index = 0; index < bytes_max; index++) if (readByte(cursor) < 0x80) return
  throw new ModuleRefused(`${cursor.where} has a number that does not end; the file is damaged`)
}

export function skipBytes(cursor: Cursor, count: number): void {
  if (count > cursor.end - cursor.offset) throw truncated(cursor)
  cursor.offset += count
}

/** The next `count` bytes, without a copy. */
export function readBytes(cursor: Cursor, count: number): Uint8Array {
  skipBytes(cursor, count)
  return cursor.bytes.subarray(cursor.offset - count, cursor.offset)
}

/** How many entries a section has. Each takes at least a byte, so that no count goes beyond the section. */
export function readCount(cursor: Cursor, max: number, noun: string): number {
  const count = readU32(cursor)
  if (count > cursor.end - cursor.offset) throw truncated(cursor)
  if (count > max) throw new ModuleRefused(`it has ${count} ${noun}; at most ${max} are taken`)
  return count
}

const name_bytes_max = 1024
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

export function readName(cursor: Cursor): string {
  const length = readU32(cursor)
  const bytes = readBytes(cursor, length)
  if (length > name_bytes_max) {
    throw new ModuleRefused(
      `${cursor.where} has a name of ${length} bytes; at most ${name_bytes_max} are taken`,
    )
  }
  try {
    return utf8.decode(bytes)
  } catch {
    throw new ModuleRefused(`${cursor.where} has a name that is not UTF-8; the file is damaged`)
  }
}

/** A name out of a module, as an error may show it. */
export const shownName = (name: string): string => visible(name.length > 80 ? `${name.slice(0, 80)}…` : name)

export function toLeb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}
