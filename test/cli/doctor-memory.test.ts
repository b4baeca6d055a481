/** What `weft doctor` says of the memory, with and without a gateway on the home. */
import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { ask } from "../gateway/client.ts"
import { startGateway, temporaryFolder } from "../harness.ts"
import { weft } from "./weft.ts"

async function examine(home: string): Promise<string[]> {
  const { stdout } = await weft(["doctor", "--json", "--home", home])
  const { checks } = JSON.parse(stdout) as { checks: { what: string; level: string; detail: string }[] }
  return checks
    .filter(({ what }) => what.startsWith("memory"))
    .map(({ what, level, detail }) => `${level} ${what}: ${detail}`)
}

test("doctor compares rows, words and vectors, and sees what is missing", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "home")
  mkdirSync(home, { mode: 0o700 })
  {
    await using gateway = await startGateway({ home })
    for (const text of ["The boat is called Albatross", "Tea at four", "A third"])
      await ask(gateway, "memory.add", { text })
    await ask(gateway, "memory.search", { query: "boat" })
    const running = await examine(home)
    expect(running).toContain("ok memory: words: 3 of 3 rows have words in the index")
    expect(running).toContainEqual(
      expect.stringMatching(/^ok memory: vectors of hash:\S+: 3 of 3 vectors are in the files/),
    )
    expect(running).toContainEqual(expect.stringMatching(/^ok memory: recall of hash:\S+: 100\.0 %/))
  }
  const before = await examine(home)
  expect(before).toEqual([
    "ok memory: words: 3 of 3 rows have words in the index",
    expect.stringMatching(/^ok memory: vectors of hash:\S+: 3 of 3 rows have one/),
  ])
  {
    using db = new Database(join(home, "weft.db"))
    db.run("DELETE FROM memory_fts WHERE rowid = 1")
    db.run("DROP TRIGGER vector_gone; DELETE FROM vector WHERE memory_id = 1")
  }
  expect((await examine(home))[1]).toMatch(
    /^warn memory: vectors of \S+: there are 2, and 3 are written down/,
  )
  {
    using db = new Database(join(home, "weft.db"))
    db.run("UPDATE vector_set SET rows = 2")
  }
  expect((await examine(home))[1]).toMatch(/^warn memory: vectors of \S+: the checksum of 2 is another one/)
  await using gateway = await startGateway({ home })
  const damaged = await examine(home)
  expect(damaged).toContain(
    "warn memory: words: 2 of 3 rows have words in the index; of 1 that do not, 1 should",
  )
  // What the warning says helps.
  await ask(gateway, "memory.reindex")
  expect(await examine(home)).toContain("ok memory: words: 3 of 3 rows have words in the index")
}, 30_000)

test("where nothing was remembered yet there is nothing to say", async () => {
  await using folder = await temporaryFolder()
  expect(await examine(join(folder.path, "none"))).toEqual([])
})
