/** What is known and of use for a message: facts that hold, and those of which nobody knows which holds. */
import type { KnownFact } from "../../store/known-facts.ts"
import type { ContextPiece, MemoryFact } from "../memory.ts"
import { fold } from "../text/fold.ts"
import { quoted, toDay } from "./fence.ts"
import type { Words } from "./gate.ts"
import type { CountTokens } from "./tokens.ts"

const day_ms = 86_400_000
/** After so long anything may be otherwise. */
const stale_after_ms = 30 * day_ms
/** What seldom changes needs no date for a while. */
const lasting = /name|birthday|pronouns|language|allergy|diet|health|relation|sister|brother|mother|father/
const line_chars_max = 240
/** What is of use for nearly every answer. */
const basic = /^(?:name|nickname|language|location|instruction)$/
const disputes_max = 3

export type KnownOptions = {
  /** Of the message. */
  words: Words
  /** Rows that a search found for the message, best first. */
  found: readonly number[]
  budget: number
  now_ms: number
  count: CountTokens
}

export type Known = { lines: string[]; pieces: ContextPiece[] }

type Line = { id: number; text: string; score: number; learned_ms: number; tokens: number; why: string }

/** The facts that fit, best for the message first where not all do; in the order in which they were learnt. */
export function knownFor(facts: readonly KnownFact[], options: KnownOptions): Known {
  const { budget, count } = options
  if (budget === 0 || facts.length === 0) return { lines: [], pieces: [] }
  const by_uid = new Map(facts.map((fact) => [fact.uid, fact]))
  const disputes = facts.flatMap((fact) => {
    const other = fact.disputes === undefined ? undefined : by_uid.get(fact.disputes)
    return other ? [[fact, other] as const] : []
  })
  const unclear = new Set(disputes.flatMap((both) => both.map(({ id }) => id)))
  const lines = [
    ...facts.filter(({ id }) => !unclear.has(id)).map((fact) => toLine(fact, options)),
    ...disputes.map((both) => toDispute(both, options)),
  ].sort((a, b) => b.score - a.score || a.id - b.id)
  // With the words above them.
  let left = budget - count("Known facts:")
  let asked = 0
  const included = new Set<Line>()
  for (const line of lines) {
    const is_question = line.why.startsWith("unclear")
    if (line.tokens > left || (is_question && asked === disputes_max)) continue
    left -= line.tokens
    if (is_question) asked++
    included.add(line)
  }
  const order = [...included].sort((a, b) => a.learned_ms - b.learned_ms || a.id - b.id)
  return {
    lines: order.map(({ text }) => text),
    pieces: lines.map((line) => toPiece(line, included, budget)),
  }
}

const toPiece = (line: Line, included: ReadonlySet<Line>, budget: number): ContextPiece => ({
  ...{ part: "facts", id: line.id, kind: "fact", text: line.text, tokens: line.tokens },
  included: included.has(line),
  why: included.has(line) ? line.why : `beyond the budget of ${budget} tokens: ${line.why}`,
})

function toLine(fact: KnownFact, options: KnownOptions): Line {
  const age_ms = options.now_ms - fact.learned_ms
  const is_dated = age_ms >= stale_after_ms || (age_ms >= day_ms && !lasting.test(fact.predicate))
  const dated = is_dated ? ` (said ${toDay(fact.learned_ms)})` : ""
  const text = `${sayFact(fact)}${dated}${fromWhom(fact)}`
  const { score, why } = weigh(fact, options)
  // The line's own mark and end.
  const tokens = options.count(text) + 2
  return { id: fact.id, text, score, learned_ms: fact.learned_ms, tokens, why }
}

function toDispute([one, other]: readonly [KnownFact, KnownFact], options: KnownOptions): Line {
  const say = ({ object, learned_ms }: KnownFact) => `${cut(quoted(object))} (said ${toDay(learned_ms)})`
  const of = `${quoted(one.subject)}'s ${toWords(one.predicate)}`
  const text = `Unclear${fromWhom(one)}: ${of} is ${say(other)} or ${say(one)}. Where it matters, ask the user which holds.`
  const weights = [weigh(one, options), weigh(other, options)]
  const score = Math.max(...weights.map(({ score }) => score))
  const tokens = options.count(text) + 2
  return { id: one.id, text, score, learned_ms: one.learned_ms, tokens, why: "unclear: two facts disagree" }
}

/** What another agent's sender shared says nothing of the user who is speaking now. */
const fromWhom = ({ agent, namespace }: KnownFact): string =>
  namespace === "" ? "" : ` (shared by ${quoted(agent)} in ${quoted(namespace)}, not said by this user)`

const cut = (text: string) =>
  text.length <= line_chars_max ? text : `${text.slice(0, line_chars_max).toWellFormed()}…`

const toWords = (predicate: string) => quoted(predicate.replaceAll("_", " "))

export const sayFact = ({
  subject,
  predicate,
  object,
}: Pick<MemoryFact, "subject" | "predicate" | "object">) =>
  `${quoted(subject.replaceAll("_", " "))}'s ${toWords(predicate)}: ${cut(quoted(object))}`

/** By what it shares with the message, its weight, and its age. */
function weigh(fact: KnownFact, { words, found, now_ms }: KnownOptions): { score: number; why: string } {
  const rank = found.indexOf(fact.id)
  const own = fold(`${fact.subject} ${fact.predicate} ${fact.object}`)
  let shared = 0
  for (const mark of words.marks) if (own.includes(mark)) shared++
  const match = (rank < 0 ? 0 : 1 / (1 + rank / 4)) + Math.min(1, shared / 2)
  const recency = 1 / (1 + Math.max(0, now_ms - fact.learned_ms) / stale_after_ms)
  const is_basic = fact.namespace === "" && fact.subject === "user" && basic.test(fact.predicate)
  const score = 2 * match + fact.importance * fact.confidence + 0.3 * recency + (is_basic ? 0.4 : 0)
  return { score, why: match > 0 ? "matches the message" : is_basic ? "basic" : "known" }
}
