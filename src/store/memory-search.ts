/** Finding rows of the memory by filters, and what of them a reader may see. */
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
export function whereOf({
  kinds,
  session_id,
  tags,
  after_ms,
  before_ms,
  include_superseded,
}: RowFilter): string {
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

export const toParams = ({ owner_ids, kinds, session_id, tags, after_ms, before_ms }: RowFilter) => ({
  owner_ids: JSON.stringify(owner_ids),
  ...(kinds && { kinds: JSON.stringify(kinds) }),
  ...(session_id !== undefined && { session_id }),
  ...(tags && tags.length > 0 && { tags: JSON.stringify(tags) }),
  ...(after_ms !== undefined && { after_ms }),
  ...(before_ms !== undefined && { before_ms }),
})

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
