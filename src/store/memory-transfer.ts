/** Rows of the memory with all that is known of them, for an export, and taking them in again. */
import type { Database } from "bun:sqlite"
import { addTags, type MemoryKind, type MemorySource } from "./memory.ts"

/** A row as its table and those beside it have it. */
export type StoredRow = {
  id: number
  agent: string
  sender: string
  namespace: string
  kind: MemoryKind
  text: string
  importance: number
  source: MemorySource
  created_ms: number
  used_ms: number | null
  uses: number
  session_key: string | null
  session_ms: number | null
  message_id: number | null
  turn_id: string | null
  origin: string | null
  /** How many rows before it are the same in all of this. */
  nth: number
}

/** What makes two rows the same one. */
const alike = `twin.hash = memory.hash AND twin.owner_id = memory.owner_id
  AND twin.kind = memory.kind AND twin.message_id IS memory.message_id AND twin.session_id IS memory.session_id
  AND twin.origin IS memory.origin`
const same = `${alike} AND twin.created_ms = memory.created_ms`

/** Lowest number first, above `after`: of these agents only, unless undefined. */
export const listForExport = (
  db: Database,
  { agents, after, limit }: { agents: readonly string[] | undefined; after: number; limit: number },
): Iterable<StoredRow> =>
  db
    .query(
      `SELECT memory.id, agent, sender, namespace, kind, coalesce(memory.text, message.text, '') AS text, importance,
         source, memory.created_ms, used_ms, uses, origin, message_id, turn_id,
         (SELECT key FROM session WHERE id = memory.session_id) AS session_key,
         (SELECT created_ms FROM session WHERE id = memory.session_id) AS session_ms,
         (SELECT count(*) FROM memory AS twin WHERE ${same} AND twin.id < memory.id) AS nth
       FROM memory JOIN memory_owner ON memory_owner.id = owner_id LEFT JOIN message ON message.id = message_id
       WHERE memory.id > $after AND ($agents IS NULL OR agent IN (SELECT value FROM json_each($agents)))
       ORDER BY memory.id LIMIT $limit`,
    )
    .iterate({ agents: agents ? JSON.stringify(agents) : null, after, limit }) as Iterable<StoredRow>

/** A message by what stays the same of it: its number, and the turn that it is of. */
export type MessageRef = { id: number; turn_id: string }

export type StoredFact = {
  uid: string
  type: string
  subject: string
  predicate: string
  object: string
  key: string
  confidence: number
  learned_ms: number
  superseded_ms: number | null
  superseded_by: string | null
  disputes: string | null
  said_in: MessageRef | null
}

export function findFact(db: Database, memory_id: number): StoredFact | undefined {
  const row = db
    .query(
      `SELECT uid, type, subject, predicate, object, key, confidence, learned_ms, superseded_ms, superseded_by, disputes,
         said_in, message.turn_id AS turn_id
       FROM fact LEFT JOIN message ON message.id = said_in WHERE memory_id = ?`,
    )
    .get(memory_id) as (Omit<StoredFact, "said_in"> & { said_in: number | null; turn_id: string }) | null
  if (!row) return undefined
  const { said_in, turn_id, ...fact } = row
  return { ...fact, said_in: said_in === null ? null : { id: said_in, turn_id } }
}

export type StoredSummary = { first: MessageRef; last: MessageRef; tokens: number; made_by: string }

/** Undefined where the messages that it is of are not all there any more. */
export function findSummary(db: Database, memory_id: number): StoredSummary | undefined {
  const row = db
    .query(
      `SELECT first_message, last_message, tokens, made_by, first.turn_id AS first_turn, last.turn_id AS last_turn
       FROM summary JOIN message AS first ON first.id = first_message JOIN message AS last ON last.id = last_message
       WHERE memory_id = ?`,
    )
    .get(memory_id) as {
    first_message: number
    last_message: number
    first_turn: string
    last_turn: string
    tokens: number
    made_by: string
  } | null
  if (!row) return undefined
  const { first_message, last_message, first_turn, last_turn, tokens, made_by } = row
  const first = { id: first_message, turn_id: first_turn }
  return { first, last: { id: last_message, turn_id: last_turn }, tokens, made_by }
}

const set_places = 2 ** 33

/** `dim` float32, little-endian; undefined where the set has none of that row. */
export const findVector = (db: Database, set_id: number, memory_id: number): Uint8Array | undefined =>
  (
    db
      .query("SELECT vector FROM vector WHERE memory_id = $memory_id AND place >= $from AND place < $to")
      .get({ memory_id, from: set_id * set_places, to: (set_id + 1) * set_places }) as {
      vector: Uint8Array
    } | null
  )?.vector

/** The number of a session that is the very one: a new one under an old key began at another time. */
export const findSessionOf = (db: Database, key: string, created_ms: number): number | undefined =>
  (
    db.query("SELECT id FROM session WHERE key = ? AND created_ms = ?").get(key, created_ms) as {
      id: number
    } | null
  )?.id

