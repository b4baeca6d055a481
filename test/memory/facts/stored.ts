import type { Database } from "bun:sqlite"
import { currentFacts, type StoredFact } from "../../../src/store/facts.ts"

/** Those that hold, in the order in which they came. */
export const factsOf = (db: Database, owner_id: number): StoredFact[] => {
  const keys = db.query("SELECT DISTINCT key FROM fact WHERE owner = ?").values(owner_id).flat() as string[]
  return keys.flatMap((key) => currentFacts(db, owner_id, key)).toSorted((a, b) => a.memory_id - b.memory_id)
}

/** What was ever learnt, also what holds no more. */
export const historyOf = (db: Database, owner_id: number) =>
  db.query("SELECT * FROM fact WHERE owner = ? ORDER BY memory_id").all(owner_id) as (Pick<
    StoredFact,
    "uid" | "subject" | "predicate" | "object"
  > & { superseded_by: string | null })[]

/** Facts that hold and say otherwise than an older one that holds, too; with that one. */
export const disputesOf = (db: Database, owner_id: number): { newer: StoredFact; older: StoredFact }[] => {
  const facts = factsOf(db, owner_id)
  return facts.flatMap((newer) => {
    const older = facts.find(({ uid }) => uid === newer.disputes)
    return older ? [{ newer, older }] : []
  })
}
