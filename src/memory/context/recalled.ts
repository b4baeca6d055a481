/** Passages that a search found for a message: which of them are shown, and how. */
import type { Database } from "bun:sqlite"
import type { Session } from "../../store/sessions.ts"
import { questionBefore, summaryStarts, writersOf } from "../../store/summaries.ts"
import type { ContextPiece, MemoryHit } from "../memory.ts"
import { fold, toVectorWords } from "../text/fold.ts"
import { quoted, toDay } from "./fence.ts"
import type { Words } from "./gate.ts"
import { toPassage } from "./passage.ts"
import type { CountTokens } from "./tokens.ts"

const passage_tokens_max = 120
/** Of the question in front of an answer. */
const question_tokens_max = 40

export type RecalledOptions = {
  db: Database
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

/** The hits that fit, best first; each once, however often it was said. */
export function recalledFrom(hits: readonly MemoryHit[], options: RecalledOptions): Recalled {
  const { budget, count } = options
  const writers = writersOf(
    options.db,
    hits.flatMap(({ message_id }) => message_id ?? []),
  )
  const starts = summaryStarts(
    options.db,
    hits.flatMap(({ id, kind }) => (kind === "summary" ? [id] : [])),
  )
  const said = plain(options.summaries)
  const seen: Set<string>[] = []
  const lines: string[] = []
  const pieces: ContextPiece[] = []
  let left = budget - count("Said before:")
  for (const hit of hits) {
    const { kind, id } = hit
    const tell = (text: string, tokens: number, included: boolean, why: string) =>
      pieces.push({ part: "recalled", id, kind, text, tokens, included, why })
    const passage = quoted(toPassage(hit.text, { ...options, tokens_max: passage_tokens_max }))
    const refused =
      unfit(hit, starts, options) ??
      (isFar(hit, options) ? `shares no word with the message: ${hit.why.join(", ")}` : undefined) ??
      (isSaid(passage, said) ? "is in the summary of older turns" : undefined)
    if (refused !== undefined) {
      tell(passage, 0, false, refused)
      continue
    }
    const grams = toGrams(passage)
    if (seen.some((other) => isAlike(grams, other))) {
      tell(passage, 0, false, "says the same as one above")
      continue
    }
    const writer = hit.message_id === null ? undefined : writers.get(hit.message_id)
    const line = `${toDay(hit.created_ms)}, ${whoOf(hit, writer?.role)}: ${passage}`
    const tokens = count(line) + 2
    if (tokens > left) {
      tell(line, tokens, false, `beyond the budget of ${budget} tokens: ${hit.why.join(", ")}`)
      continue
    }
    left -= tokens
    seen.push(grams)
    const asked = writer?.role === "assistant" ? questionOf(hit, writer.session_id, options) : undefined
    if (
      asked !== undefined &&
      asked.tokens <= left &&
      !seen.some((other) => isAlike(toGrams(asked.text), other))
    ) {
      left -= asked.tokens
      seen.push(toGrams(asked.text))
      lines.push(asked.line)
      tell(asked.line, asked.tokens, true, "the question of the next")
    }
    lines.push(line)
    tell(line, tokens, true, hit.why.join(", "))
  }
  return { lines, pieces }
}

/** Of what only the hash embedder found: below its first places it is chance. */
const hash_rank_max = 3
/** What a search reads of a text for its words. */
const compared_chars_max = 1_200

/** Found by neither a word nor anything that knows what words mean. */
function isFar({ text, why }: MemoryHit, { words, is_by_model }: RecalledOptions): boolean {
  if (is_by_model) return false
  const rank = why.map((one) => /^meaning (\d+)/.exec(one)?.[1]).find((found) => found !== undefined)
  if (rank !== undefined && Number(rank) <= hash_rank_max) return false
  return !toVectorWords(text.slice(0, compared_chars_max)).split(" ").some(words.has)
}

/** Why a hit is not shown, whatever it says. */
function unfit(
  hit: MemoryHit,
  starts: ReadonlyMap<number, number>,
  { session, shown_from }: RecalledOptions,
): string | undefined {
  if (hit.session_key !== session.key) return undefined
  const first = hit.kind === "summary" ? starts.get(hit.id) : hit.message_id
  if (first === undefined || first === null) return undefined
  if (first <= session.context_after) return "is from before the session's reset"
  if (hit.kind === "summary") return "is of this conversation, whose summaries are sent anyway"
  return first >= shown_from ? "is in the recent turns" : undefined
}

const whoOf = ({ kind, source }: MemoryHit, role: string | undefined): string => {
  if (kind === "note") return source === "import" ? "an imported note" : "a note"
  if (kind === "summary") return "summary of another conversation"
  return role === "user" ? "the user" : "you"
}

/** What the user had asked, in front of what was answered. */
function questionOf({ message_id }: MemoryHit, session_id: number, options: RecalledOptions) {
  const { db, session, count } = options
  const after = session_id === session.id ? session.context_after : 0
  const asked = questionBefore(db, session_id, { after, before: message_id! })
  if (!asked || (session_id === session.id && asked.id >= options.shown_from)) return undefined
  const text = quoted(toPassage(asked.text, { ...options, tokens_max: question_tokens_max }))
  if (text === "" || isSaid(text, plain(options.summaries))) return undefined
  const line = `${toDay(asked.created_ms)}, the user asked: ${text}`
  return { text, line, tokens: count(line) + 2 }
}

/** Letters and digits only: marks and blanks do not make two texts of one. */
const plain = (text: string) => fold(text).replace(/[^\p{L}\p{N}]+/gu, "")

/** Whether each sentence of a passage stands in the summaries already. */
function isSaid(passage: string, said: string): boolean {
  if (said === "") return false
  const sentences = passage
    .split(/(?<=[.!?…])\s+|(?<=[。！？])/u)
    .map(plain)
    .filter(Boolean)
  return sentences.length > 0 && sentences.every((sentence) => said.includes(sentence))
}

/** Groups of four letters, for what is alike but for a few. */
function toGrams(text: string): Set<string> {
  const letters = plain(text)
  const grams = new Set<string>()
  for (let i = 0; i + 4 <= letters.length; i++) grams.add(letters.slice(i, i + 4))
  if (letters.length < 4) grams.add(letters)
  return grams
}

const alike_min = 0.8

/** Whether the smaller of two is nearly all in the larger. */
function isAlike(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a]
  if (few.size < alike_min * many.size && few.size < 12) return false
  let shared = 0
  for (const gram of few) if (many.has(gram)) shared++
  return shared >= alike_min * few.size
}
