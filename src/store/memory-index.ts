/** What the background has done for the memory, and what it has still to do. */
import type { Database } from "bun:sqlite"
import type { Part, Role } from "../base/parts.ts"

export type Unindexed = {
  id: number
  session_id: number
  agent: string
  channel: string
  account: string
  peer: string
  role: Role
  parts: Part[]
  provider: string | null
  created_ms: number
}

/** How far something has come: the last message that it has seen to; undefined where it has not begun. */
export function findProgress(db: Database, name: string): number | undefined {
  const row = db.query("SELECT message_id FROM memory_progress WHERE name = ?").get(name) as {
    message_id: number
  } | null
  return row?.message_id
}

/** The same; 0 at first. */
export const progressOf = (db: Database, name: string): number => findProgress(db, name) ?? 0

export function setProgress(db: Database, name: string, message_id: number): void {
  db.query(
    `INSERT INTO memory_progress (name, message_id) VALUES ($name, $message_id)
     ON CONFLICT (name) DO UPDATE SET message_id = $message_id`,
  ).run({ name, message_id })
}

/** The next messages after `after`, oldest first. */
export function listUnindexed(db: Database, after: number, limit: number): Unindexed[] {
  const rows = db
    .query(
      `SELECT message.id, session_id, agent, channel, account, peer, role, parts, provider, message.created_ms
       FROM message JOIN session ON session.id = session_id
       WHERE message.id > ? ORDER BY message.id LIMIT ?`,
    )
    .all(after, limit) as (Omit<Unindexed, "parts"> & { parts: string })[]
  return rows.map(({ parts, ...row }) => ({ ...row, parts: JSON.parse(parts) as Part[] }))
}

export const countUnindexed = (db: Database, after: number): number =>
  (db.query("SELECT count(*) AS n FROM message WHERE id > ?").get(after) as { n: number }).n

