import { expect, test } from "bun:test"
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stampOf } from "../../../src/plugins/service/files.ts"
import { look } from "../../../src/plugins/service/look.ts"
import { openStore } from "../../../src/store/open.ts"
import { openHouse } from "../house.ts"
import { make } from "../made.ts"

test("the code that a runner gets is what was approved, at the moment when it is read", async () => {
  await using house = await openHouse()
  await using store = openStore(":memory:")
  house.write("echo", make())
  const path = join(house.folder, "echo.wasm")
  const described = { kind: "tool" as const, tools: [] }
  const deps = { store, now_ms: Date.now, describe: async () => described }
  const standing = await look(house.config("echo"), deps)
  if (standing.state !== "ready") throw new Error(standing.reason)
  const { module } = standing.service
  const prepared = await module.read()
  const bytes = readFileSync(path)
  writeFileSync(path, make({ answer: { content: "two" } }))
  await expect(module.read()).rejects.toThrow(
    'The file of the plugin "echo" is no longer the one that was approved.',
  )
  writeFileSync(path, bytes)
  expect(await module.read()).toEqual(prepared)
  house.write("echo", bytes, 'name = "echo"\nkind = "tool"\n')
  await expect(module.read()).rejects.toMatchObject({ kind: "aborted" })
})

test("a stamp is another one for other files, and never the same for one that was just written", async () => {
  await using house = await openHouse()
  const path = join(house.folder, "echo.wasm")
  expect(stampOf(path, Date.now())).toBe("- -")
  house.write("echo", make())
  const late_ms = Date.now() + 10_000
  utimesSync(path, 1e9, 1e9)
  const old = stampOf(path, late_ms)
  expect(stampOf(path, late_ms)).toBe(old)
  expect(stampOf(path, statSync(path).ctimeMs)).not.toBe(stampOf(path, statSync(path).ctimeMs))
  // The same length and the same time of writing, as somebody would have it who hides a change.
  // The system's clock for files has a coarse grain.
  for (let round = 0; round < 10_000 && stampOf(path, late_ms) === old; round++) {
    writeFileSync(path, readFileSync(path))
    utimesSync(path, 1e9, 1e9)
  }
  expect(stampOf(path, late_ms)).not.toBe(old)
})
