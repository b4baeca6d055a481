import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { migrate } from "../../src/store/migrate.ts"
import { openStore } from "../../src/store/open.ts"
import { temporaryFolder } from "../harness.ts"

const steps = [
  "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT; INSERT INTO note VALUES (1, 'first')",
  "ALTER TABLE note ADD COLUMN author TEXT",
  "CREATE INDEX note_by_author ON note (author); UPDATE note SET author = 'somebody'",
]

const open = (path: string) => new Database(path, { create: true, strict: true })
const versionOf = (db: Database) =>
  (db.query("PRAGMA user_version").get() as { user_version: number }).user_version
const columns = (db: Database) => db.query("SELECT name FROM pragma_table_info('note')").values().flat()

for (let from = 0; from < steps.length; from++) {
  test(`a database of version ${from} comes to the newest with what it holds`, async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, "a.db")
    using db = open(path)
    migrate(db, path, steps.slice(0, from))
    migrate(db, path, steps)
    expect(versionOf(db)).toBe(3)
    expect(db.query("SELECT * FROM note").all()).toEqual([{ id: 1, text: "first", author: "somebody" }])
    expect(existsSync(`${path}.v${from}.bak`)).toBe(from > 0)
  })
}

test("what was there before a step is in a backup for the owner only, and the newest database makes none", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  using db = open(path)
  migrate(db, path, steps.slice(0, 1))
  migrate(db, path, steps)
  migrate(db, path, steps)
  expect(readdirSync(folder.path).sort()).toEqual(["a.db", "a.db.v1.bak"])
  expect(statSync(`${path}.v1.bak`).mode & 0o777).toBe(0o600)
  using backup = open(`${path}.v1.bak`)
  expect(versionOf(backup)).toBe(1)
  expect(backup.query("SELECT * FROM note").all()).toEqual([{ id: 1, text: "first" }])
})

test("an older backup is kept, and half a one is made anew", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  using db = open(path)
  migrate(db, path, steps.slice(0, 2))
  writeFileSync(`${path}.v2.bak`, "the older one")
  migrate(db, path, steps)
  expect(readFileSync(`${path}.v2.bak`, "utf8")).toBe("the older one")

  const other = join(folder.path, "b.db")
  using second = open(other)
  migrate(second, other, steps.slice(0, 2))
  writeFileSync(`${other}.v2.bak.partial`, "half a copy")
  migrate(second, other, steps)
  expect(readdirSync(folder.path).filter((name) => name.startsWith("b.db."))).toEqual(["b.db.v2.bak"])
})

test("a failing step rolls back with its version and leaves the steps before it done", () => {
  using db = open(":memory:")
  const broken = [...steps.slice(0, 2), "DELETE FROM note; INSERT INTO missing VALUES (1)"]
  expect(() => migrate(db, ":memory:", broken)).toThrow("no such table: missing")
  expect(versionOf(db)).toBe(2)
  expect(db.query("SELECT text FROM note").all()).toEqual([{ text: "first" }])
  expect(columns(db)).toEqual(["id", "text", "author"])
  migrate(db, ":memory:", steps)
  expect(versionOf(db)).toBe(3)
})

test("the store of a newer version is refused, and neither it nor its unwritten log is touched", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  const made = openStore(path)
  await made.commit((db) => db.run("CREATE TABLE of_the_future (a); PRAGMA user_version = 1000"))
  await made[Symbol.asyncDispose]()
  const clean = readFileSync(path)
  expect(() => openStore(path)).toThrow(
    expect.objectContaining({
      code: "store_too_new",
      data: { path, version: 1000, supported: expect.any(Number) },
    }),
  )
  expect(readFileSync(path)).toEqual(clean)
  expect(readdirSync(folder.path)).toEqual(["a.db"])

  // The same after a crash: the newest of it is in the log beside it.
  using held = open(path)
  held.run("PRAGMA journal_mode = WAL; INSERT INTO of_the_future VALUES (1)")
  const copy = join(folder.path, "b.db")
  for (const end of ["", "-wal"]) writeFileSync(copy + end, readFileSync(path + end))
  const log = readFileSync(`${copy}-wal`)
  expect(log.length).toBeGreaterThan(0)
  expect(() => openStore(copy)).toThrow(expect.objectContaining({ code: "store_too_new" }))
  expect(readFileSync(copy)).toEqual(readFileSync(path))
  expect(readFileSync(`${copy}-wal`)).toEqual(log)
})

test("a database of somebody else is not built upon", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  const theirs = open(path)
  theirs.run("CREATE TABLE cookies (a)")
  theirs.close()
  expect(() => openStore(path)).toThrow(expect.objectContaining({ code: "store_damaged" }))
})
