import { expect, test } from "bun:test"
import { isLevel, openLog } from "../../src/base/log.ts"

test("a line is one JSON object with the time, and less than the level is not written", () => {
  const lines: string[] = []
  const log = openLog("warn", (line) => lines.push(line))
  log.debug("no")
  log.info("no")
  log.warn("something is odd", { count: 2 })
  log.error("something is wrong", { who: 'a "stranger"\n\u001b[31m\u007f\u009b31m' })
  expect(lines.every((line) => line.endsWith("}\n") && line.indexOf("\n") === line.length - 1)).toBe(true)
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { at: expect.stringMatching(/^\d{4}-.*Z$/), level: "warn", message: "something is odd", count: 2 },
    {
      ...{ at: expect.any(String), level: "error", message: "something is wrong" },
      who: 'a "stranger"\n\u001b[31m\u007f\u009b31m',
    },
  ])
  // No control character reaches a terminal that shows the log.
  expect(lines.join("").replaceAll("\n", "")).not.toMatch(/\p{Cc}/u)
})

test("no field fills a disk, however deep it is", () => {
  const lines: string[] = []
  openLog("info", (line) => lines.push(line)).info("long", {
    a: "x".repeat(9999),
    b: { c: ["y".repeat(513), "z".repeat(512)] },
  })
  const { a, b } = JSON.parse(lines[0]!)
  expect([a, b]).toEqual([`${"x".repeat(512)}…`, { c: [`${"y".repeat(512)}…`, "z".repeat(512)] }])
})

test.each([
  ["info", true],
  ["loud", false],
  ["toString", false],
])("%p is a level: %p", (text, is) => expect(isLevel(text)).toBe(is))
