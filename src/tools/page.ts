import { toCount } from "./text.ts"

/** What is shown of a text at once. Below what the loop cuts a result at, with room for the head line. */
export const page_lines_max = 2_000
export const page_bytes_max = 61_440

export type PageRange = { offset: number; limit: number; column: number }

export type Page = {
  bytes: Uint8Array
  /** The first and last line that is shown, from 1; last < first where none is. */
  first: number
  last: number
  lines: number
  /** Where the first line did not fit or begins in its middle: which of its bytes are shown, from 1. */
  cut?: { from: number; to: number; of: number }
}

/**
 * Takes a page of lines out of a text that comes in chunks, and counts the lines of all of it. Keeps no more than the
 * page. Lines are shown whole as long as they fit; a first line that does not is cut between characters.
 */
export async function readPage(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { offset, limit, column }: PageRange,
): Promise<Page> {
  const shown: Uint8Array[] = []
  let [shown_bytes, last, is_full] = [0, offset - 1, false]
  let cut: Page["cut"]
  let [line, length] = [1, 0]
  let pending: Uint8Array[] = []
  let pending_bytes = 0

  const endLine = () => {
    const is_first = line === offset
    if (!is_full && line >= offset && line < offset + limit) {
      const from = is_first ? column : 1
      const whole = pending_bytes === Math.max(0, length - from + 1)
      if (is_first && (from > 1 || !whole || pending_bytes > page_bytes_max)) {
        const part = cutBytes(Buffer.concat(pending), page_bytes_max)
        shown.push(part)
        shown_bytes += part.length
        last = line
        const to = from + part.length - 1
        if (from > 1 || to < length) cut = { from, to, of: length }
        is_full = to < length
      } else if (whole && shown_bytes + pending_bytes <= page_bytes_max) {
        shown.push(...pending)
        shown_bytes += pending_bytes
        last = line
      } else is_full = true
    }
    line++
    length = 0
    pending = []
    pending_bytes = 0
  }

  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const newline = chunk.indexOf(10, start)
      const end = newline === -1 ? chunk.length : newline + 1
      if (!is_full && line >= offset && line < offset + limit) {
        const skipped = line === offset ? Math.max(0, column - 1 - length) : 0
        // One byte more than fits shows that it does not.
        const room = Math.max(0, page_bytes_max + 4 - pending_bytes)
        const piece = chunk.slice(Math.min(end, start + skipped), Math.min(end, start + skipped + room))
        if (piece.length > 0) pending.push(piece)
        pending_bytes += piece.length
      }
      length += end - start
      start = end
      if (newline !== -1) endLine()
    }
  }
  if (length > 0) endLine()
  const page = { bytes: Buffer.concat(shown), first: offset, last, lines: line - 1 }
  return cut ? { ...page, cut } : page
}

/** The line above a page that is not the whole text; undefined where it is. */
export function headOf({ first, last, lines, cut }: Page): string | undefined {
  const of = toCount(lines, "line")
  if (cut) {
    const bytes = `bytes ${cut.from}-${cut.to} of the ${cut.of} of line ${first} (of ${of})`
    if (cut.to < cut.of) return `[${bytes}; next: offset=${first} column=${cut.to + 1}]`
    return last < lines ? `[from ${bytes} to line ${last}; next: offset=${last + 1}]` : `[from ${bytes}]`
  }
  if (first === 1 && last >= lines) return undefined
  const what = `lines ${first}-${last} of ${lines}`
  return last < lines ? `[${what}; next: offset=${last + 1}]` : `[${what}]`
}

/** At most so many bytes, and no half of a character at the end. */
function cutBytes(bytes: Uint8Array, bytes_max: number): Uint8Array {
  if (bytes.length <= bytes_max) return bytes
  let end = bytes_max
  while (end > bytes_max - 4 && end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
