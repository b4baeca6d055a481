import { expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { newName, removeLeftovers, removeTree } from "../../../src/security/sandbox/remove.ts"
import { startGateway, temporaryFolder } from "../../harness.ts"
import { needs } from "../../needs.ts"

needs({ platform: "linux" })(
  "what a killed gateway's programs left goes, and what is in use stays",
  async () => {
    await using folder = await temporaryFolder()
    const run = join(folder.path, "run")
    const canary = join(folder.path, "canary")
    writeFileSync(canary, "a canary sings")
    const left = join(run, "0badcafe-1")
    mkdirSync(join(left, "shut", "in"), { recursive: true })
    chmodSync(join(left, "shut"), 0)
    symlinkSync(canary, join(left, "link"))
    symlinkSync(folder.path, join(run, "0badcafe-2"))
    writeFileSync(join(run, "0badcafe-3.sock"), "")
    const own = newName()
    mkdirSync(join(run, own))
    writeFileSync(join(run, "sandbox"), "the helper")
    await removeLeftovers(run)
    expect(readdirSync(run).sort()).toEqual([own, "sandbox"].sort())
    expect(readFileSync(canary, "utf8")).toBe("a canary sings")
  },
)

test("a home in which nothing ran has nothing to remove", async () => {
  await using folder = await temporaryFolder()
  await removeLeftovers(join(folder.path, "run"))
  expect(existsSync(join(folder.path, "run"))).toBe(false)
})

needs({ platform: "linux" })("a tree that is very deep is removed in no time", async () => {
  await using folder = await temporaryFolder()
  const left = join(folder.path, "left")
  // Put together from chains that a path can name, each moved into the next.
  const chain = Array.from({ length: 1000 }, () => "d").join("/")
  for (let i = 0; i < 6; i++) {
    Bun.spawnSync(["mkdir", "-p", join(folder.path, "next", chain)])
    if (i > 0) renameSync(left, join(folder.path, "next", chain, "left"))
    renameSync(join(folder.path, "next"), left)
  }
  await removeTree(left)
  expect(existsSync(left)).toBe(false)
})

test("a gateway removes what one that was killed left", async () => {
  await using folder = await temporaryFolder()
  const left = join(folder.path, "run", "0badcafe-1")
  mkdirSync(left, { recursive: true })
  writeFileSync(join(left, "file"), "")
  await using _ = await startGateway({ home: folder.path, log_level: "error" })
  while (existsSync(left)) await new Promise(setImmediate)
})
