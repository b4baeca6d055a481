import { expect, test } from "bun:test"
import { tryJson } from "../../src/plugins/json.ts"

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))

test("what a plugin says is JSON of so many values, and no more is parsed", () => {
  const values = Array(20_000).fill({ a: [] })
  expect(tryJson(bytesOf(values))).toEqual(values)
  expect(tryJson(bytesOf(values), 1000)).toBeUndefined()
  expect(tryJson(bytesOf(Array(200_000).fill(0)))).toBeUndefined()
  expect(tryJson(bytesOf("[,".repeat(200_000)))).toBe("[,".repeat(200_000))
})
