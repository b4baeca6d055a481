import type { Database } from "bun:sqlite"
import { existsSync } from "node:fs"
import { openUnchanged } from "./check.ts"

/** What was approved of a plugin. */
export type PluginRow = {
  name: string
  /** Of the module's file, and of the manifest's; "" where there is none. */
  sha256: string
  manifest_sha256: string
  asks: string[]
  /** What the module said of itself, as it was checked then; undefined where the row can no longer be read. */
  described: unknown
  approved_by: string
  approved_ms: number
  is_unloaded: boolean
}

type Raw = Omit<PluginRow, "asks" | "described" | "is_unloaded"> & {
  asks: string
  described: string
  is_unloaded: 0 | 1
}

export function findPlugin(db: Database, name: string): PluginRow | undefined {
  const raw = db.query("SELECT * FROM plugin WHERE name = ?").get(name) as Raw | null
  if (!raw) return undefined
  const asks = tryParse(raw.asks)
  const is_whole = Array.isArray(asks) && asks.every((ask) => typeof ask === "string")
  return {
    ...raw,
    asks: is_whole ? asks : [],
    described: is_whole ? tryParse(raw.described) : undefined,
    is_unloaded: raw.is_unloaded === 1,
  }
}

/** undefined for what a damaged disk made of it: the row is then approved anew, instead of keeping a gateway from its start. */
function tryParse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** In place of what was approved before. */
export function putPlugin(db: Database, { asks, described, is_unloaded, ...row }: PluginRow): void {
  db.query(
    `INSERT OR REPLACE INTO plugin
       (name, sha256, manifest_sha256, asks, described, approved_by, approved_ms, is_unloaded)
     VALUES
       ($name, $sha256, $manifest_sha256, $asks, $described, $approved_by, $approved_ms, $is_unloaded)`,
  ).run({
    ...row,
    asks: JSON.stringify(asks),
    described: JSON.stringify(described ?? null),
    is_unloaded: is_unloaded ? 1 : 0,
  })
}

/**
 * What the database of a home without a gateway says of them, by name; nothing where there is none, or it is older than
 * plugins. What a killed gateway left in the log is not in it yet.
 */
export function readPlugins(path: string): (name: string) => PluginRow | undefined {
  if (!existsSync(path)) return () => undefined
  using db = openUnchanged(path)
  if (db.query("SELECT 1 FROM sqlite_schema WHERE name = 'plugin'").get() === null) return () => undefined
  const names = db.query("SELECT name FROM plugin").all() as { name: string }[]
  const rows = new Map(names.map(({ name }) => [name, findPlugin(db, name)]))
  return (name) => rows.get(name)
}
