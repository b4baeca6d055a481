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

const where = `memory.owner_id IN (SELECT value FROM json_each($owner_ids))
  AND ($kinds IS NULL OR memory.kind IN (SELECT value FROM json_each($kinds)))
  AND ($session_id IS NULL OR memory.session_id = $session_id)
  AND ($tags IS NULL OR NOT EXISTS (SELECT 1 FROM json_each($tags) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM memory_tag WHERE memory_tag.memory_id = memory.id AND memory_tag.tag = wanted.value)))
  AND ($after_ms IS NULL OR memory.created_ms >= $after_ms)
  AND ($before_ms IS NULL OR memory.created_ms < $before_ms)
  AND ($include_superseded OR memory.kind <> 'fact' OR NOT EXISTS (
    SELECT 1 FROM fact WHERE fact.memory_id = memory.id AND fact.superseded_ms IS NOT NULL))`

const toParams = (filter: RowFilter) => ({
  owner_ids: JSON.stringify(filter.owner_ids),
  kinds: filter.kinds ? JSON.stringify(filter.kinds) : null,
  session_id: filter.session_id ?? null,
  tags: filter.tags && filter.tags.length > 0 ? JSON.stringify(filter.tags) : null,
  after_ms: filter.after_ms ?? null,
  before_ms: filter.before_ms ?? null,
  include_superseded: filter.include_superseded === true,
})

/** With more owners than this the index reads everybody's words, and the rows say whose they are. */
const owner_terms_max = 64

/**
 * The rows with any of the words, best first by BM25, and how many there are. The words are folded and are only words:
 * the operators of the index have no meaning.
 */
export function matchWords(
  db: Database,
  words: readonly string[],
  filter: RowFilter,
  limit: number,
): { ids: number[]; matched: number } {
  if (words.length === 0 || filter.owner_ids.length === 0) return { ids: [], matched: 0 }
  const body = `body : (${words.map((word) => `"${word.replaceAll('"', '""')}"`).join(" OR ")})`
  const owners = filter.owner_ids.map((id) => `o${id}`).join(" OR ")
  const match = filter.owner_ids.length <= owner_terms_max ? `owner : (${owners}) AND ${body}` : body
  const rows = db
    .query(
      // The rank is computed where the rows are matched: beside a window function SQLite refuses to.
      `WITH found AS MATERIALIZED (
         SELECT memory.id AS id, bm25(memory_fts, 0.0, 1.0) AS rank
         FROM memory_fts JOIN memory ON memory.id = memory_fts.rowid
         WHERE memory_fts MATCH $match AND ${where})
       SELECT id, count(*) OVER () AS matched FROM found ORDER BY rank, id DESC LIMIT $limit`,
    )
    .all({ match, ...toParams(filter), limit }) as { id: number; matched: number }[]
  return { ids: rows.map(({ id }) => id), matched: rows[0]?.matched ?? 0 }
}

/** Of these rows those that the filter lets through, in the order given. */
export function keepMatching(db: Database, ids: readonly number[], filter: RowFilter): number[] {
  const rows = db
    .query(
      `SELECT memory.id AS id FROM memory WHERE memory.id IN (SELECT value FROM json_each($ids)) AND ${where}`,
    )
    .all({ ids: JSON.stringify(ids), ...toParams(filter) }) as { id: number }[]
  const kept = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => kept.has(id))
}

/** All rows that the filter lets through. */
export const countRows = (db: Database, filter: RowFilter): number =>
  (db.query(`SELECT count(*) AS n FROM memory WHERE ${where}`).get(toParams(filter)) as { n: number }).n

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
      `${memory_columns} WHERE ($before IS NULL OR memory.id < $before) AND ${where}
       ORDER BY memory.id DESC LIMIT $limit`,
    )
    .all({ ...toParams(filter), before: before ?? null, limit }) as MemoryRow[]

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

/** These rows were given to a model. */
export const markUsed = (db: Database, ids: readonly number[], now_ms: number): void => {
  db.query(
    "UPDATE memory SET used_ms = $now_ms, uses = uses + 1 WHERE id IN (SELECT value FROM json_each($ids))",
  ).run({ ids: JSON.stringify(ids), now_ms })
}
