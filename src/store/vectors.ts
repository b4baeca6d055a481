/** Vectors by their places, and which of them the flat files do not have yet. What they mean is said in src/memory/vectors. */
import type { Database } from "bun:sqlite"
import type { MemoryKind } from "./memory.ts"

export type VectorSetRow = {
  id: number
  embedder: string
  dim: number
  state: "filling" | "serving" | "retired"
  /** How many vectors it has. */
  rows: number
  /** The sum of their digests, modulo 2^62. */
  digest: bigint
  mean: Uint8Array | null
}

/** What a filter asks about a vector: of the row of `memory` that it is of. */
export type VectorMemory = {
  memory_id: number
  owner_id: number
  session_id: number | null
  kind: MemoryKind
  created_ms: number
}

export type Tier = 0 | 1 | 2

export type VectorRow = VectorMemory & { place: number; tier: Tier; digest: bigint; vector: Uint8Array }

/** place = set * 2^33 + (2^32 where it is cold) + slot */
const set_places = 2 ** 33
const cold_places = 2 ** 32

export const toPlace = (set_id: number, cold: boolean, slot: number): number =>
  set_id * set_places + (cold ? cold_places : 0) + slot

export const fromPlace = (place: number): { set_id: number; cold: boolean; slot: number } => {
  const within = place % set_places
  return { set_id: Math.floor(place / set_places), cold: within >= cold_places, slot: within % cold_places }
}

/** 62 bits do not fit into a number, so they leave SQLite as text. */
const set_columns = "id, embedder, dim, state, rows, CAST(digest AS TEXT) AS digest, mean"
const toSet = (row: Omit<VectorSetRow, "digest"> & { digest: string }): VectorSetRow => ({
  ...row,
  digest: BigInt(row.digest),
})

export const listSets = (db: Database): VectorSetRow[] =>
  (db.query(`SELECT ${set_columns} FROM vector_set ORDER BY id`).all() as never[]).map(toSet)

export function getSet(db: Database, id: number): VectorSetRow | undefined {
  const row = db.query(`SELECT ${set_columns} FROM vector_set WHERE id = ?`).get(id)
  return row === null ? undefined : toSet(row as never)
}

export function addSet(
  db: Database,
  set: { embedder: string; dim: number; state: "filling" | "serving"; created_ms: number },
): number {
  const { lastInsertRowid } = db
    .query(
      "INSERT INTO vector_set (embedder, dim, state, created_ms) VALUES ($embedder, $dim, $state, $created_ms)",
    )
    .run(set)
  return Number(lastInsertRowid)
}

export function changeSet(db: Database, id: number, state: VectorSetRow["state"]): void {
  db.query("UPDATE vector_set SET state = $state WHERE id = $id").run({ id, state })
}

export function setMean(db: Database, id: number, mean: Uint8Array): void {
  db.query("UPDATE vector_set SET mean = $mean WHERE id = $id").run({ id, mean })
}

/** Where the sum is not that of the rows, which no commit of ours leaves. */
export function correctSet(db: Database, id: number, digest_by: bigint, rows_by: number): void {
  db.query(
    `UPDATE vector_set SET digest = (digest + $digest_by) & 4611686018427387903, rows = rows + $rows_by
     WHERE id = $id`,
  ).run({ id, digest_by, rows_by })
}

/** Removes some of a set's vectors, and in the end the set. Answers whether that is the end. */
export function removeSetStep(db: Database, id: number, limit: number): boolean {
  const { changes } = db
    .query(
      `DELETE FROM vector WHERE place IN
         (SELECT place FROM vector WHERE place >= $from AND place < $to ORDER BY place LIMIT $limit)`,
    )
    .run({ from: toPlace(id, false, 0), to: toPlace(id + 1, false, 0), limit })
  if (changes > 0) return false
  db.query("DELETE FROM vector_set WHERE id = ?").run(id)
  return true
}

/** A row of `memory` that has no vector in the set. */
export function memoryWithout(db: Database, set_id: number, id: number): VectorMemory | undefined {
  const row = db
    .query(
      `SELECT id AS memory_id, owner_id, session_id, kind, created_ms FROM memory
       WHERE id = $id AND NOT EXISTS (
         SELECT 1 FROM vector WHERE memory_id = $id AND place >= $from AND place < $to)`,
    )
    .get({ id, from: toPlace(set_id, false, 0), to: toPlace(set_id + 1, false, 0) })
  return (row as VectorMemory | null) ?? undefined
}

export function addVector(
  db: Database,
  row: { place: number; memory_id: number; tier: Tier; digest: bigint; vector: Uint8Array },
): void {
  db.query("INSERT INTO vector VALUES ($place, $memory_id, $tier, $digest, $vector)").run(row)
}

/** Changes where a vector lies, if it still lies at `from`. */
export function moveVector(
  db: Database,
  from: number,
  to: { place: number; memory_id: number; tier: Tier; digest: bigint },
): void {
  db.query(
    `UPDATE vector SET place = $place, tier = $tier, digest = $digest
     WHERE place = $from AND memory_id = $memory_id`,
  ).run({ ...to, from })
}

