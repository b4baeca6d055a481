/** Facts as triples: which hold, which were superseded, and which two disagree. */
import type { Database } from "bun:sqlite"
import { addMemory, type NewMemory } from "./memory.ts"
import type { FactRow } from "./memory-facts.ts"

/** A fact with the number of its row, and whose it is. */
export type StoredFact = FactRow & {
  memory_id: number
  owner_id: number
  session_id: number | null
  source: string
  /** Null once that message is gone. */
  said_in: number | null
}

export type NewFact = Pick<FactRow, "uid" | "type" | "subject" | "predicate" | "object" | "confidence"> & {
  /** Of subject and predicate, folded. */
  key: string
  said_in: number | null
  learned_ms: number
  disputes: string | null
}

const columns = `memory_id, memory.owner_id, memory.session_id, memory.source, uid, type, subject, predicate, object, confidence,
  said_in, learned_ms, superseded_ms, superseded_by, disputes`
const joined = "fact JOIN memory ON memory.id = fact.memory_id"

type Raw = { [name in keyof StoredFact]: StoredFact[name] | null }

const toFact = (raw: Raw): StoredFact =>
  Object.fromEntries(
    Object.entries(raw).filter(
      ([name, value]) => value !== null || name === "session_id" || name === "said_in",
    ),
  ) as StoredFact

/** Answers the number of its row. */
export function addFact(db: Database, memory: NewMemory, fact: NewFact): number {
  const memory_id = addMemory(db, memory)
  db.query(
    `INSERT INTO fact (memory_id, uid, type, subject, predicate, object, key, confidence, said_in, learned_ms, disputes)
     VALUES ($memory_id, $uid, $type, $subject, $predicate, $object, $key, $confidence, $said_in, $learned_ms, $disputes)`,
  ).run({ memory_id, ...fact })
  return memory_id
}

/** What holds for that owner under a key, oldest first. */
export const currentFacts = (db: Database, owner_id: number, key: string): StoredFact[] =>
  (
    db
      .query(
        `SELECT ${columns} FROM ${joined}
         WHERE fact.owner = $owner_id AND key = $key AND superseded_ms IS NULL ORDER BY memory_id`,
      )
      .all({ key, owner_id }) as Raw[]
  ).map(toFact)

/** What was learnt last in a session under a predicate, of anybody but the user. */
export function lastFactIn(
  db: Database,
  { owner_id, session_id, predicate }: { owner_id: number; session_id: number; predicate: string },
): StoredFact | undefined {
  const raw = db
    .query(
      `SELECT ${columns} FROM memory JOIN fact ON memory.id = fact.memory_id
       WHERE memory.session_id = $session_id AND memory.kind = 'fact' AND memory.owner_id = $owner_id
         AND predicate = $predicate AND subject <> 'user' AND superseded_ms IS NULL
       ORDER BY learned_ms DESC, memory_id DESC LIMIT 1`,
    )
    .get({ owner_id, session_id, predicate }) as Raw | null
  return raw ? toFact(raw) : undefined
}

export type Again = {
  confidence: number
  now_ms: number
  session_id: number | null
  said_in: number | null
}

/** Said once more: later, surer, and kept for as long as the later session is. */
export function refreshFact(
  db: Database,
  memory_id: number,
  { confidence, now_ms, session_id, said_in }: Again,
): void {
  db.query(
    `UPDATE fact SET confidence = max(confidence, $confidence), learned_ms = max(learned_ms, $now_ms),
       said_in = coalesce($said_in, said_in) WHERE memory_id = $memory_id`,
  ).run({ memory_id, confidence, now_ms, said_in })
  db.query("UPDATE memory SET session_id = $session_id WHERE id = $memory_id").run({ memory_id, session_id })
}

/** No longer so. `by` is the fact in its place, null where nothing took it. Nothing is deleted. */
export function supersedeFact(
  db: Database,
  memory_id: number,
  { now_ms, by }: { now_ms: number; by: string | null },
): void {
  db.query(
    "UPDATE fact SET superseded_ms = $now_ms, superseded_by = $by, disputes = NULL WHERE memory_id = $memory_id",
  ).run({ memory_id, now_ms, by })
}

/** No fact is in dispute with that one any more. */
export function settleDisputes(db: Database, uid: string): void {
  db.query("UPDATE fact SET disputes = NULL WHERE uid = $uid OR disputes = $uid").run({ uid })
}

export type Heard = {
  session_id: number | undefined
  messages: { id: number; text: string; created_ms: number }[]
  /** The last message that was looked at. */
  upto: number
}

/** What users said after a message, in the session that spoke next: at most `limit` messages, and none beyond another session's. */
export function listHeard(db: Database, after: number, limit: number): Heard {
  const rows = db
    .query(
      `SELECT id, session_id, text, created_ms FROM message
       WHERE id > ? AND role = 'user' AND text <> '' ORDER BY id LIMIT ?`,
    )
    .all(after, limit) as { id: number; session_id: number; text: string; created_ms: number }[]
  const session_id = rows[0]?.session_id
  const other = rows.findIndex((row) => row.session_id !== session_id)
  const messages = (other === -1 ? rows : rows.slice(0, other)).map(({ id, text, created_ms }) => ({
    id,
    text,
    created_ms,
  }))
  return { session_id, messages, upto: messages.at(-1)?.id ?? after }
}
