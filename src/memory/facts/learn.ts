import {
  addFact,
  currentFacts,
  lastFactIn,
  refreshFact,
  type StoredFact,
  settleDisputes,
  supersedeFact,
} from "../../store/facts.ts"
import type { MemorySource } from "../../store/memory.ts"
import { putWords } from "../../store/memory-index.ts"
import type { Store } from "../../store/open.ts"
import { hashText } from "../index/hash.ts"
import { fold, toWords } from "../text/fold.ts"
import type { FoundFact } from "./fact.ts"
import { importanceOf, isDisputable, isMultiValued } from "./predicates.ts"

export type Told = {
  owner_id: number
  /** With which the facts go; null where they were told to no session. */
  session_id: number | null
  message_id: number | null
  found: readonly FoundFact[]
  source: MemorySource
  now_ms: number
}

export type LearntFact = {
  memory_id: number
  uid: string
  /** "known": it was, and is now surer. "disputed": it is kept beside another one that says otherwise. */
  outcome: "new" | "known" | "superseding" | "disputed" | "ended"
}

/** From this confidence on a fact has weight. */
const weight_min = 0.75
/** Within one conversation and so long the later word is a correction, not a contradiction. */
const same_talk_ms = 24 * 3_600_000

/**
 * Writes what was found, within the caller's transaction, and answers what became of each, but for an end of something
 * that was not known.
 *
 * - The same value again is refreshed: the higher confidence, the later time and session. It also settles a dispute.
 * - Predicates with several values at once (likes, allergies, pets; `predicates.ts`) accumulate.
 * - "No longer" ends the value that it names, and puts nothing in its place.
 * - Any other new value supersedes, with one exception: *a dispute*. It is one where both have a confidence of at least 0.75, the
 *   predicate is of a kind that seldom changes (`isDisputable`), the new one is not said as a change ("now", "moved"), neither
 *   value has the other in it, and the old one is from another session or older than 24 hours. Then both hold, the new one with
 *   `disputes` set, until one of them is said again, a third is, one is said as a change, or one is forgotten.
 *
 * Nothing is deleted. A fact is a row of its session and goes with it; its message may go before (`said_in` becomes null).
 */
export function learnFacts(db: Store["db"], told: Told): LearntFact[] {
  return told.found.flatMap((found) => learnFact(db, told, found) ?? [])
}

function learnFact(db: Store["db"], told: Told, found: FoundFact): LearntFact | undefined {
  const fact = { ...found, subject: subjectOf(db, told, found) }
  const key = toKey(fact)
  const object = found.day ? `${found.object} (${found.day})` : found.object
  const current = currentFacts(db, told.owner_id, key)
  if (found.is_negated) return end(db, current, object, told.now_ms)
  const same = current.find((known) => isSame(known.object, object))
  if (same) return affirm(db, told, found, same, isMultiValued(fact.predicate) ? [] : current)
  const others = isMultiValued(fact.predicate) ? [] : current
  // The patterns have read it more exactly.
  if (
    told.source === "model" &&
    others.some(({ said_in }) => said_in !== null && said_in === told.message_id)
  ) {
    return undefined
  }
  // A third value is the end of a dispute between two.
  const disputed =
    others.length === 1 && isDispute(told, { ...fact, object }, others[0]!) ? others[0] : undefined
  const uid = crypto.randomUUID()
  const memory_id = write(db, told, { ...fact, object }, { uid, key, disputes: disputed?.uid ?? null })
  if (disputed) return { memory_id, uid, outcome: "disputed" }
  for (const known of others) supersedeFact(db, known.memory_id, { now_ms: told.now_ms, by: uid })
  return { memory_id, uid, outcome: others.length > 0 ? "superseding" : "new" }
}

/** "We have until 3 March now", where the last deadline that was spoken of is the grant's. */
function subjectOf(db: Store["db"], { owner_id, session_id }: Told, found: FoundFact): string {
  if (!found.is_vague || !found.is_change || session_id === null) return found.subject
  return lastFactIn(db, { owner_id, session_id, predicate: found.predicate })?.subject ?? found.subject
}

/** What supersedes what. */
export const toKey = ({ subject, predicate }: { subject: string; predicate: string }): string =>
  `${plain(subject)}\n${plain(predicate)}`

const plain = (text: string) =>
  fold(text)
    .replace(/[\s_]+/g, " ")
    .trim()

const isSame = (one: string, other: string) => plain(one) === plain(other)

/** "Acme" and "Acme Tooling", "Bonn" and "Bonn on the Rhine". */
const isPartOf = (one: string, other: string) => {
  const [a, b] = [plain(one), plain(other)]
  return a.includes(b) || b.includes(a)
}

function isDispute({ session_id, now_ms }: Told, found: FoundFact, known: StoredFact): boolean {
  if (found.is_change || !isDisputable(found.predicate) || isPartOf(known.object, found.object)) return false
  if (found.confidence < weight_min || known.confidence < weight_min) return false
  const is_same_talk = session_id !== null && session_id === known.session_id
  return !(is_same_talk && now_ms - known.learned_ms <= same_talk_ms)
}

/** Which of them it is that ended is said by its value; one of several, or the only one. */
function end(db: Store["db"], current: StoredFact[], object: string, now_ms: number): LearntFact | undefined {
  const ended = current.find((known) => isPartOf(known.object, object))
  if (!ended) return undefined
  settleDisputes(db, ended.uid)
  supersedeFact(db, ended.memory_id, { now_ms, by: null })
  return { memory_id: ended.memory_id, uid: ended.uid, outcome: "ended" }
}

function affirm(
  db: Store["db"],
  told: Told,
  found: FoundFact,
  same: StoredFact,
  current: StoredFact[],
): LearntFact {
  const { now_ms, session_id, message_id } = told
  // A model reads what was said before once more; that is nobody's word on which holds.
  const others = told.source === "model" ? [] : current.filter((other) => other !== same)
  if (told.source !== "model") settleDisputes(db, same.uid)
  for (const other of others) {
    supersedeFact(db, other.memory_id, { now_ms, by: same.uid })
  }
  refreshFact(db, same.memory_id, { confidence: found.confidence, now_ms, session_id, said_in: message_id })
  // Of the sentence that it is known by, and no other: that one may be forgotten, or deleted.
  putWords(db, same.memory_id, told.owner_id, toWords(`${sayFact(same)} ${found.said}`))
  return { memory_id: same.memory_id, uid: same.uid, outcome: "known" }
}

const sayFact = ({ subject, predicate, object }: Pick<FoundFact, "subject" | "predicate" | "object">) =>
  `${subject}'s ${predicate}: ${object}`

function write(
  db: Store["db"],
  { owner_id, session_id, message_id, source, now_ms }: Told,
  { type, subject, predicate, object, confidence, said }: FoundFact,
  { uid, key, disputes }: { uid: string; key: string; disputes: string | null },
): number {
  const text = sayFact({ subject, predicate, object })
  const memory = {
    ...{ owner_id, kind: "fact" as const, session_id, text, hash: hashText(text), source },
    // The message may go before the fact does; `said_in` says which it was.
    message_id: null,
    importance: importanceOf(predicate),
    created_ms: now_ms,
    tags: [],
    // The sentence is in the user's language, and in his words for it.
    words: toWords(`${text} ${said}`),
  }
  const fact = { uid, type, subject, predicate, object, confidence, key, disputes }
  return addFact(db, memory, { ...fact, said_in: message_id, learned_ms: now_ms })
}