/** The text of a message of a session, where it is the one that is meant. */
export const findMessageOf = (
  db: Database,
  session_id: number,
  { id, turn_id }: MessageRef,
): string | undefined =>
  (
    db
      .query("SELECT text FROM message WHERE id = ? AND session_id = ? AND turn_id = ?")
      .get(id, session_id, turn_id) as { text: string } | null
  )?.text

export type RowToImport = {
  owner_id: number
  kind: MemoryKind
  session_id: number | null
  message_id: number | null
  text: string | null
  hash: Uint8Array
  importance: number
  source: MemorySource
  created_ms: number
  used_ms: number | null
  uses: number
  origin: string | null
}

/** How many rows there are that are the same; of one without a date of its own, whenever they were made. */
export const countSame = (db: Database, row: RowToImport, { undated }: { undated?: true }): number =>
  (
    db
      .query(
        `SELECT count(*) AS n FROM memory AS twin JOIN (SELECT $hash AS hash, $created_ms AS created_ms, $owner_id AS owner_id,
           $kind AS kind, $message_id AS message_id, $session_id AS session_id, $origin AS origin) AS memory ON ${undated ? alike : same}`,
      )
      .get({
        hash: row.hash,
        created_ms: row.created_ms,
        owner_id: row.owner_id,
        kind: row.kind,
        message_id: row.message_id,
        session_id: row.session_id,
        origin: row.origin,
      }) as { n: number }
  ).n

/** Answers its number. */
export function importRow(
  db: Database,
  row: RowToImport,
  { tags, words }: { tags: readonly string[]; words: string },
): number {
  const { lastInsertRowid } = db
    .query(
      `INSERT INTO memory (owner_id, kind, session_id, message_id, text, hash, importance, source, created_ms, used_ms, uses,
         origin)
       VALUES ($owner_id, $kind, $session_id, $message_id, $text, $hash, $importance, $source, $created_ms, $used_ms, $uses,
         $origin)`,
    )
    .run(row)
  const id = Number(lastInsertRowid)
  if (words) {
    const owner = `o${row.owner_id}`
    db.query("INSERT INTO memory_fts (rowid, owner, body) VALUES (?, ?, ?)").run(id, owner, words)
  }
  addTags(db, id, tags)
  return id
}

export const hasFact = (db: Database, uid: string): boolean =>
  db.query("SELECT 1 FROM fact WHERE uid = ?").get(uid) !== null

export function importFact(
  db: Database,
  memory_id: number,
  { said_in, ...fact }: Omit<StoredFact, "said_in"> & { said_in: number | null },
): void {
  db.query(
    `INSERT INTO fact (memory_id, uid, type, subject, predicate, object, key, confidence, said_in, learned_ms, superseded_ms,
       superseded_by, disputes)
     VALUES ($memory_id, $uid, $type, $subject, $predicate, $object, $key, $confidence, $said_in, $learned_ms,
       $superseded_ms, $superseded_by, $disputes)`,
  ).run({ memory_id, said_in, ...fact })
}

export function importSummary(
  db: Database,
  memory_id: number,
  session_id: number,
  { first, last, tokens, made_by }: StoredSummary,
): void {
  db.query(
    `INSERT INTO summary (memory_id, session_id, first_message, last_message, tokens, made_by)
     VALUES ($memory_id, $session_id, $first, $last, $tokens, $made_by)`,
  ).run({ memory_id, session_id, first: first.id, last: last.id, tokens, made_by })
}

/** Whether it is known, or was once. */
export const hasTriple = (
  db: Database,
  owner_id: number,
  { subject, predicate, object }: { subject: string; predicate: string; object: string },
): boolean =>
  db
    .query(
      `SELECT 1 FROM fact JOIN memory ON memory.id = memory_id
       WHERE owner_id = $owner_id AND subject = $subject AND predicate = $predicate AND object = $object`,
    )
    .get({ owner_id, subject, predicate, object }) !== null

/** When an owner's facts that hold were last learnt or heard again; 0 where there are none. */
export const lastLearnt = (db: Database, owner_id: number): number =>
  (
    db
      .query(
        `SELECT coalesce(max(learned_ms), 0) AS learned_ms FROM fact JOIN memory ON memory.id = memory_id
         WHERE owner_id = ? AND superseded_ms IS NULL`,
      )
      .get(owner_id) as { learned_ms: number }
  ).learned_ms

/** Whether a session has messages of other turns than those that begin with this. */
export const hasOwnMessages = (db: Database, session_id: number, prefix: string): boolean =>
  db
    .query("SELECT 1 FROM message WHERE session_id = ? AND substr(turn_id, 1, length(?)) <> ? LIMIT 1")
    .get(session_id, prefix, prefix) !== null

export const hasTurn = (db: Database, session_id: number, turn_id: string): boolean =>
  db.query("SELECT 1 FROM message WHERE session_id = ? AND turn_id = ? LIMIT 1").get(session_id, turn_id) !==
  null
