/** Takes exported rows in again: each once, in the order in which they come. */
import { currentFacts, supersedeFact } from "../../store/facts.ts"
import { addTags, takeOwner } from "../../store/memory.ts"
import { progressOf } from "../../store/memory-index.ts"
import {
  countSame,
  findMessageOf,
  findSessionOf,
  hasFact,
  hasTriple,
  importFact,
  importRow,
  importSummary,
  type MessageRef,
  type RowToImport,
} from "../../store/memory-transfer.ts"
import type { Store } from "../../store/open.ts"
import { learnFacts, toKey } from "../facts/learn.ts"
import { isMultiValued } from "../facts/predicates.ts"
import { hashText } from "../index/hash.ts"
import { toWords } from "../text/fold.ts"
import type { NewVector, Vectors } from "../vectors/set.ts"
import type { Origin, TransferEmbedder, TransferRow } from "./row.ts"

export type ImportBatch = {
  rows: readonly TransferRow[]
  /** What made the vectors of the rows. Those of another embedder than the one in use are not taken. */
  embedder: TransferEmbedder | undefined
}

export type Imported = {
  added: number
  /** Rows that were here already. */
  known: number
  /** Of those added, messages and summaries whose session is not here: they are notes now. */
  detached: number
  /** Messages that are here and not indexed yet; that is done by itself. */
  left: number
  /** Vectors that were taken over; the others are made anew. */
  vectors: number
}

type ImportDeps = { store: Store; vectors: Pick<Vectors, "sets" | "add"> }

/** All of the batch, or nothing where it fails. */
export function importRows(
  { store, vectors }: ImportDeps,
  { rows, embedder }: ImportBatch,
): Promise<Imported> {
  const set = vectors.sets().find((one) => one.embedder === embedder?.id && one.dim === embedder.dim)
  return store.commit((db) => {
    const done: Imported = { added: 0, known: 0, detached: 0, left: 0, vectors: 0 }
    const made: NewVector[] = []
    for (const row of rows) {
      const taken = takeIn(db, row)
      if (typeof taken === "string") {
        done[taken]++
        continue
      }
      done.added++
      if (taken.is_detached) done.detached++
      const vector = set && toVector(row.vector, set.dim)
      if (vector) made.push({ memory_id: taken.id, vector })
    }
    if (set && made.length > 0) done.vectors = vectors.add(db, set.id, made)
    return done
  })
}

type Taken = "known" | "left" | { id: number; is_detached: boolean }

export function takeIn(db: Store["db"], row: TransferRow): Taken {
  const { agent, sender, namespace, fact } = row
  const owner_id = takeOwner(db, { agent, sender: namespace === "" ? sender : "", namespace })
  if (fact && (fact.uid === undefined || fact.key === undefined)) return learn(db, owner_id, row, fact)
  if (fact?.uid !== undefined && hasFact(db, fact.uid)) return "known"
  const place = placeOf(db, row)
  if (place === "left") return place
  const stored: RowToImport = {
    ...{ owner_id, kind: place.kind, session_id: place.session_id, message_id: place.message_id },
    ...{ text: place.is_whole ? null : row.text, hash: hashText(row.text) },
    ...{ importance: row.importance, source: row.source, created_ms: row.created_ms },
    ...{ used_ms: row.used_ms ?? null, uses: row.uses, origin: place.origin },
  }
  if (!fact && countSame(db, stored, row) > row.nth) return "known"
  const id = importRow(db, stored, { tags: row.tags, words: toWords(row.text) })
  if (fact) {
    const said_in = place.origin === null ? (fact.said_in?.id ?? null) : null
    const kept = { ...fact, uid: fact.uid!, key: fact.key!, learned_ms: fact.learned_ms ?? row.created_ms }
    const state = holding(db, owner_id, id, kept)
    importFact(db, id, { ...kept, ...state, disputes: fact.disputes ?? null, said_in })
  }
  if (place.kind === "summary") importSummary(db, id, place.session_id!, row.summary!)
  return { id, is_detached: place.kind !== row.kind }
}

type Kept = NonNullable<TransferRow["fact"]> & { uid: string; key: string; learned_ms: number }

/**
 * Whether the fact still holds beside what is known here: of two values of the same thing the later one does, as if both had
 * been learnt here. In one export there are not two but where they are disputed, so there nothing changes.
 */