/** Texts of rows, for whoever embeds them; those that are gone are left out. */
export function textsOf(
  db: Database,
  ids: readonly number[],
): { id: number; owner_id: number; session_id: number; kind: string; created_ms: number; text: string }[] {
  return db
    .query(
      `SELECT memory.id, owner_id, coalesce(memory.session_id, 0) AS session_id, kind, memory.created_ms,
         coalesce(memory.text, message.text, '') AS text
       FROM memory LEFT JOIN message ON message.id = message_id
       WHERE memory.id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(ids)) as ReturnType<typeof textsOf>
}

const set_places = 2 ** 33

/** Vectors of a set by the hexadecimal hash of their rows' texts; those that have none are left out. */
export function vectorsOfHashes(
  db: Database,
  set_id: number,
  hashes: readonly string[],
): Map<string, Float32Array> {
  const rows = db
    .query(
      `SELECT lower(hex(memory.hash)) AS hash, vector.vector FROM json_each($hashes) AS wanted
         JOIN memory ON memory.hash = unhex(wanted.value)
         JOIN vector ON vector.memory_id = memory.id
       WHERE vector.place >= $from AND vector.place < $to GROUP BY memory.hash`,
    )
    .all({
      hashes: JSON.stringify(hashes),
      from: set_id * set_places,
      to: (set_id + 1) * set_places,
    }) as { hash: string; vector: Uint8Array }[]
  return new Map(rows.map(({ hash, vector }) => [hash, new Float32Array(vector.slice().buffer)]))
}

/** Empties the index of words; the rows stay. */
export function clearWords(db: Database): void {
  db.run("INSERT INTO memory_fts (memory_fts) VALUES ('delete-all')")
}

/** The words of a row that is there, in place of what the index had of it. */
export function putWords(db: Database, id: number, owner_id: number, words: string): void {
  db.query("DELETE FROM memory_fts WHERE rowid = ?").run(id)
  db.query(
    `INSERT INTO memory_fts (rowid, owner, body) SELECT $id, $owner, $words
     WHERE $words <> '' AND EXISTS (SELECT 1 FROM memory WHERE id = $id)`,
  ).run({ id, owner: `o${owner_id}`, words })
}

/** Of an index, in one commit: some 10 ms. */
const merged_pages = 32
const gone = "gone"

/** Whether the indexes of words still have words of rows that are gone. */
export const hasGoneWords = (db: Database): boolean => progressOf(db, gone) > 0

/** Merges the next pages of both indexes of words, which leaves out what is gone; answers whether there was anything to do. */
export function mergeWords(db: Database): boolean {
  const at = progressOf(db, gone)
  if (at === 0) return false
  // A negative number begins with all segments, a positive one goes on; fewer than two changes are the end of it.
  const pages = at === 1 ? -merged_pages : merged_pages
  const is_over = ["memory_fts", "message_fts"].map((index) => {
    const before = totalChanges(db)
    db.query(`INSERT INTO ${index} (${index}, rank) VALUES ('merge', ?)`).run(pages)
    return totalChanges(db) - before < 2
  })
  setProgress(db, gone, is_over.every(Boolean) ? 0 : 2)
  return true
}

/** Each batch of rows is a part of the index at first, and a search looks for each of its words in all of them. */
const parts_max = 3
/** So much is merged at once in some 15 ms. */
const few_pages = 128
/** Where what has come since the last whole merge is an eighth of all, another one writes eight pages for each new one. */
const new_share = 8

/** Looks at one row of each part: it is asked with every batch. */
export function hasManyParts(db: Database): boolean {
  const { n } = db
    .query(
      `WITH RECURSIVE part (id) AS (
         SELECT min(segid) FROM memory_fts_idx
         UNION ALL SELECT (SELECT min(segid) FROM memory_fts_idx WHERE segid > part.id) FROM part WHERE part.id IS NOT NULL)
       SELECT count(id) AS n FROM part`,
    )
    .get() as { n: number }
  return n > parts_max
}

const pagesOfParts = (db: Database): number[] =>
  (db.query("SELECT count(*) AS pages FROM memory_fts_idx GROUP BY segid").all() as { pages: number }[]).map(
    ({ pages }) => pages,
  )

/**
 * Merges the next pages of the parts: of all where they are small or the largest has little of all, else of those that are
 * about as large. Answers whether there were any.
 */
export function mergeParts(db: Database): boolean {
  const pages = pagesOfParts(db)
  const total = pages.reduce((sum, one) => sum + one, 0)
  const is_new = total - Math.max(...pages) >= total / new_share
  const before = totalChanges(db)
  // A negative number begins with all parts.
  const merged = total <= few_pages ? -few_pages : is_new ? -merged_pages : merged_pages
  db.query("INSERT INTO memory_fts (memory_fts, rank) VALUES ('merge', ?)").run(merged)
  return totalChanges(db) - before >= 2
}

const totalChanges = (db: Database): number =>
  (db.query("SELECT total_changes() AS n").get() as { n: number }).n

/** Texts of all rows above a number, lowest first. */
export const listTexts = (
  db: Database,
  after: number,
  limit: number,
): { id: number; owner_id: number; text: string }[] =>
  db
    .query(
      `SELECT memory.id, owner_id, coalesce(memory.text, message.text, '') AS text
       FROM memory LEFT JOIN message ON message.id = message_id WHERE memory.id > ? ORDER BY memory.id LIMIT ?`,
    )
    .all(after, limit) as { id: number; owner_id: number; text: string }[]

export type RowCounts = { kind: string; n: number }[]

export const countKinds = (db: Database, agent: string | undefined): RowCounts =>
  db
    .query(
      `SELECT kind, count(*) AS n FROM memory JOIN memory_owner ON memory_owner.id = owner_id
       WHERE $agent IS NULL OR agent = $agent GROUP BY kind`,
    )
    .all({ agent: agent ?? null }) as RowCounts

export const countFacts = (
  db: Database,
  agent: string | undefined,
): { current: number; superseded: number; disputed: number } =>
  db
    .query(
      `SELECT count(*) FILTER (WHERE superseded_ms IS NULL) AS current,
         count(superseded_ms) AS superseded,
         count(*) FILTER (WHERE superseded_ms IS NULL AND disputes IS NOT NULL) AS disputed
       FROM fact JOIN memory ON memory.id = memory_id JOIN memory_owner ON memory_owner.id = owner_id
       WHERE $agent IS NULL OR agent = $agent`,
    )
    .get({ agent: agent ?? null }) as ReturnType<typeof countFacts>

/** How many rows have text, and how many the index of words has. */
export function countWords(db: Database): { rows: number; indexed: number } {
  return db
    .query(
      `SELECT (SELECT count(*) FROM memory) AS rows, (SELECT count(*) FROM memory_fts_docsize) AS indexed`,
    )
    .get() as { rows: number; indexed: number }
}

/** Texts of rows that the index of words does not have: those without words, if all is well. */
export const listWithoutWords = (db: Database, limit: number): { id: number; text: string }[] =>
  db
    .query(
      `SELECT memory.id AS id, coalesce(memory.text, message.text, '') AS text
       FROM memory LEFT JOIN message ON message.id = message_id
       WHERE NOT EXISTS (SELECT 1 FROM memory_fts_docsize AS indexed WHERE indexed.id = memory.id) LIMIT ?`,
    )
    .all(limit) as { id: number; text: string }[]

/** Throws SQLiteError where the index of words is damaged. */
export function checkWords(db: Database): void {
  db.run("INSERT INTO memory_fts (memory_fts, rank) VALUES ('integrity-check', 0)")
}
