import { expect, test } from "bun:test"
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { questionOf, startModel, temporaryFolder } from "../harness.ts"
import { configFor, openHomeStore, run, startWeft } from "./weft.ts"
import { findHalves } from "./whole.ts"

const turns = 60
const cuts = 24

/** A home as a crash left it, after some turns. */
async function crashedHome() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  await using model = startModel(({ messages }) => [`the answer to ${questionOf({ messages })}`])
  const home = join(folder.path, "home")
  await using gateway = await startWeft({ home, config: configFor(model) })
  await using client = await gateway.client()
  for (let turn = 0; turn < turns; turn++) {
    const { error } = await client.call("chat.send", {
      content: `question ${turn}`,
      peer: `peer ${turn % 5}`,
    })
    expect(error).toBeUndefined()
  }
  gateway.kill("SIGKILL")
  await gateway.exited
  const kept = stack.move()
  return { home, copy: join(folder.path, "copy"), [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The home once more, with one of its files changed. */
function copyWith(home: string, copy: string, name: string, change: (bytes: Buffer) => Buffer): void {
  rmSync(copy, { recursive: true, force: true })
  cpSync(home, copy, { recursive: true })
  // The index of the log is rebuilt from it; after a loss of power there is none.
  rmSync(join(copy, "weft.db-shm"), { force: true })
  writeFileSync(join(copy, name), change(readFileSync(join(home, name))))
}

const flip = (bytes: Buffer, at: number): Buffer => {
  bytes[at]! ^= 1 << (at % 8)
  return bytes
}

/** Places all over a file, on no boundary of its pages. */
const places = (share: number, length: number) => Math.floor(share * length) + 7

test("a log that is torn or damaged anywhere loses turns from there on, and no turn is half", async () => {
  await using crashed = await crashedHome()
  const { home, copy } = crashed
  const kept: number[] = []
  for (let cut = 0; cut < cuts; cut++) {
    const torn = cut % 3 !== 2
    copyWith(home, copy, "weft.db-wal", (bytes) => {
      const at = places(cut / cuts, bytes.length)
      return torn ? bytes.subarray(0, at) : flip(bytes, at)
    })
    await using gateway = await startWeft({ home: copy, config: "" })
    await using client = await gateway.client()
    expect((await client.call("chat.send", { content: "go on", peer: "new" })).result).toBeDefined()
    gateway.kill("SIGKILL")
    await gateway.exited
    using store = openHomeStore(copy)
    expect(findHalves(store)).toEqual([])
    kept.push((store.query("SELECT count(*) AS n FROM turn").get() as { n: number }).n)
  }
  expect(kept).toEqual(kept.toSorted((left, right) => left - right))
  expect(kept.at(-1)).toBeGreaterThan(turns / 2)
}, 30_000)

test("a store that was cut off is refused and left as it is", async () => {
  await using crashed = await crashedHome()
  const { home, copy } = crashed
  {
    await using gateway = await startWeft({ home })
    gateway.kill("SIGTERM")
    await gateway.exited
  }
  for (const share of [0.1, 0.35, 0.6, 0.85]) {
    copyWith(home, copy, "weft.db", (bytes) => bytes.subarray(0, places(share, bytes.length)))
    const before = readFileSync(join(copy, "weft.db"))
    const { status, err } = await run(["gateway", "--port", "0", "--home", copy])
    expect(err.split("\n")[0]).toBe("weft: The database is damaged; it was left untouched. Restore a backup.")
    expect(status).toBe(74)
    expect(readFileSync(join(copy, "weft.db")).equals(before)).toBe(true)
  }
})
