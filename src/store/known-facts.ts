import type { Database } from "bun:sqlite"
import type { Owner } from "./memory.ts"
import type { FactRow } from "./memory-facts.ts"

export type KnownFact = FactRow & Owner & { id: number; importance: number }

const columns = `memory.id AS id, importance, uid, type, subject, predicate, object, confidence, learned_ms, disputes,
  agent, sender, namespace`
const known = `FROM memory JOIN fact ON fact.memory_id = memory.id JOIN memory_owner ON memory_owner.id = owner_id
  WHERE memory.owner_id IN (SELECT value FROM json_each($owner_ids)) AND memory.kind = 'fact' AND superseded_ms IS NULL`

const some = `SELECT 1 FROM memory WHERE owner_id IN (SELECT value FROM json_each($owner_ids)) AND kind = 'fact' LIMIT 1`

/**
 * Facts of these owners that hold: the weightiest, then the latest, at most `limit`; and those of `also` that are not among
 * them, by the rows' numbers.
 */
export function listKnownFacts(
  db: Database,
  owner_ids: readonly number[],
  { limit, also = [] }: { limit: number; also?: readonly number[] },
): KnownFact[] {
  const owners = JSON.stringify(owner_ids)
  // Of most turns' senders nothing is known.
  if (!db.query(some).get({ owner_ids: owners })) return []
  const rows = db
    .query(
      `SELECT ${columns} ${known} ORDER BY importance DESC, learned_ms DESC, memory.id DESC LIMIT $limit`,
    )
    .all({ owner_ids: owners, limit }) as Row[]
  const there = new Set(rows.map(({ id }) => id))
  const missing = also.filter((id) => !there.has(id))
  const more =
    missing.length === 0
      ? []
      : (db
          .query(
            `SELECT ${columns} ${known} AND memory.id IN (SELECT value FROM json_each($ids)) ORDER BY memory.id`,
          )
          .all({ owner_ids: owners, ids: JSON.stringify(missing) }) as Row[])
  return [...rows, ...more].map(({ disputes, ...row }) => ({
    ...row,
    ...(disputes !== null && { disputes }),
  }))
}

type Row = Omit<KnownFact, "disputes"> & { disputes: string | null }
