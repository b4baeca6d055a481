import { constants, Database, SQLiteError } from "bun:sqlite"
import { existsSync, statSync } from "node:fs"
import { AppError } from "../base/errors.ts"
import { checkVersion } from "./migrate.ts"

export type StoreCheck = {
  bytes: number
  /** "log": the last gateway was killed, and the next start reads what it left behind before anything else. */
  state: "checked" | "too_large" | "log" | "held"
}

/**
 * Looks at a home's database and changes nothing: no log is folded, no step is applied, no file made beside it. One of
 * more than `bytes_max` is not read through, and neither is one whose newest part is in its log or in use. Throws
 * store_damaged, store_too_new or storage_failed; answers undefined where there is none.
 */
export function checkStore(
  path: string,
  { bytes_max, is_held }: { bytes_max: number; is_held: boolean },
): StoreCheck | undefined {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size
  if (bytes === undefined) return undefined
  return reading(path, () => {
    using db = openUnchanged(path)
    checkVersion(db, path)
    if (is_held) return { bytes, state: "held" }
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return { bytes, state: "log" }
    if (bytes > bytes_max) return { bytes, state: "too_large" }
    const { quick_check: said } = db.query("PRAGMA quick_check(1)").get() as { quick_check: string }
    if (said !== "ok") throw new AppError("store_damaged", { path, reason: said })
    return { bytes, state: "checked" }
  })
}

/** Whether a process has the home (see lock.ts), without taking it. */
export function isHomeHeld(lock_path: string): boolean {
  if (!existsSync(lock_path)) return false
  return reading(lock_path, () => {
    using db = new Database(lock_path, { readonly: true })
    try {
      db.query("SELECT 1 FROM sqlite_schema").get()
      return false
    } catch (thrown) {
      if ((thrown as SQLiteError).code === "SQLITE_BUSY") return true
      throw thrown
    }
  })
}

/** Even a reader makes files beside a database with a log, unless it is told that nobody writes. */
export function openUnchanged(path: string): Database {
  const url = `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}?immutable=1`
  return new Database(url, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI)
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    if (!(thrown instanceof SQLiteError)) throw thrown
    const code = /CORRUPT|NOTADB|SHORT_READ/.test(thrown.code ?? "") ? "store_damaged" : "storage_failed"
    throw new AppError(code, { path, reason: thrown.message }, thrown)
  }
}