export const isTaken = (db: Database, place: number): boolean =>
  db.query("SELECT 1 FROM vector WHERE place = ?").get(place) !== null

/** One more than the highest slot that is taken. */
export function slotsOf(db: Database, set_id: number, cold: boolean): number {
  const { top } = db
    .query("SELECT max(place) AS top FROM vector WHERE place >= $from AND place < $to")
    .get({ from: toPlace(set_id, cold, 0), to: toPlace(set_id, cold, cold_places) }) as { top: number | null }
  return top === null ? 0 : fromPlace(top).slot + 1
}

/** Where these rows of `memory` lie in the set; those that do not are left out. */
export function placesOf(
  db: Database,
  set_id: number,
  memory_ids: readonly number[],
): { memory_id: number; place: number }[] {
  return db
    .query(
      `SELECT memory_id, place FROM vector
       WHERE memory_id IN (SELECT value FROM json_each($ids)) AND place >= $from AND place < $to`,
    )
    .all({
      ids: JSON.stringify(memory_ids),
      from: toPlace(set_id, false, 0),
      to: toPlace(set_id + 1, false, 0),
    }) as { memory_id: number; place: number }[]
}

/** One statement for many: a statement for each takes five times as long. Places without a vector are left out. */
export function vectorsAt(
  db: Database,
  places: readonly number[],
): { place: number; memory_id: number; vector: Uint8Array }[] {
  return db
    .query(
      `SELECT place, memory_id, vector FROM json_each(?) AS wanted JOIN vector ON vector.place = wanted.value`,
    )
    .all(JSON.stringify(places)) as ReturnType<typeof vectorsAt>
}

const row_columns = `vector.place, vector.memory_id, tier, CAST(digest AS TEXT) AS digest, vector,
  owner_id, session_id, kind, created_ms`
const toRow = (row: Omit<VectorRow, "digest"> & { digest: string }): VectorRow => {
  const { digest } = row
  return Object.assign(row as never as VectorRow, { digest: BigInt(digest) })
}

/** Places without a vector are left out. */
export function rowsAt(db: Database, places: readonly number[]): VectorRow[] {
  const rows = db
    .query(
      `SELECT ${row_columns} FROM json_each(?) AS wanted JOIN vector ON vector.place = wanted.value
         JOIN memory ON memory.id = vector.memory_id`,
    )
    .all(JSON.stringify(places))
  return (rows as never[]).map(toRow)
}

/** Rows of a set from a slot on, by their slots. */
export function rowsFrom(
  db: Database,
  set_id: number,
  cold: boolean,
  slot: number,
  limit: number,
): VectorRow[] {
  const rows = db
    .query(
      `SELECT ${row_columns} FROM vector JOIN memory ON memory.id = vector.memory_id
       WHERE vector.place >= $from AND vector.place < $to ORDER BY vector.place LIMIT $limit`,
    )
    .all({ from: toPlace(set_id, cold, slot), to: toPlace(set_id, cold, cold_places), limit })
  return (rows as never[]).map(toRow)
}

/** Changes after a number, oldest first. */
export const listChanges = (db: Database, seq: number, limit: number): { seq: number; place: number }[] =>
  db
    .query("SELECT seq, place FROM vector_change WHERE seq > $seq ORDER BY seq LIMIT $limit")
    .all({ seq, limit }) as { seq: number; place: number }[]

export function removeChanges(db: Database, seq: number): void {
  db.query("DELETE FROM vector_change WHERE seq <= ?").run(seq)
}

/**
 * Of some rows of `memory` above a number: those without a vector in the set, the last that was looked at, and whether
 * there may be more behind it.
 */
export function listMissing(
  db: Database,
  set_id: number,
  after_id: number,
  looked_at: number,
): { ids: number[]; upto: number; is_end: boolean } {
  const rows = db
    .query(
      `SELECT id, EXISTS (
         SELECT 1 FROM vector WHERE memory_id = memory.id AND place >= $from AND place < $to)
       FROM memory WHERE id > $after_id ORDER BY id LIMIT $looked_at`,
    )
    .values({ after_id, from: toPlace(set_id, false, 0), to: toPlace(set_id + 1, false, 0), looked_at })
  return {
    ids: rows.flatMap(([id, has]) => (has === 0 ? [id as number] : [])),
    upto: (rows.at(-1)?.[0] as number | undefined) ?? after_id,
    is_end: rows.length < looked_at,
  }
}

export const countMemories = (db: Database): number =>
  (db.query("SELECT count(*) AS n FROM memory").get() as { n: number }).n

/** When rows of `memory` above a number were last used, in seconds; every use counts as a day more. */
export function listUses(db: Database, after_id: number, limit: number): { id: number; used_s: number }[] {
  return db
    .query(
      `SELECT id, max(created_ms, coalesce(used_ms, 0)) / 1000 + min(uses, 365) * 86400 AS used_s FROM memory
       WHERE id > $after_id ORDER BY id LIMIT $limit`,
    )
    .all({ after_id, limit }) as { id: number; used_s: number }[]
}
