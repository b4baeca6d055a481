import { expect, test } from "bun:test"
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openSoul, openSoulFolder, openSouls, soul_bytes_max } from "../../src/memory/soul.ts"
import { temporaryFolder } from "../harness.ts"

test("a soul is read again when its time of change moves, and only then", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "SOUL.md")
  const write = (text: string, time_s: number) => {
    writeFileSync(path, text)
    utimesSync(path, time_s, time_s)
  }
  const soul = openSoul(path)
  expect(soul()).toBe("")
  write("  I am kind.\n", 1000)
  expect(soul()).toBe("I am kind.")
  write("Not seen: the same time.", 1000)
  expect(soul()).toBe("I am kind.")
  write("I am kinder.", 2000)
  expect(soul()).toBe("I am kinder.")
  // Going back in time, as a checkout of an older one does, is a change too.
  write("I was kind.", 500)
  expect(soul()).toBe("I was kind.")
  rmSync(path)
  expect(soul()).toBe("")
})

test("an agent's folder is read in its order, and what is no text to read is said and not waited for", async () => {
  await using folder = await temporaryFolder()
  const agents = join(folder.path, "agents")
  const read = openSoulFolder(join(agents, "work"))
  expect(read()).toEqual([])
  writeFileSync(agents, "a file where a folder should be")
  expect(read()).toEqual([])
  rmSync(agents)
  mkdirSync(join(agents, "work"), { recursive: true })
  const path = (name: string) => join(agents, "work", name)
  writeFileSync(path("AGENTS.md"), " Use metric units.\n")
  writeFileSync(path("SOUL.md"), "")
  mkdirSync(path("USER.md"))
  const expected = [
    { name: "SOUL.md", text: "" },
    { name: "USER.md", text: "", problem: "is not a file" },
    { name: "AGENTS.md", text: "Use metric units." },
  ]
  expect(read()).toEqual(expected)
  expect(openSouls(agents)("work")).toEqual(expected)
  rmSync(path("USER.md"), { recursive: true })
  // Nobody writes to it: a read would wait for ever.
  Bun.spawnSync(["mkfifo", path("USER.md")])
  expect(read()[1]?.text ?? "").toBe("")
  writeFileSync(path("SOUL.md"), "x".repeat(soul_bytes_max))
  expect(read()[0]!.text).toHaveLength(soul_bytes_max)
  writeFileSync(path("SOUL.md"), "x".repeat(soul_bytes_max + 1))
  expect(read()[0]).toMatchObject({
    text: "",
    problem: expect.stringContaining("more than 262144 are not read"),
  })
})

test("a file of the same time but of another size is read again", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "SOUL.md")
  const read = openSoulFolder(folder.path)
  for (const text of ["short", "longer"]) {
    writeFileSync(path, text)
    utimesSync(path, 1000, 1000)
    expect(read()[0]!.text).toBe(text)
  }
})
