import { expect, test } from "bun:test"
import fc from "fast-check"
import { isBeyond, isDeeper } from "../../src/base/depth.ts"

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

test("the depth of JSON is found without parsing it, whatever its texts hold", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 6 },
      fc.string({ unit: fc.constantFrom("[", "{", "}", '"', "\\", "a") }),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("[", '"', "\\"), tie("any"), { maxKeys: 3 }),
    ),
  })).any
  fc.assert(
    fc.property(value, (made) => {
      const [text, depth] = [JSON.stringify(made), depthOf(made)]
      expect(isDeeper(text, depth)).toBe(false)
      if (depth > 0) expect(isDeeper(text, depth - 1)).toBe(true)
    }),
  )
})

test("what is no JSON has a depth, too", () => {
  expect(isDeeper("[".repeat(1_000_000), 64)).toBe(true)
  expect(isDeeper(`"${"[".repeat(1000)}`, 64)).toBe(false)
})

test("the values of JSON are counted without parsing it, whatever its texts hold", () => {
  const text = fc.string({ unit: fc.constantFrom(",", "[", '"', "\\", "a") })
  fc.assert(
    fc.property(fc.array(fc.oneof(text, fc.array(text, { maxLength: 3 })), { minLength: 1 }), (list) => {
      const values = 1 + list.reduce((sum, value) => sum + 1 + (Array.isArray(value) ? value.length : 0), 0)
      expect(isBeyond(JSON.stringify(list), 2, 2 * values)).toBe(false)
      expect(isBeyond(JSON.stringify(list), 2, list.length)).toBe(true)
    }),
  )
})
