import { Database, SQLiteError } from "bun:sqlite"
import { existsSync, statSync } from "node:fs"
import { AppError } from "../base/errors.ts"
import { checkVersion, migrate } from "./migrate.ts"

export type Store = {
  /** For reading; what is written goes through `commit`. */
  db: Database
  /**
   * Runs a write in the next group transaction and resolves with its result once that is synced to disk. Order
   * is kept. The write must be synchronous and touch nothing but the database: it may be run again alone when
   * another one of its group fails.
   */
  commit<T>(write: (db: Database) => T): Promise<T>
  /** Whether the last group could not be written (a full disk, say). */
  failing(): boolean
  [Symbol.asyncDispose](): Promise<void>
}

type Job = { write(db: Database): unknown; resolve(value: unknown): void; reject(error: unknown): void }

/** A check of a larger file than this would hold up the start for seconds. */
const check_bytes_max = 512 * 1024 * 1024

/** Bun keeps the last 20 statements, and a turn runs more: then each is compiled anew, a tenth of the turn's time. */
Database.MAX_QUERY_CACHE_SIZE = 500

export function openStore(path: string): Store {
  const db = openDatabase(path)
  let jobs: Job[] = []
  let failed = false

  const flush = () => {
    const group = jobs
    jobs = []
    if (group.length === 0) return
    failed = commitGroup(db, group)
  }
  return {
    db,
    commit<T>(write: (db: Database) => T) {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      jobs.push({ write, resolve: resolve as Job["resolve"], reject })
      if (jobs.length === 1) setImmediate(flush)
      return promise
    },
    failing: () => failed,
    async [Symbol.asyncDispose]() {
      flush()
      if (path !== ":memory:" && !failed) foldLog(db)
      db.close()
    },
  }
}

/**
 * After a clean stop there is one file and the next start has nothing to check. Where the disk has no room for that,
 * the log stays: nothing is lost.
 */
function foldLog(db: Database): void {
  try {
    db.run("PRAGMA wal_checkpoint(TRUNCATE)")
  } catch (thrown) {
    if (!isStorage(thrown)) throw thrown
  }
}

function openDatabase(path: string): Database {
  let db: Database | undefined
  try {
    if (existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0) inspect(path)
    db = new Database(path, { create: true, strict: true })
    // Setting the journal's mode writes into the file already.
    checkVersion(db, path)
    db.run("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    db.run("PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;")
    // What is deleted is zeroed, also where a page is split. The usual 2 MB of pages are less than a turn looks at.
    db.run("PRAGMA secure_delete = ON; PRAGMA cache_size = -32768;")
    migrate(db, path)
    return db
  } catch (thrown) {
    db?.close()
    throw toStoreError(thrown, path)
  }
}

/** After an unclean end, and read-only: closing a writable one would fold the log into a file that is refused. */
function inspect(path: string): void {
  using db = new Database(path, { readonly: true })
  checkVersion(db, path)
  if (statSync(path).size >= check_bytes_max) return
  const { quick_check: said } = db.query("PRAGMA quick_check(1)").get() as { quick_check: string }
  if (said !== "ok") throw new AppError("store_damaged", { path, reason: said })
}

/**
 * All of the group in one transaction; when that fails, each by itself, so that one bad write harms only itself. Where
 * another process holds the database, no write is at fault, and each of them would hold up everybody as long again.
 */
function commitGroup(db: Database, group: Job[]): boolean {
  try {
    const results = db.transaction(() => group.map((job) => job.write(db))).immediate()
    for (const [i, job] of group.entries()) job.resolve(results[i])
    return false
  } catch (thrown) {
    if (group.length > 1 && !isBusy(thrown)) {
      let failed = false
      for (const job of group) failed = commitGroup(db, [job]) || failed
      return failed
    }
    for (const job of group) job.reject(toStoreError(thrown))
    return isStorage(thrown)
  }
}

/** A header that names a format of the future has no code of its own. */
const isDamage = ({ code, message }: SQLiteError) =>
  /CORRUPT|NOTADB|SHORT_READ/.test(code ?? "") || message === "unsupported file format"

const isFull = ({ code }: SQLiteError) => /FULL|IOERR|READONLY|CANTOPEN|NOMEM|BUSY/.test(code ?? "")

const isBusy = (thrown: unknown) =>
  thrown instanceof SQLiteError && thrown.code?.startsWith("SQLITE_BUSY") === true

const isStorage = (thrown: unknown) => thrown instanceof SQLiteError && !isDamage(thrown) && isFull(thrown)

function toStoreError(thrown: unknown, path?: string): unknown {
  if (!(thrown instanceof SQLiteError)) return thrown
  if (isDamage(thrown)) return new AppError("store_damaged", { path, reason: thrown.message }, thrown)
  if (isFull(thrown)) return new AppError("storage_failed", { path, reason: thrown.code }, thrown)
  return thrown
}
