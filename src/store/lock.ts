import { Database, type SQLiteError } from "bun:sqlite"
import { AppError } from "../base/errors.ts"

/**
 * The locks of this process, so that none is let go of but by being disposed of: a database that nobody refers to is
 * closed by the garbage collector, and the home would have two masters. Module state, as a lock is the process's.
 */
const held = new Set<Database>()

/**
 * Takes the home for this process, or answers undefined where another process has it. It is a lock of the
 * operating system on a file of its own, so the kernel frees it however the holder dies and no stale file matters.
 */
export function lockHome(path: string): Disposable | undefined {
  let db: Database | undefined
  try {
    db = new Database(path, { create: true })
    db.run("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")
  } catch (thrown) {
    db?.close()
    const { code: reason } = thrown as SQLiteError
    if (reason === "SQLITE_BUSY") return undefined
    // A read-only home, a full disk, a file of another kind.
    throw new AppError("storage_failed", { path, reason }, thrown)
  }
  held.add(db)
  return {
    [Symbol.dispose]() {
      held.delete(db)
      db.close()
    },
  }
}
