/** Passages that a search found for a message: which of them are shown, and how. */

import { toSender } from "../../base/session-key.ts"
import type { Store } from "../../store/open.ts"
import type { Session } from "../../store/sessions.ts"
import { questionBefore, summaryStarts, writersOf } from "../../store/summaries.ts"
import type { ContextPiece, MemoryHit } from "../memory.ts"
import { quoted, toDay } from "./fence.ts"
import type { Words } from "./gate.ts"
import { toPassage } from "./passage.ts"
import type { CountTokens } from "./tokens.ts"

const passage_tokens_max = 120
/** Of the question in front of an answer, and to how many answers it is looked for. */
const question_tokens_max = 40
const questions_max = 3

export type RecalledOptions = {
  db: Store["db"]
  session: Session
  /** The session's first message that is sent as it is; what comes from there on is no memory. */
  shown_from: number
  /** What the system text says of older stretches. */
  summaries: string
  words: Words
  /** Whether only a model of embeddings may say that a text belongs to the message although no word of it does. */
  is_by_model: boolean
  budget: number
  count: CountTokens
}

export type Recalled = { lines: string[]; pieces: ContextPiece[] }

/** Below it no line fits, and what is left need not be looked at. */
const line_tokens_min = 16
/** Of a text that is not shown. */
const excerpt_chars_max = 240

type Line = { hit: MemoryHit; text: string; tokens: number; grams: Set<number> }

/** The hits that fit, best first; each once, however often it was said. */
export function recalledFrom(hits: readonly MemoryHit[], options: RecalledOptions): Recalled {
  const { db, budget, count } = options
  const writers = writersOf(
    db,
    hits.flatMap(({ message_id }) => message_id ?? []),
  )
  const starts = summaryStarts(
    db,
    hits.flatMap(({ id, kind }) => (kind === "summary" ? [id] : [])),
  )
  const said = options.summaries
  const taken: Line[] = []
  const lines: string[] = []
  const pieces: ContextPiece[] = []
  let left = budget - count("Said before:")
  let questions = 0
  for (const hit of hits) {
    const { kind, id, why } = hit
    const tell = (text: string, tokens: number, refused?: string) =>
      pieces.push({
        ...{ part: "recalled", id, kind, text, tokens, included: refused === undefined },
        why: refused ?? why.join(", "),
      })
    const beyond = `beyond the budget of ${budget} tokens: ${why.join(", ")}`
    const refused = unfit(hit, starts, options) ?? (left < line_tokens_min ? beyond : undefined)
    if (refused !== undefined) {
      tell(quoted(hit.text.slice(0, excerpt_chars_max).toWellFormed()), 0, refused)
      continue
    }
    const writer = hit.message_id === null ? undefined : writers.get(hit.message_id)
    const line = toLine(hit, writer?.role, options)
    const known = alreadyThere(line, taken, said)
    if (known !== undefined || line.tokens > left) {
      tell(line.text, line.tokens, known ?? beyond)
      continue
    }
    left -= line.tokens
    taken.push(line)
    const is_answer = writer?.role === "assistant" && questions++ < questions_max
    const asked = is_answer ? questionOf(hit, writer.session_id, options) : undefined
    if (asked && asked.tokens <= left && alreadyThere(asked, taken, said) === undefined) {
      left -= asked.tokens
      taken.push(asked)
      lines.push(asked.text)
      tell(asked.text, asked.tokens)
    }
    lines.push(line.text)
    tell(line.text, line.tokens)
  }
  return { lines, pieces }
}

function toLine(hit: MemoryHit, role: string | undefined, options: RecalledOptions): Line {
  const passage = quoted(toPassage(hit.text, { ...options, tokens_max: passage_tokens_max }))
  const text = `${toDay(hit.created_ms)}, ${whoOf(hit, role, options.session)}: ${passage}`
  return { hit, text, tokens: options.count(text) + 2, grams: toGrams(passage) }
}

