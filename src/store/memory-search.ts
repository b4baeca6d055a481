/** Finding rows of the memory: by their words, by filters, and what of them a reader may see. */
import type { Database } from "bun:sqlite"
import { type MemoryKind, type MemoryRow, memory_columns } from "./memory.ts"

export type RowFilter = {
  /** None of them is nobody's. */
  owner_ids: readonly number[]
  kinds?: readonly MemoryKind[] | undefined
  session_id?: number | undefined
  /** Each of them. */
  tags?: readonly string[] | undefined
  after_ms?: number | undefined
  before_ms?: number | undefined
  /** Facts that hold no more. */
  include_superseded?: boolean | undefined
}

/** Only what is asked for: then an index has all that a count needs. */
function whereOf({ kinds, session_id, tags, after_ms, before_ms, include_superseded }: RowFilter): string {
  const conditions = [
    "memory.owner_id IN (SELECT value FROM json_each($owner_ids))",
    kinds && "memory.kind IN (SELECT value FROM json_each($kinds))",
    session_id !== undefined && "memory.session_id = $session_id",
    tags &&
      tags.length > 0 &&
      `NOT EXISTS (SELECT 1 FROM json_each($tags) AS wanted WHERE NOT EXISTS (
         SELECT 1 FROM memory_tag WHERE memory_tag.memory_id = memory.id AND memory_tag.tag = wanted.value))`,
    after_ms !== undefined && "memory.created_ms >= $after_ms",
    before_ms !== undefined && "memory.created_ms < $before_ms",
    !include_superseded &&
      (!kinds || kinds.includes("fact")) &&
      `(memory.kind <> 'fact' OR NOT EXISTS (
         SELECT 1 FROM fact WHERE memory_id = memory.id AND superseded_ms IS NOT NULL))`,
  ]
  return conditions.filter(Boolean).join(" AND ")
}

const toParams = ({ owner_ids, kinds, session_id, tags, after_ms, before_ms }: RowFilter) => ({
  owner_ids: JSON.stringify(owner_ids),
  ...(kinds && { kinds: JSON.stringify(kinds) }),
  ...(session_id !== undefined && { session_id }),
  ...(tags && tags.length > 0 && { tags: JSON.stringify(tags) }),
  ...(after_ms !== undefined && { after_ms }),
  ...(before_ms !== undefined && { before_ms }),
})

/** With more owners than this the index reads everybody's words, and the rows say whose they are. */
const owner_terms_max = 64

/**
 * The rows with any of the words, best first by BM25, and how many there are. The words are folded and are only words:
 * the operators of the index have no meaning. Among many rows those words that very many have do not count beside others.
 */
export function matchWords(
  db: Database,
  words: readonly string[],
  filter: RowFilter,
  limit: number,
): { ids: number[]; matched: number } {
  if (words.length === 0 || filter.owner_ids.length === 0) return { ids: [], matched: 0 }
  const owners = filter.owner_ids.map((id) => `o${id}`).join(" OR ")
  const match = isFewRows(db, filter)
    ? `owner : (${owners}) AND ${anyOf(words)}`
    : anyOf(tellingWords(db, words))
  const rows = db
    .query(
      // The rank is computed where the rows are matched: beside a window function SQLite refuses to.
      `WITH found AS MATERIALIZED (
         SELECT memory.id AS id, bm25(memory_fts, 0.0, 1.0) AS rank
         FROM memory_fts JOIN memory ON memory.id = memory_fts.rowid
         WHERE memory_fts MATCH $match AND ${whereOf(filter)})
       SELECT id, count(*) OVER () AS matched FROM found ORDER BY rank, id DESC LIMIT $limit`,
    )
    .all({ match, ...toParams(filter), limit }) as { id: number; matched: number }[]
  return { ids: rows.map(({ id }) => id), matched: rows[0]?.matched ?? 0 }
}

const anyOf = (words: readonly string[]) =>
  `body : (${words.map((word) => `"${word.replaceAll('"', '""')}"`).join(" OR ")})`

/** A word of so many rows tells little of any of them. */
const common_rows = 2_000
/** Fewer rows are ranked in a few milliseconds, all of them. */
const many_rows = 20_000

/**
 * Without the common words, where there are others: of 100,000 rows to rank each with such a word takes half a second, in
 * which nobody else is answered.
 */
function tellingWords(db: Database, words: readonly string[]): readonly string[] {
  if (words.length < 2 || lastRow(db) < many_rows) return words
  const count = db.query(
    "SELECT count(*) AS n FROM (SELECT 1 FROM memory_fts WHERE memory_fts MATCH ? LIMIT ?)",
  )
  const rare = words.filter(
    (word) => (count.get(anyOf([word]), common_rows) as { n: number }).n < common_rows,
  )
  return rare.length > 0 ? rare : words
}

