import { constants, Database, SQLiteError } from "bun:sqlite"
import { existsSync, statSync } from "node:fs"
import { AppError } from "../base/errors.ts"
import { checkVersion } from "./migrate.ts"

export type StoreCheck = {
  bytes: number
  /**
   * "log": the last gateway was killed, and the next start reads what it left behind before anything else. "words": all is
   * whole but the memory's index of words, which can be made anew.
   */
  state: "checked" | "too_large" | "log" | "held" | "words"
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
    const said = quickCheck(db)
    if (said === "ok") return { bytes, state: "checked" }
    const other = said.includes(words_table) ? otherTables(db).map((name) => quickCheck(db, name)) : [said]
    const reason = other.find((one) => one !== "ok")
    if (reason !== undefined) throw new AppError("store_damaged", { path, reason })
    return { bytes, state: "words" }
  })
}

const words_table = "memory_fts"

/** "ok", or the first thing that is wrong in the database or in one table. */
function quickCheck(db: Database, table?: string): string {
  try {
    const of = table === undefined ? "1" : `"${table}"`
    return (db.query(`PRAGMA quick_check(${of})`).get() as { quick_check: string }).quick_check
  } catch (thrown) {
    // Of its own tables the full-text index may throw what others only say.
    if (thrown instanceof SQLiteError && thrown.code === "SQLITE_CORRUPT_VTAB") return thrown.message
    throw thrown
  }
}

const otherTables = (db: Database): string[] =>
  (
    db
      .query("SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 10) <> ?")
      .all(words_table) as { name: string }[]
  ).map(({ name }) => name)

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
