import type { Database } from "bun:sqlite"

export type FactRow = {
  uid: string
  type: "fact" | "relationship" | "attribute"
  subject: string
  predicate: string
  object: string
  confidence: number
  learned_ms: number
  superseded_ms?: number
  superseded_by?: string
  disputes?: string
}

/** The triples of these rows of memory, by their numbers; without the fields that are not set. */
export function factsOfRows(db: Database, ids: readonly number[]): Map<number, FactRow> {
  if (ids.length === 0) return new Map()
  const rows = db
    .query(
      `SELECT memory_id, uid, type, subject, predicate, object, confidence, learned_ms, superseded_ms, superseded_by,
         disputes
       FROM fact WHERE memory_id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(ids)) as Record<string, unknown>[]
  return new Map(
    rows.map(({ memory_id, ...row }) => {
      const set = Object.entries(row).filter(([, value]) => value !== null)
      return [memory_id as number, Object.fromEntries(set) as FactRow]
    }),
  )
}
