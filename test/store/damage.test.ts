import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { AppError } from "../../src/base/errors.ts"
import { addMessage, listMessages, searchMessages } from "../../src/store/messages.ts"
import { openStore, type Store } from "../../src/store/open.ts"
import { findSession, touchSession } from "../../src/store/sessions.ts"
import { interruptTurns, startTurn } from "../../src/store/turns.ts"
import { temporaryFolder } from "../harness.ts"

const parts = { agent: "default", channel: "ws", account: "default", peer: "main" }
const key = "default:ws:default:main"

const fill = (store: Store) =>
  store.commit((db) => {
    const { id } = touchSession(db, key, parts, 1)
    startTurn(db, { id: Bun.randomUUIDv7(), session_id: id, agent: "default", started_ms: 1 })
    for (let i = 0; i < 60; i++) {
      const text = `message ${i} ${"of many words ".repeat(20)}`
      addMessage(db, id, { turn_id: "turn", role: "user", parts: [{ type: "text", text }], created_ms: i })
    }
  })

/** A store as a crash leaves it: part of it in the file, part in the log. */
async function crashed(folder: string): Promise<string> {
  const path = join(folder, "whole.db")
  await using store = openStore(path)
  await fill(store)
  store.db.run("PRAGMA wal_checkpoint(TRUNCATE)")
  await fill(store)
  for (const end of ["", "-wal"]) copyFileSync(path + end, join(folder, `crashed.db${end}`))
  return join(folder, "crashed.db")
}

/** Reads and writes as a gateway does after its start. A damaged store may refuse, in words of ours or SQLite's. */
async function use(path: string): Promise<string> {
  let store: Store
  try {
    store = openStore(path)
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown.code
    throw thrown
  }
  // Waiting for the disk tells nothing here.
  store.db.run("PRAGMA synchronous = OFF")
  const tries: (() => unknown)[] = [
    () => store.commit((db) => interruptTurns(db, 2)),
    () => findSession(store.db, key),
    () => listMessages(store.db, 1, { limit: 100 }),
    () => searchMessages(store.db, { query: "many words", limit: 10 }),
    () => fill(store),
  ]
  for (const run of tries) {
    try {
      await run()
    } catch (thrown) {
      const known =
        thrown instanceof AppError ||
        (thrown as Error).name === "SQLiteError" ||
        thrown instanceof SyntaxError
      if (!known) throw thrown
    }
  }
  await store[Symbol.asyncDispose]().catch((thrown) => expect((thrown as Error).name).toBe("SQLiteError"))
  return "opened"
}

const damage = fc.oneof(
  fc.record({ cut: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  // Where the format itself is written.
  fc.record({ header: fc.tuple(fc.nat(99), fc.nat(7)) }),
)
type Damage = { cut?: number; flips?: [number, number][]; header?: [number, number] }

function harm(bytes: Uint8Array, { cut, flips = [], header }: Damage): Uint8Array {
  if (cut !== undefined) return bytes.slice(0, Math.floor(bytes.length * cut))
  const harmed = bytes.slice()
  for (const [place, bit] of flips) harmed[Math.floor(place * (bytes.length - 1))]! ^= 1 << bit
  if (header) harmed[header[0]]! ^= 1 << header[1]
  return harmed
}

test("a damaged store opens or is refused by name, and a refused one is not touched", async () => {
  await using folder = await temporaryFolder()
  const path = await crashed(folder.path)
  const whole = {
    "": new Uint8Array(readFileSync(path)),
    "-wal": new Uint8Array(readFileSync(`${path}-wal`)),
  }
  const files = fc.constantFrom("", "-wal", "clean")
  let count = 0
  await fc.assert(
    fc.asyncProperty(files, damage, async (file, how) => {
      const copy = join(folder.path, `copy-${count++}.db`)
      const main = file === "-wal" ? whole[""] : harm(whole[""], how)
      const log = file === "clean" ? undefined : file === "-wal" ? harm(whole["-wal"], how) : whole["-wal"]
      writeFileSync(copy, main)
      if (log) writeFileSync(`${copy}-wal`, log)
      const outcome = await use(copy)
      expect(["opened", "store_damaged", "store_too_new"]).toContain(outcome)
      if (outcome === "opened") return
      expect(Bun.hash(readFileSync(copy))).toBe(Bun.hash(main))
      if (log) expect(Bun.hash(readFileSync(`${copy}-wal`))).toBe(Bun.hash(log))
    }),
    { numRuns: 80 },
  )
}, 30_000)

test("a file that is no database is refused and kept", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  const text = "this is a letter, not a database\n".repeat(200)
  writeFileSync(path, text)
  expect(() => openStore(path)).toThrow(expect.objectContaining({ code: "store_damaged" }))
  expect(readFileSync(path, "utf8")).toBe(text)
})

test("damage that shows only in use fails the write by name", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "a.db")
  const made = openStore(path)
  await fill(made)
  await made[Symbol.asyncDispose]()
  const bytes = readFileSync(path)
  const { root } = new Database(path, { readonly: true })
    .query("SELECT rootpage AS root FROM sqlite_schema WHERE name = 'usage'")
    .get() as { root: number }
  bytes.fill(0xff, (root - 1) * 4096, root * 4096)
  writeFileSync(path, bytes)
  await using store = openStore(path)
  const write = store.commit((db) =>
    db.run("INSERT INTO usage VALUES (1, '', '', '', '', '', 1, 1, 1, NULL, 1)"),
  )
  await expect(write).rejects.toMatchObject({ code: "store_damaged" })
})