function alreadyThere({ text, grams }: Line, taken: readonly Line[], said: string): string | undefined {
  if (taken.some((other) => isAlike(grams, other.grams))) return "says the same as one above"
  return isSaid(text.slice(text.indexOf(": ") + 2), said) ? "is in the summary of older turns" : undefined
}

/** Of what only the hash embedder found: below its first places it is chance. */
const hash_rank_max = 3

/** Found by neither a word nor anything that knows what words mean. */
function isFar({ why }: MemoryHit, { is_by_model }: RecalledOptions): boolean {
  if (is_by_model || why.some((one) => one.startsWith("words"))) return false
  const rank = why.map((one) => /^meaning (\d+)/.exec(one)?.[1]).find((found) => found !== undefined)
  return rank !== undefined && Number(rank) > hash_rank_max
}

/** Why a hit is not shown, whatever it says. */
function unfit(
  hit: MemoryHit,
  starts: ReadonlyMap<number, number>,
  options: RecalledOptions,
): string | undefined {
  const { session, shown_from } = options
  const first = hit.kind === "summary" ? starts.get(hit.id) : hit.message_id
  if (hit.session_key === session.key && first !== undefined && first !== null) {
    if (first <= session.context_after) return "is from before the session's reset"
    if (hit.kind === "summary") return "is of this conversation, whose summaries are sent anyway"
    if (first >= shown_from) return "is in the recent turns"
  }
  return isFar(hit, options) ? `shares no word with the message: ${hit.why.join(", ")}` : undefined
}

function whoOf({ kind, source, owner }: MemoryHit, role: string | undefined, session: Session): string {
  if (owner.namespace !== "") return quoted(`shared by ${owner.agent} in ${owner.namespace}`)
  if (kind === "note") return source === "import" ? "an imported note" : "a note"
  if (kind === "summary") return "summary of another conversation"
  if (role === "assistant") return "you"
  return owner.sender === "" || owner.sender === toSender(session) ? "the user" : "another user"
}

/** What the user had asked, in front of what was answered. */
function questionOf(hit: MemoryHit, session_id: number, options: RecalledOptions): Line | undefined {
  const { db, session, count } = options
  const is_here = session_id === session.id
  const after = is_here ? session.context_after : 0
  const asked = questionBefore(db, session_id, { after, before: hit.message_id! })
  if (!asked || (is_here && asked.id >= options.shown_from)) return undefined
  const said = quoted(toPassage(asked.text, { ...options, tokens_max: question_tokens_max }))
  if (said === "") return undefined
  const text = `${toDay(asked.created_ms)}, the user asked: ${said}`
  return { hit, text, tokens: count(text) + 2, grams: toGrams(said) }
}

/** Whether each sentence of a passage stands in the summaries already: they have sentences as they were said. */
function isSaid(passage: string, said: string): boolean {
  if (said === "" || passage.includes("…")) return false
  const sentences = passage.split(/(?<=[.!?])\s+|(?<=[。！？])/u).filter((sentence) => sentence !== "")
  return sentences.length > 0 && sentences.every((sentence) => said.includes(sentence))
}

/** Groups of four letters and digits as numbers, for what is alike but for a few. */
function toGrams(text: string): Set<number> {
  const grams = new Set<number>()
  let gram = 0
  let length = 0
  const lower = text.toLowerCase()
  for (let i = 0; i < lower.length; i++) {
    const code = lower.charCodeAt(i)
    // Of ASCII only letters and digits; beyond it nearly all are letters.
    if (code < 128 && !((code >= 97 && code <= 122) || (code >= 48 && code <= 57))) continue
    gram = (Math.imul(gram, 256) + code) | 0
    if (++length >= 4 || i === lower.length - 1) grams.add(gram)
  }
  return grams
}

const alike_min = 0.8
/** A shorter text says the same as a longer one only if it is nearly as long, or very short and all of it. */
const short_grams = 12

/** Whether the smaller of two is nearly all in the larger. */
function isAlike(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a]
  if (few.size < alike_min * many.size && few.size > short_grams) return false
  let shared = 0
  for (const gram of few) if (many.has(gram)) shared++
  return shared >= alike_min * few.size
}
