/** The part of a text that answers, where the whole is too long. */
import { splitSentences } from "../facts/sentences.ts"
import { toVectorWords } from "../text/fold.ts"
import type { Words } from "./gate.ts"
import type { CountTokens } from "./tokens.ts"

/** Below it a text is shown whole; the sentences around what matched, otherwise. */
export type PassageOptions = { words: Words; tokens_max: number; count: CountTokens }

/**
 * At most `tokens_max` tokens of the text: the sentence with the most of the words, and as many around it as fit, what follows
 * first. With an ellipsis where something was left out.
 */
export function toPassage(text: string, { words, tokens_max, count }: PassageOptions): string {
  // No text has more tokens than characters; most are counted only once they are worth it.
  if (text.length <= tokens_max || count(text) <= tokens_max) return text
  const sentences = splitSentences(text).map(({ start, end }) => text.slice(start, end))
  const best = bestOf(sentences, words)
  let tokens = count(sentences[best]!)
  if (tokens > tokens_max) return cutAround(sentences[best]!, { words, tokens_max, count })
  let [from, to] = [best, best + 1]
  for (;;) {
    const after = sentences[to]
    const before = sentences[from - 1]
    const next = after !== undefined && tokens + count(after) <= tokens_max ? after : undefined
    const piece = next ?? (before !== undefined && tokens + count(before) <= tokens_max ? before : undefined)
    if (piece === undefined) break
    tokens += count(piece)
    if (next === undefined) from--
    else to++
  }
  const said = sentences.slice(from, to).join("").trim()
  return `${from > 0 ? "… " : ""}${said}${to < sentences.length ? " …" : ""}`
}

function bestOf(sentences: readonly string[], words: Words): number {
  let best = 0
  let most = 0
  for (const [i, sentence] of sentences.entries()) {
    const found = new Set(
      toVectorWords(sentence)
        .split(" ")
        .filter((word) => words.has(word)),
    ).size
    if (found > most) [best, most] = [i, found]
  }
  return best
}

/** A sentence without end: as many characters around its first word that matched. */
function cutAround(sentence: string, { words, tokens_max, count }: PassageOptions): string {
  const chars_max = Math.max(16, Math.floor((sentence.length * tokens_max) / count(sentence) / 1.2))
  const at = firstMatch(sentence, words)
  const from = Math.max(0, Math.min(at - (chars_max >> 2), sentence.length - chars_max))
  const cut = sentence.slice(from, from + chars_max).toWellFormed()
  return `${from > 0 ? "… " : ""}${cut.trim()}${from + chars_max < sentence.length ? " …" : ""}`
}

function firstMatch(sentence: string, words: Words): number {
  for (const { 0: run, index } of sentence.matchAll(/[\p{L}\p{N}\p{M}]+/gu))
    if (
      toVectorWords(run)
        .split(" ")
        .some((word) => words.has(word))
    )
      return index
  return 0
}
