import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { AppError } from "../../src/base/errors.ts"
import { lockHome } from "../../src/store/lock.ts"
import { openStore, type Store } from "../../src/store/open.ts"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"

async function openNotes(): Promise<AsyncDisposable & { store: Store; path: string; seen(): string[] }> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const path = join(folder.path, "a.db")
  const store = stack.use(openStore(path))
  await store.commit((db) => db.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"))
  // A second connection sees what is committed, and nothing else.
  const other = stack.use(new Database(path, { readonly: true }))
  const seen = () => other.query("SELECT text FROM note ORDER BY id").values().flat() as string[]
  const kept = stack.move()
  return { store, path, seen, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

const add = (text: string) => (db: Database) =>
  Number(db.query("INSERT INTO note (text) VALUES (?)").run(text).lastInsertRowid)

test("writes of one moment are committed together, in order, each with its own result", async () => {
  await using notes = await openNotes()
  const texts = Array.from({ length: 50 }, (_, i) => `note ${i}`)
  const writes = texts.map((text) => notes.store.commit(add(text)))
  expect(notes.seen()).toEqual([])
  expect(await writes[0]).toBe(1)
  expect(notes.seen()).toEqual(texts)
  expect(await Promise.all(writes)).toEqual(texts.map((_, i) => i + 1))
})

test("a write resolves only after its transaction is over", async () => {
  await using notes = await openNotes()
  const inside: string[][] = []
  await notes.store.commit((db) => {
    add("one")(db)
    inside.push(notes.seen())
  })
  expect([inside, notes.seen()]).toEqual([[[]], ["one"]])
})

test("the store syncs each commit and holds rows to their references", async () => {
  await using notes = await openNotes()
  const pragma = (name: string) => notes.store.db.query(`PRAGMA ${name}`).values()[0]![0]
  expect(["journal_mode", "synchronous", "foreign_keys"].map(pragma)).toEqual(["wal", 2, 1])
})

test("while another process holds the database a group waits for it once, and says that it could not write", async () => {
  await using notes = await openNotes()
  notes.store.db.run("PRAGMA busy_timeout = 200")
  using other = new Database(notes.path)
  other.run("BEGIN IMMEDIATE")
  const began = performance.now()
  const outcomes = await Promise.allSettled(["a", "b", "c", "d"].map((text) => notes.store.commit(add(text))))
  expect(performance.now() - began).toBeLessThan(600)
  expect(
    outcomes.map((one) => one.status === "rejected" && [one.reason.code, one.reason.data.reason]),
  ).toEqual(Array(4).fill(["storage_failed", "SQLITE_BUSY"]))
  expect(notes.store.failing()).toBe(true)
  other.run("ROLLBACK")
  expect(await notes.store.commit(add("e"))).toBe(1)
  expect(notes.store.failing()).toBe(false)
})

test("a failing write harms only itself", async () => {
  await using notes = await openNotes()
  const refused = new AppError("conflict")
  const outcomes = await Promise.allSettled([
    notes.store.commit(add("a")),
    notes.store.commit((db) => {
      add("b")(db)
      throw refused
    }),
    notes.store.commit(add("a")),
    notes.store.commit(add("c")),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"])
  expect(outcomes[1]).toMatchObject({ reason: refused })
  expect(outcomes[2]).toMatchObject({ reason: { code: "SQLITE_CONSTRAINT_UNIQUE" } })
  expect([notes.seen(), notes.store.failing()]).toEqual([["a", "c"], false])
})

test("what was handed in before the store is closed is written", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  const store = openStore(path)
  const write = store.commit((db) => db.run("PRAGMA user_version = 1; CREATE TABLE kept (a)"))
  await store[Symbol.asyncDispose]()
  await write
  expect(() => statSync(`${path}-wal`)).toThrow("ENOENT")
  using after = new Database(path, { readonly: true })
  expect(after.query("SELECT name FROM sqlite_schema WHERE name = 'kept'").all()).toHaveLength(1)
  await expect(store.commit((db) => db.run("SELECT 1"))).rejects.toThrow("closed")
})

test("a full database refuses by name, says so, keeps what it had and recovers", async () => {
  await using notes = await openNotes()
  const { store } = notes
  await store.commit(add("before"))
  const { page_count } = store.db.query("PRAGMA page_count").get() as { page_count: number }
  store.db.run(`PRAGMA max_page_count = ${page_count}`)
  const long = store.commit(add("x".repeat(100_000)))
  const short = store.commit(add("short"))
  await expect(long).rejects.toMatchObject({ code: "storage_failed", data: { reason: "SQLITE_FULL" } })
  await short
  expect([notes.seen(), store.failing()]).toEqual([["before", "short"], true])
  store.db.run("PRAGMA max_page_count = 1000000")
  await store.commit(add("after"))
  expect([notes.seen(), store.failing()]).toEqual([["before", "short", "after"], false])
})

needs({ root: true, tmpfs: true })(
  "a full disk is storage_failed and loses nothing that was acknowledged",
  async () => {
    await using folder = await temporaryFolder()
    const run = (...command: string[]) => expect(Bun.spawnSync(command).exitCode).toBe(0)
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path)
    try {
      const path = join(folder.path, "a.db")
      const acknowledged: string[] = []
      {
        await using store = openStore(path)
        await store.commit((db) => db.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"))
        const filling = async () => {
          for (let i = 0; ; i++) {
            const text = `${i} ${"x".repeat(20_000)}`
            await store.commit(add(text))
            acknowledged.push(text)
          }
        }
        await expect(filling()).rejects.toMatchObject({ code: "storage_failed" })
        expect([acknowledged.length > 5, store.failing()]).toEqual([true, true])
      }
      // Somebody makes room.
      writeFileSync(join(folder.path, "note"), "")
      run("mount", "-o", "remount,size=8m", folder.path)
      await using store = openStore(path)
      expect(store.db.query("SELECT text FROM note ORDER BY id").values().flat()).toEqual(acknowledged)
      await store.commit(add("after"))
    } finally {
      run("umount", folder.path)
    }
  },
)

test("a home has one holder, and is free again when that lets it go", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "lock")
  {
    using held = lockHome(path)
    expect(held).toBeDefined()
    expect(lockHome(path)).toBeUndefined()
  }
  using again = lockHome(path)
  expect(again).toBeDefined()
})

test("another process is refused, and a killed holder holds nothing", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "lock")
  const module = join(import.meta.dir, "../../src/store/lock.ts")
  const program = `
    const { lockHome } = await import(${JSON.stringify(module)})
    const answer = lockHome(${JSON.stringify(path)}) ? "held" : "refused"
    // Whoever forgets the lock still has it: a collected database would be closed and let go of it.
    for (let i = 0; i < 5; i++) {
      Bun.gc(true)
      await Bun.sleep(1)
    }
    console.log(answer)
    process.stdin.resume()`
  const start = () =>
    Bun.spawn([process.execPath, "-e", program], { stdin: "pipe", stdout: "pipe", stderr: "inherit" })
  const said = async (child: ReturnType<typeof start>) => {
    for await (const chunk of child.stdout) return new TextDecoder().decode(chunk).trim()
  }
  const holder = start()
  expect(await said(holder)).toBe("held")
  expect(lockHome(path)).toBeUndefined()
  const second = start()
  expect(await said(second)).toBe("refused")
  for (const child of [second, holder]) {
    child.kill("SIGKILL")
    await child.exited
  }
  using now = lockHome(path)
  expect(now).toBeDefined()
})

test("a lock file that is no lock is named and not taken for a holder", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "lock")
  writeFileSync(path, "something else\n".repeat(400))
  expect(() => lockHome(path)).toThrow(expect.objectContaining({ code: "storage_failed" }))
  truncateSync(path, 0)
  using held = lockHome(path)
  expect(held).toBeDefined()
})

test("as many statements as there are stay compiled", async () => {
  await using notes = await openNotes()
  const texts = Array.from({ length: 200 }, (_, i) => `SELECT ${i} AS number`)
  const first = texts.map((text) => notes.store.db.query(text))
  expect(texts.every((text, i) => notes.store.db.query(text) === first[i])).toBe(true)
})
