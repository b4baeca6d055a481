/** What can be said of a home's memory while nobody runs on it. */
import type { Database } from "bun:sqlite"
import { existsSync, statSync } from "node:fs"
import { openUnchanged } from "./check.ts"
import { countWords } from "./memory-index.ts"

export type StoredMemory = {
  /** Rows, and how many of them the index of words has. */
  rows: number
  indexed: number
  sets: {
    id: number
    embedder: string
    state: string
    /** What is written down of it, and whether that is what its rows come to. */
    rows: number
    counted: number
    digest_agrees: boolean
  }[]
}

const set_places = 2 ** 33
const digest_mask = 2n ** 62n - 1n

/**
 * Reads and changes nothing. Undefined where there is no memory yet; "log" where the newest part is in the log of the
 * database, which the next start takes over.
 */
export function readMemory(path: string): StoredMemory | "log" | undefined {
  if (!existsSync(path)) return undefined
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return "log"
  using db = openUnchanged(path)
  if (!db.query("SELECT 1 FROM sqlite_schema WHERE name = 'memory_fts'").get()) return undefined
  const sets = db
    .query("SELECT id, embedder, state, rows, CAST(digest AS TEXT) AS digest FROM vector_set")
    .all() as {
    id: number
    embedder: string
    state: string
    rows: number
    digest: string
  }[]
  return {
    ...countWords(db),
    sets: sets.map(({ digest, ...set }) => {
      const { counted, sum } = sumOf(db, set.id)
      return { ...set, counted, digest_agrees: sum === BigInt(digest) }
    }),
  }
}

/** In two halves: the sum of all would not fit into 63 bits. */
function sumOf(db: Database, set_id: number): { counted: number; sum: bigint } {
  const { counted, high, low } = db
    .query(
      `SELECT count(*) AS counted, CAST(coalesce(sum(digest >> 31), 0) AS TEXT) AS high,
         CAST(coalesce(sum(digest & 2147483647), 0) AS TEXT) AS low
       FROM vector WHERE place >= $from AND place < $to`,
    )
    .get({ from: set_id * set_places, to: (set_id + 1) * set_places }) as {
    counted: number
    high: string
    low: string
  }
  return { counted, sum: ((BigInt(high) << 31n) + BigInt(low)) & digest_mask }
}
