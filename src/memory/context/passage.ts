/** The part of a text that answers, where the whole is too long. */
import { splitSentences } from "../facts/sentences.ts"
import { fold } from "../text/fold.ts"
import type { Words } from "./gate.ts"
import type { CountTokens } from "./tokens.ts"

export type PassageOptions = { words: Words; tokens_max: number; count: CountTokens }

/** Sentences of one text have more or fewer tokens to a letter than all of it. */
const unevenness = 1.15

/**
 * The whole text where it has about `tokens_max` tokens; else the sentence with the most of the words and as many around it as
 * fit, what follows first, with an ellipsis where something was left out.
 */
export function toPassage(text: string, { words, tokens_max, count }: PassageOptions): string {
  // No text has more tokens than code units.
  if (text.length <= tokens_max) return text
  const tokens = count(text)
  if (tokens <= tokens_max) return text
  // Counting each sentence would cost more than finding it.
  const chars_max = Math.max(16, Math.floor((text.length * tokens_max) / (tokens * unevenness)))
  const sentences = splitSentences(text)
  const best = bestOf(
    sentences.map(({ start, end }) => text.slice(start, end)),
    words,
  )
  const { start, end } = sentences[best]!
  if (end - start > chars_max) return cutAround(text, start, end, words, chars_max)
  let [from, to] = [best, best + 1]
  for (let is_growing = true; is_growing; ) {
    const room = chars_max - (sentences[to - 1]!.end - sentences[from]!.start)
    const [before, after] = [sentences[from - 1], sentences[to]]
    is_growing = true
    if (after && after.end - after.start <= room) to++
    else if (before && before.end - before.start <= room) from--
    else is_growing = false
  }
  return ellipsed(text, sentences[from]!.start, sentences[to - 1]!.end)
}

function ellipsed(text: string, from: number, to: number): string {
  const said = text.slice(from, to).toWellFormed().trim()
  return `${from > 0 ? "… " : ""}${said}${to < text.length ? " …" : ""}`
}

function bestOf(sentences: readonly string[], { marks }: Words): number {
  let best = 0
  let most = 0
  for (const [i, sentence] of sentences.entries()) {
    const folded = fold(sentence)
    const found = marks.reduce((sum, mark) => (folded.includes(mark) ? sum + 1 : sum), 0)
    if (found > most) [best, most] = [i, found]
  }
  return best
}

/** A sentence without end: as many characters around the first of the words. */
function cutAround(text: string, start: number, end: number, { marks }: Words, chars_max: number): string {
  const folded = fold(text.slice(start, end))
  // Folding moves places by little.
  const places = marks.map((mark) => folded.indexOf(mark)).filter((at) => at >= 0)
  const at = start + (places.length > 0 ? Math.min(...places) : 0)
  const from = Math.max(start, Math.min(at - (chars_max >> 2), end - chars_max))
  return ellipsed(text, from, Math.min(end, from + chars_max))
}