const lastRow = (db: Database): number =>
  (db.query("SELECT max(id) AS last FROM memory").get() as { last: number | null }).last ?? 0

const sampled_rows = 32
/** Everybody's words of fewer rows are read faster than it is found out whose they are. */
const sampled_from = 2_000

/**
 * Whether the index should be asked for the owners as well, which then reads all that it has of them: not where they have
 * more than a quarter of the rows, as a few of all rows tell. The rows found and their ranks are the same.
 */
function isFewRows(db: Database, { owner_ids }: RowFilter): boolean {
  if (owner_ids.length > owner_terms_max) return false
  const last = lastRow(db)
  if (last < sampled_from) return false
  const ids = Array.from({ length: sampled_rows }, (_, i) => Math.ceil((last * (i + 1)) / sampled_rows))
  const { own, others } = db
    .query(
      `SELECT count(*) FILTER (WHERE is_own) AS own, count(*) FILTER (WHERE NOT is_own) AS others FROM (
         SELECT owner_id IN (SELECT value FROM json_each($owner_ids)) AS is_own FROM memory
         WHERE id IN (SELECT value FROM json_each($ids)))`,
    )
    .get({ owner_ids: JSON.stringify(owner_ids), ids: JSON.stringify(ids) }) as {
    own: number
    others: number
  }
  return own < others / 3
}

/** Of these rows those that the filter lets through, in the order given. */
export function keepMatching(db: Database, ids: readonly number[], filter: RowFilter): number[] {
  const rows = db
    .query(
      `SELECT memory.id AS id FROM memory WHERE memory.id IN (SELECT value FROM json_each($ids)) AND ${whereOf(filter)}`,
    )
    .all({ ids: JSON.stringify(ids), ...toParams(filter) }) as { id: number }[]
  const kept = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => kept.has(id))
}

export type RankedRow = { id: number; created_ms: number; importance: number }

/** Of these rows those that the filter lets through, with what ranks them and without their texts; in no order. */
export const rankedRows = (db: Database, ids: readonly number[], filter: RowFilter): RankedRow[] =>
  db
    .query(
      `SELECT memory.id AS id, created_ms, importance FROM memory
       WHERE memory.id IN (SELECT value FROM json_each($ids)) AND ${whereOf(filter)}`,
    )
    .all({ ids: JSON.stringify(ids), ...toParams(filter) }) as RankedRow[]

/** All rows that the filter lets through. */
export const countRows = (db: Database, filter: RowFilter): number =>
  (
    db.query(`SELECT count(*) AS n FROM memory WHERE ${whereOf(filter)}`).get(toParams(filter)) as {
      n: number
    }
  ).n

/** Every row with these tags, for a search by vectors, which knows of none. */
export const listTagged = (db: Database, tags: readonly string[]): number[] =>
  (
    db
      .query(
        `SELECT memory_id AS id FROM memory_tag WHERE tag IN (SELECT value FROM json_each($tags))
         GROUP BY memory_id HAVING count(*) = json_array_length($tags)`,
      )
      .all({ tags: JSON.stringify([...new Set(tags)]) }) as { id: number }[]
  ).map(({ id }) => id)

/** Newest first, before `before`. */
export const listMemories = (
  db: Database,
  filter: RowFilter,
  { before, limit }: { before: number | undefined; limit: number },
): MemoryRow[] =>
  db
    .query(
      // Numbers are sorted, not rows with their texts.
      `${memory_columns} WHERE memory.id IN (
         SELECT id FROM memory WHERE memory.id < $before AND ${whereOf(filter)} ORDER BY id DESC LIMIT $limit)
       ORDER BY memory.id DESC`,
    )
    .all({ ...toParams(filter), before: before ?? Number.MAX_SAFE_INTEGER, limit }) as MemoryRow[]

/** By the row's number, in the alphabet's order. */
export function tagsOf(db: Database, ids: readonly number[]): Map<number, string[]> {
  const rows = db
    .query(
      "SELECT memory_id, tag FROM memory_tag WHERE memory_id IN (SELECT value FROM json_each(?)) ORDER BY tag",
    )
    .all(JSON.stringify(ids)) as { memory_id: number; tag: string }[]
  const tags = new Map<number, string[]>()
  for (const { memory_id, tag } of rows) tags.set(memory_id, [...(tags.get(memory_id) ?? []), tag])
  return tags
}

/** Rows that were given to a model, by their numbers: when last, and how many times more; those that are gone are left out. */
export function addUses(
  db: Database,
  used: readonly (readonly [id: number, { used_ms: number; uses: number }])[],
): void {
  const query = db.query("UPDATE memory SET used_ms = $used_ms, uses = uses + $uses WHERE id = $id")
  for (const [id, { used_ms, uses }] of used) query.run({ id, used_ms, uses })
}
