import type { Database } from "bun:sqlite"
import { chmodSync, existsSync } from "node:fs"
import { AppError } from "../base/errors.ts"
import gateway from "./migrations/0001_gateway.sql" with { type: "text" }

/** Append only: a released step is never edited. The index is the version it starts from. */
const released = [gateway]

/**
 * Brings a database to the newest version, one transaction a step. Before the first step a database that holds
 * something is copied to `<path>.v<version>.bak`; a copy that is there already is kept, being the older one.
 */
export function migrate(db: Database, path: string, steps: readonly string[] = released): void {
  const { user_version: from } = db.query("PRAGMA user_version").get() as { user_version: number }
  if (from > steps.length)
    throw new AppError("store_too_new", { path, version: from, supported: steps.length })
  if (from > 0 && from < steps.length && path !== ":memory:") backUp(db, `${path}.v${from}.bak`)
  for (const [offset, sql] of steps.slice(from).entries()) {
    db.transaction(() => db.run(`${sql}; PRAGMA user_version = ${from + offset + 1};`)).immediate()
  }
}

function backUp(db: Database, path: string): void {
  if (existsSync(path)) return
  db.query("VACUUM INTO ?").run(path)
  chmodSync(path, 0o600)
}
