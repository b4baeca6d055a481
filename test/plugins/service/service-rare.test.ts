/** What seldom happens to plugins in service: another path, a damaged row, an end in the middle. */
import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import { openHouse } from "../house.ts"
import { looping, make } from "../made.ts"

test("a plugin whose file moved, with a configuration that says so, runs from where it is now", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await (await house.start([house.config("echo")]))[Symbol.asyncDispose]()
  await using started = await house.start([house.config("echo")])
  const path = join(house.folder, "moved.wasm")
  copyFileSync(join(house.folder, "echo.wasm"), path)
  await started.plugins.configure({ plugins: [house.config("echo", { path })], secrets: {} })
  house.remove("echo")
  expect(started.info("echo")).toMatchObject({ state: "ready", path })
  expect(await started.call("echo")).toBe("one")
})

test("a file that is not there at the start is told of in the log", async () => {
  await using house = await openHouse()
  await using started = await house.start([house.config("echo")])
  expect(started.lines).toContainEqual(
    expect.objectContaining({ message: "a plugin is not in service", plugin: "echo", state: "missing" }),
  )
})

const damages: [what: string, sql: string][] = [
  ["what it said of itself is nothing", "described = 'null'"],
  ["what it said of itself is of another form", `described = '{"kind":"tool","tools":[{}]}'`],
  ["what it said of itself is cut off", `described = '{"kind'`],
  ["what it asked for is cut off", "asks = '['"],
  ["what it asked for is no list", "asks = '7'"],
]

test.each(damages)("where %s, it is out of service until it is approved anew", async (_, sql) => {
  await using house = await openHouse()
  house.write("echo", make())
  house.write("good", make())
  const configs = [house.config("echo"), house.config("good")]
  await (await house.start(configs))[Symbol.asyncDispose]()
  {
    using db = new Database(join(house.folder, "weft.db"))
    db.run(`UPDATE plugin SET ${sql} WHERE name = 'echo'`)
  }
  await using again = await house.start(configs)
  expect(again.info("good").state).toBe("ready")
  expect(again.info("echo")).toMatchObject({
    state: "changed",
    reason: expect.stringContaining("cannot be read"),
  })
  await again.plugins.load("echo", "anna")
  expect(again.info("echo")).toMatchObject({ state: "ready", approved_by: "anna" })
  expect(await again.call("echo")).toBe("one")
})

test("an end in the middle of the first plugin's coming leaves nothing behind", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await using started = await house.start([])
  const configuring = started.plugins.configure({ plugins: [house.config("echo")], secrets: {} })
  await started[Symbol.asyncDispose]()
  await configuring
  expect(started.plugins.runners()).toEqual([])
  await started.plugins.configure({ plugins: [house.config("echo")], secrets: {} })
  expect([started.plugins.list(), started.plugins.runners()]).toEqual([[], []])
  expect(started.lines.filter(({ message }) => message === "a plugin could not be looked at")).toEqual([])
})

test("an end does not wait for a plugin that says what it is and comes to no end", async () => {
  await using house = await openHouse()
  await using started = await house.start([house.config("echo")])
  house.write("echo", make({ describing: looping }))
  while (!started.plugins.runners().some(({ busy }) => busy)) await new Promise(setImmediate)
  const from_ms = performance.now()
  await started[Symbol.asyncDispose]()
  expect(performance.now() - from_ms).toBeLessThan(1500)
  expect(started.lines.filter(({ message }) => message === "a plugin could not be looked at")).toEqual([])
})
