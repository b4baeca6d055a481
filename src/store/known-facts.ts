import type { Database } from "bun:sqlite"
import type { FactRow } from "./memory-facts.ts"

export type KnownFact = FactRow & { id: number; importance: number }

/** Facts of these owners that hold, the weightiest first, then the latest. */
export function listKnownFacts(db: Database, owner_ids: readonly number[], limit: number): KnownFact[] {
  const rows = db
    .query(
      `SELECT memory.id AS id, importance, uid, type, subject, predicate, object, confidence, learned_ms, disputes
       FROM memory JOIN fact ON fact.memory_id = memory.id
       WHERE memory.owner_id IN (SELECT value FROM json_each($owner_ids)) AND memory.kind = 'fact'
         AND superseded_ms IS NULL
       ORDER BY importance DESC, learned_ms DESC, memory.id DESC LIMIT $limit`,
    )
    .all({ owner_ids: JSON.stringify(owner_ids), limit }) as (Omit<KnownFact, "disputes"> & {
    disputes: string | null
  })[]
  return rows.map(({ disputes, ...row }) => ({ ...row, ...(disputes !== null && { disputes }) }))
}
