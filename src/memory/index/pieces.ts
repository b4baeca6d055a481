/** What of a message is found by itself: a long one in pieces, at the borders of its paragraphs and sentences. */
import type { Part, Role } from "../../base/parts.ts"
import { textOf } from "../../base/parts.ts"

/** Long enough for a thought, short enough that a vector of it means something and a few of them fit into a context. */
export const piece_chars_max = 1200
/** Of one tool's result. What a tool answered can be read again; what people said cannot. */
const result_pieces_max = 8
/** Of one message, so that a pasted book is not thousands of rows. Its words beyond are found in its session's search. */
const message_pieces_max = 64

export type Piece = {
  kind: "message" | "tool_result"
  text: string
  /** Whether it is the whole text of the message, which then need not be kept again. */
  is_whole: boolean
}

export function toPieces(role: Role, parts: Part[]): Piece[] {
  const text = role === "tool" ? "" : textOf(parts)
  const said = split(text).slice(0, message_pieces_max)
  const messages = said.map((piece): Piece => ({ kind: "message", text: piece, is_whole: piece === text }))
  const results = parts.flatMap((part) =>
    part.type === "tool_result" && !part.is_error ? split(part.content).slice(0, result_pieces_max) : [],
  )
  return [
    ...messages,
    ...results.map((piece): Piece => ({ kind: "tool_result", text: piece, is_whole: false })),
  ]
}

/** The whole text where it is short; else pieces that together are all of it but for blanks between them. */
export function split(text: string): string[] {
  if (!/\S/.test(text)) return []
  if (text.length <= piece_chars_max) return [text]
  const pieces: string[] = []
  let from = 0
  while (from < text.length) {
    const to = endOfPiece(text, from)
    const piece = text.slice(from, to).trim()
    if (piece) pieces.push(piece)
    from = to
  }
  return pieces
}

/** Where a thought ends, the best border first; looked for in the second half of what a piece may have. */
const borders = ["\n\n", "\n", /[.!?。！？]["'”’»）)]*\s|[。！？]/g, /\s/g] as const

function endOfPiece(text: string, from: number): number {
  const limit = from + piece_chars_max
  if (limit >= text.length) return text.length
  const least = from + piece_chars_max / 2
  const window = text.slice(least, limit)
  for (const border of borders) {
    const at = typeof border === "string" ? lastText(window, border) : lastMatch(window, border)
    if (at > 0) return least + at
  }
  // A word without end: not between the halves of a character.
  return isLowSurrogate(text.charCodeAt(limit)) ? limit - 1 : limit
}

const lastText = (window: string, border: string) => {
  const at = window.lastIndexOf(border)
  return at < 0 ? -1 : at + border.length
}

function lastMatch(window: string, border: RegExp): number {
  let end = -1
  for (const match of window.matchAll(border)) end = match.index + match[0].length
  return end
}

const isLowSurrogate = (code: number) => code >= 0xdc00 && code <= 0xdfff
