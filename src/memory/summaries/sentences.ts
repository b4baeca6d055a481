/** A summary without a model: the weightiest sentences, as they were said. */
import { textOf } from "../../base/parts.ts"
import { forgotten_text } from "../../store/forget.ts"
import type { StretchMessage } from "../../store/summaries.ts"
import { quoted } from "../context/fence.ts"
import type { CountTokens } from "../context/tokens.ts"
import { splitSentences } from "../facts/sentences.ts"
import { silence, toSpoken } from "../facts/spoken.ts"
import { weighSentence } from "./salience.ts"

type Candidate = { line: number; text: string; weight: number; tokens: number }

/** A message longer than this is judged by its beginning and its end. */
const message_chars_max = 8_000
/** A sentence longer than this is cut: it is a list or a log. */
const sentence_chars_max = 320
/** Weighs less than any statement: what is left out even where there is room. */
const weight_min = 0.3

const about_me = /about me|über mich|zu mir|sobre mí|à propos de moi|su di me|sobre mim|关于我/iu

/**
 * A line for each message of which something is kept, "User: …", in the order of the conversation; at most `tokens_max`
 * tokens. What is quoted, code or pasted is left out, as is what tools said. Deterministic.
 */
export function pickSentences(
  messages: readonly StretchMessage[],
  { tokens_max, count }: { tokens_max: number; count: CountTokens },
): string {
  const candidates = messages.flatMap(({ role, parts }, line) =>
    role === "tool" ? [] : sentencesOf(textOf(parts), role === "user", line, count),
  )
  const who = (line: number) => (messages[line]!.role === "user" ? "User: " : "Assistant: ")
  return pick(candidates, who, { tokens_max, count })
}

/** The same of summaries: lines that were picked or written before, each with what stands in front of its first colon. */
export function pickLines(
  lines: readonly string[],
  { tokens_max, count }: { tokens_max: number; count: CountTokens },
): string {
  const heads = lines.map((line) => /^(?:\[[\d-]+\] )?(?:(?:User|Assistant): |- )?/.exec(line)?.[0] ?? "")
  const candidates = lines.flatMap((line, i) => {
    const is_own = !heads[i]!.includes("Assistant")
    return split(line.slice(heads[i]!.length)).map(({ text, is_question }) =>
      toCandidate(i, text, weighSentence({ text, is_question, is_own }), count),
    )
  })
  return pick(candidates, (line) => heads[line]!, { tokens_max, count })
}

function pick(
  candidates: readonly Candidate[],
  headOf: (line: number) => string,
  { tokens_max, count }: { tokens_max: number; count: CountTokens },
): string {
  const seen = new Set<string>()
  const order = [...candidates.entries()].sort(([i, a], [j, b]) => b.weight - a.weight || i - j)
  const taken = new Set<number>()
  const begun = new Set<number>()
  let left = tokens_max
  for (const [i, { line, text, weight, tokens }] of order) {
    if (weight < weight_min) break
    const cost = tokens + (begun.has(line) ? 0 : count(headOf(line)) + 1)
    if (cost > left || seen.has(text)) continue
    left -= cost
    seen.add(text)
    begun.add(line)
    taken.add(i)
  }
  const lines = new Map<number, string[]>()
  for (const [i, { line, text }] of candidates.entries())
    if (taken.has(i)) lines.set(line, [...(lines.get(line) ?? []), text])
  return [...lines].map(([line, texts]) => `${headOf(line)}${texts.join(" ")}`).join("\n")
}

function sentencesOf(all: string, is_own: boolean, line: number, count: CountTokens): Candidate[] {
  if (all === forgotten_text) return []
  const text = shorten(all)
  const spoken = toSpoken(text, about_me)
  return splitSentences(spoken).flatMap(({ start, end, is_question }) => {
    const own = spoken.slice(start, end)
    const silent = own.split(silence).length - 1
    // A name in quotation marks is the user's own word; a sentence that is mostly somebody else's is not.
    if (silent > 24 && silent * 2 > own.length) return []
    const said = quoted(
      silent > 24 ? own.replace(new RegExp(`${silence}+`, "g"), "…") : text.slice(start, end),
    )
    const weight = weighSentence({ text: said, is_question, is_own })
    return said === "" ? [] : [toCandidate(line, said, weight, count)]
  })
}

const shorten = (text: string) =>
  text.length <= message_chars_max
    ? text
    : `${text.slice(0, message_chars_max / 2).toWellFormed()}\n\n${text.slice(-message_chars_max / 2).toWellFormed()}`

const split = (text: string) =>
  splitSentences(text).flatMap(({ start, end, is_question }) => {
    const said = text.slice(start, end).trim()
    return said === "" ? [] : [{ text: said, is_question }]
  })

function toCandidate(line: number, said: string, weight: number, count: CountTokens): Candidate {
  const text =
    said.length <= sentence_chars_max ? said : `${said.slice(0, sentence_chars_max).toWellFormed()}…`
  const tokens = count(text)
  // Of two that weigh about the same the shorter one leaves room for another.
  return { line, text, weight: weight === 0 ? 0 : weight - tokens / 200, tokens }
}
