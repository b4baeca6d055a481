import { closeSync, fstatSync, readSync } from "node:fs"
import { encodingOf } from "../text.ts"
import type { Matcher } from "./automaton.ts"

/** A line with a match, from 1; `text` is as much of it as is shown. */
export type Line = { line: number; text: string }

export type Scan = {
  match: Matcher
  /** One of these is in every match. */
  literals: Buffer[] | undefined
  lines_max: number
  check(): void
}

const chunk_bytes = 1 << 20
const line_bytes_max = 16 << 20
/** A text in UTF-16 is converted whole. */
const converted_bytes_max = 16 << 20
const shown_length_max = 300
const shown_before = 200

/** The lines of an open file that match; none where it is not text. Closes it. One at a time: the buffer is shared. */
export function openScan({ match, literals, lines_max, check }: Scan): (open: () => number) => Line[] {
  let buffer = Buffer.allocUnsafe(chunk_bytes)
  const mayMatch = (bytes: Buffer) => !literals || literals.some((literal) => bytes.indexOf(literal) !== -1)

  return (open) => {
    const fd = open()
    try {
      return scan(fd)
    } finally {
      closeSync(fd)
    }
  }

  function scan(fd: number): Line[] {
    const found: Line[] = []
    let length = readSync(fd, buffer, 0, buffer.length, 0)
    const { encoding, mark } = encodingOf(buffer.subarray(0, length))
    if (encoding !== "utf-8") {
      const text = convert(fd, encoding)
      if (!text.includes(0) && mayMatch(text)) addLines(text, 1, found)
      return found
    }
    let start = mark
    for (let [line, offset, is_last] = [1, length, length < buffer.length]; ; ) {
      check()
      const bytes = buffer.subarray(start, length)
      const may_match = mayMatch(bytes)
      // A short text without the words need not be looked at again.
      if (!may_match && is_last && offset === length) return []
      if (bytes.includes(0)) return []
      const end = is_last ? bytes.length : endOfLines(bytes)
      const lines = bytes.subarray(0, end)
      if (may_match) addLines(lines, line, found)
      if (is_last || found.length >= lines_max) return found
      line += newlinesIn(lines, 0, end)
      const kept = bytes.subarray(end)
      if (kept.length < buffer.length / 2) kept.copy(buffer)
      else buffer = Buffer.concat([kept], 2 * buffer.length)
      const room = buffer.length - kept.length
      const got = readSync(fd, buffer, kept.length, room, offset)
      is_last = got < room
      offset += got
      length = kept.length + got
      start = 0
    }
  }

  function convert(fd: number, encoding: string): Buffer {
    const whole = Buffer.alloc(Math.min(fstatSync(fd).size, converted_bytes_max))
    const got = readSync(fd, whole, 0, whole.length, 0)
    return Buffer.from(new TextDecoder(encoding).decode(whole.subarray(0, got)))
  }

  function addLines(bytes: Buffer, first_line: number, found: Line[]): void {
    let line = first_line
    let counted = 0
    for (let at = 0; at < bytes.length && found.length < lines_max; ) {
      const place = match(bytes, at, bytes.length)
      if (place === -1) return
      const start = place === 0 ? 0 : bytes.lastIndexOf(10, place - 1) + 1
      const newline = bytes.indexOf(10, place)
      const end = newline === -1 ? bytes.length : newline
      line += newlinesIn(bytes, counted, start)
      counted = start
      // What follows the last line break is no line.
      if (start === bytes.length) return
      found.push({ line, text: toShownLine(bytes.subarray(start, end), place - start) })
      at = end + 1
    }
  }
}

/** Where the last whole line ends; a line that is longer than any should be is taken in pieces. */
function endOfLines(bytes: Buffer): number {
  const end = bytes.lastIndexOf(10) + 1
  return end === 0 && bytes.length > line_bytes_max ? bytes.length : end
}

function newlinesIn(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = bytes.indexOf(10, from); at !== -1 && at < to; at = bytes.indexOf(10, at + 1)) count++
  return count
}

/** As much of a line as a reader wants, around the place of the match where it is a long one. */
export function toShownLine(line: Uint8Array, place: number): string {
  const skipped = line.length > shown_length_max && place > shown_length_max ? place - shown_before : 0
  let from = skipped
  while (from < line.length && from > 0 && (line[from]! & 0xc0) === 0x80) from++
  const bytes = line.subarray(from, from + 4 * shown_length_max)
  const all = new TextDecoder().decode(bytes).replace(/\r$/, "")
  const letters = [...all.slice(0, 2 * shown_length_max)]
  const is_cut = letters.length > shown_length_max || from + bytes.length < line.length
  const text = letters.slice(0, shown_length_max).join("")
  return `${from > 0 ? "…" : ""}${text}${is_cut ? "…" : ""}`
}