function holding(
  db: Store["db"],
  owner_id: number,
  memory_id: number,
  { uid, key, predicate, learned_ms, superseded_ms, superseded_by, disputes }: Kept,
): { superseded_ms: number | null; superseded_by: string | null } {
  const as_it_was = { superseded_ms: superseded_ms ?? null, superseded_by: superseded_by ?? null }
  if (superseded_ms !== undefined || isMultiValued(predicate)) return as_it_was
  const others = currentFacts(db, owner_id, key).filter((other) => other.memory_id !== memory_id)
  if (others.some((other) => other.uid === disputes)) return as_it_was
  const later = others.find((other) => other.learned_ms > learned_ms)
  if (later) return { superseded_ms: later.learned_ms, superseded_by: later.uid }
  for (const other of others) supersedeFact(db, other.memory_id, { now_ms: learned_ms, by: uid })
  return as_it_was
}

/**
 * What was written down elsewhere supersedes what was known before that, as if it were said then; where something newer is
 * known by now, it is a note.
 */
function learn(
  db: Store["db"],
  owner_id: number,
  row: TransferRow,
  { type, subject, predicate, object, confidence }: NonNullable<TransferRow["fact"]>,
): Taken {
  const { text, tags, source, created_ms } = row
  if (hasTriple(db, owner_id, { subject, predicate, object })) return "known"
  const current = isMultiValued(predicate) ? [] : currentFacts(db, owner_id, toKey({ subject, predicate }))
  if (current.some(({ learned_ms }) => learned_ms > created_ms)) {
    const { fact: _fact, ...note } = row
    return takeIn(db, { ...note, kind: "note" })
  }
  const found = {
    type,
    subject,
    predicate,
    object,
    confidence,
    start: 0,
    end: 0,
    said: text,
    is_change: true,
  }
  const told = { owner_id, session_id: null, message_id: null, source, now_ms: created_ms }
  const learnt = learnFacts(db, { ...told, found: [found] })[0]
  if (!learnt) return "known"
  addTags(db, learnt.memory_id, tags)
  return { id: learnt.memory_id, is_detached: false }
}

type Place = Pick<RowToImport, "kind" | "session_id" | "message_id" | "origin"> & { is_whole: boolean }

/** Where the row belongs: to its very session and message where they are all here, else to nothing. */
function placeOf(db: Store["db"], row: TransferRow): Place | "left" {
  const { agent, sender, kind, text, session, message, summary, fact } = row
  // A row of another owner has no say in a conversation: with it the conversation's text could be read, or forgotten.
  const is_own = session?.key === `${agent}:${sender}`
  const session_id = session && is_own ? findSessionOf(db, session.key, session.created_ms) : undefined
  const refs = [message, summary?.first, summary?.last, fact?.said_in].filter((one) => one !== undefined)
  const texts = refs.map((ref) => findText(db, session_id, ref))
  const has_needed =
    { message, tool_result: message, summary, fact: true, note: true }[kind] !== undefined &&
    (session === undefined) === (session_id === undefined)
  if (has_needed && texts.every((found) => found !== undefined)) {
    const is_pending = message !== undefined && message.id > progressOf(db, "indexed")
    if (is_pending) return "left"
    const is_whole = kind === "message" && texts[0] === text
    const found = { session_id: session_id ?? null, message_id: message?.id ?? null }
    return { kind, ...found, origin: null, is_whole }
  }
  const becomes = kind === "fact" ? "fact" : "note"
  const origin: Origin = {
    ...(becomes !== kind && { kind }),
    ...(session && { session }),
    ...(message && { message }),
    ...(summary && { summary }),
    ...(fact?.said_in && { said_in: fact.said_in }),
  }
  const kept = JSON.stringify(origin)
  return { kind: becomes, session_id: null, message_id: null, origin: kept, is_whole: false }
}

const findText = (db: Store["db"], session_id: number | undefined, ref: MessageRef): string | undefined =>
  session_id === undefined ? undefined : findMessageOf(db, session_id, ref)

/** Undefined where it is no vector of that many numbers, or neither of length 1 nor zero. */
function toVector(base64: string | undefined, dim: number): Float32Array | undefined {
  if (base64 === undefined) return undefined
  const bytes = Buffer.from(base64, "base64")
  if (bytes.length !== dim * 4) return undefined
  const vector = new Float32Array(new Uint8Array(bytes).buffer)
  const length = Math.hypot(...vector)
  return length === 0 || Math.abs(length - 1) < 1e-3 ? vector : undefined
}
