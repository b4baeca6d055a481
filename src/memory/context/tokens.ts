import { estimateTokenCount } from "tokenx"
import type { Part } from "../../base/parts.ts"

/** An estimate. Remembers what it has counted, since a conversation is counted again at each of its turns. */
export type CountTokens = (text: string) => number

/** About 1 MB of numbers. */
const remembered_max = 16_384
/** A longer text is judged by as much of its beginning, middle and end: 0.2 ms a kilobyte is too much for a book. */
const sample_chars = 2_048

export function openTokenCounter(): CountTokens {
  const known = new Map<string, number>()
  return (text) => {
    if (text === "") return 0
    // The hash stands for the text, which need not be kept: a collision costs a wrong estimate.
    const key = `${text.length}:${Bun.hash(text)}`
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= remembered_max)
      for (const old of first(known.keys(), remembered_max / 4)) known.delete(old)
    const tokens = estimate(text)
    known.set(key, tokens)
    return tokens
  }
}

function estimate(text: string): number {
  if (text.length <= 3 * sample_chars) return estimateTokenCount(text)
  const middle = (text.length - sample_chars) >> 1
  const sample = [0, middle, text.length - sample_chars].map((at) => text.slice(at, at + sample_chars))
  const tokens = sample.reduce((sum, piece) => sum + estimateTokenCount(piece), 0)
  return Math.ceil((tokens * text.length) / (3 * sample_chars))
}

function* first<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count
  for (const item of items) {
    if (left-- <= 0) return
    yield item
  }
}

/** A picture or a page of about a thousand pixels, as the large providers charge it. */
const attachment_tokens = 1_000

export function tokensOf(parts: readonly Part[], count: CountTokens): number {
  let tokens = 0
  for (const part of parts) {
    if (part.type === "text" || part.type === "reasoning") tokens += count(part.text)
    else if (part.type === "tool_result") {
      tokens += count(part.content) + (part.images?.length ?? 0) * attachment_tokens
    } else if (part.type === "tool_use")
      tokens += count(part.name) + count(JSON.stringify(part.input ?? null))
    else tokens += attachment_tokens
  }
  return tokens
}
