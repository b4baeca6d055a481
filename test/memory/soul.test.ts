import { expect, test } from "bun:test"
import { rmSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openSoul } from "../../src/memory/soul.ts"
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
