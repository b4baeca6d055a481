/** How much of a tool's result the model is shown. */

/** A result beyond this is never shown whole. */
export const result_bytes_max = 65_536
/** Each end of a result that is not shown whole, and the least that is shown however little is left of the budget. */
const end_bytes_max = 8_192
const end_bytes_min = 512

export type Shown = { text: string; is_cut: boolean }

/**
 * The whole result where it fits into the limit and into what is `left` of the turn's budget (bytes); else its ends, cut
 * between characters, and how to get the rest by the handle.
 */
export function showResult(content: string, left: number, handle: () => string): Shown {
  const bytes = Buffer.byteLength(content)
  if (bytes <= Math.min(result_bytes_max, left)) return { text: content, is_cut: false }
  const end = Math.max(end_bytes_min, Math.min(end_bytes_max, Math.floor(left / 2)))
  // Small ones are always shown: what says that they were cut would be as long.
  if (bytes <= 2 * end) return { text: content, is_cut: false }
  const all = Buffer.from(content)
  const head = decoder.decode(all.subarray(0, characterAt(all, end)))
  const tail = decoder.decode(all.subarray(characterAt(all, bytes - end)))
  const why = bytes > result_bytes_max ? "" : " This turn's tools have said nearly all that they may."
  const middle = `[… ${bytes - Buffer.byteLength(head) - Buffer.byteLength(tail)} of ${bytes} bytes are not shown.${why} read_result has all of it: handle "${handle()}" …]`
  return { text: `${head}\n${middle}\n${tail}`, is_cut: true }
}

const decoder = new TextDecoder()

/** The nearest beginning of a character at or before a byte. */
function characterAt(bytes: Uint8Array, at: number): number {
  while (at > 0 && at < bytes.length && (bytes[at]! & 0xc0) === 0x80) at--
  return at
}
