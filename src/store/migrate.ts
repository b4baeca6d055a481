import type { Database } from "bun:sqlite"
import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import { AppError } from "../base/errors.ts"
import gateway from "./migrations/0001_gateway.sql" with { type: "text" }
import tools from "./migrations/0002_tools.sql" with { type: "text" }
import plugins from "./migrations/0003_plugins.sql" with { type: "text" }
import memory from "./migrations/0004_memory.sql" with { type: "text" }

/** Append only: a released step is never edited. The index is the version it starts from. */
const released = [gateway, tools, plugins, memory]

/**
 * Brings a database to the newest version, one transaction a step. Before the first step a database that holds
 * something is copied to `<path>.v<version>.bak`; a copy that is there already is kept, being the older one.
 */
export function migrate(db: Database, path: string, steps: readonly string[] = released): void {
  const from = checkVersion(db, path, steps)
  if (from > 0 && from < steps.length && path !== ":memory:") backUp(db, `${path}.v${from}.bak`)
  for (const [offset, sql] of steps.slice(from).entries()) {
    db.transaction(() => db.run(`${sql}; PRAGMA user_version = ${from + offset + 1};`)).immediate()
  }
}

/** Answers the version that the database has. Throws where it is newer than the steps or cannot be one of ours. */
export function checkVersion(db: Database, path: string, steps: readonly string[] = released): number {
  const { user_version: version } = db.query("PRAGMA user_version").get() as { user_version: number }
  if (version > steps.length) {
    throw new AppError("store_too_new", { path, version, supported: steps.length })
  }
  if (version < 0 || (version === 0 && hasTables(db))) {
    throw new AppError("store_damaged", { path, reason: "it has tables but no version" })
  }
  return version
}

const hasTables = (db: Database): boolean => db.query("SELECT 1 FROM sqlite_schema").get() !== null

/** Under another name first: half a copy must not pass for a copy. */
function backUp(db: Database, path: string): void {
  if (existsSync(path)) return
  const partial = `${path}.partial`
  rmSync(partial, { force: true })
  db.query("VACUUM INTO ?").run(partial)
  const file = openSync(partial, "r+")
  fchmodSync(file, 0o600)
  fsyncSync(file)
  closeSync(file)
  renameSync(partial, path)
}
