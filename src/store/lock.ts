import { Database } from "bun:sqlite"

/**
 * Takes the home for this process, or answers undefined where another process has it. It is a lock of the
 * operating system on a file of its own, so the kernel frees it however the holder dies and no stale file matters.
 */
export function lockHome(path: string): Disposable | undefined {
  const db = new Database(path, { create: true })
  try {
    db.run("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")
  } catch (thrown) {
    db.close()
    if ((thrown as { code?: string }).code === "SQLITE_BUSY") return undefined
    throw thrown
  }
  return { [Symbol.dispose]: () => db.close() }
}
