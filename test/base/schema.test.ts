import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { type Part, textOf } from "../../src/base/parts.ts"
import { parser } from "../../src/base/schema.ts"

const Town = Type.Object(
  { name: Type.String(), size: Type.Integer({ default: 1 }), inner: Type.Object({ a: Type.Number() }) },
  { additionalProperties: false },
)

test("defaults are filled in and the value is what the schema says", () => {
  expect(parser(Town)({ name: "Bonn", inner: { a: 1 } })).toEqual({ name: "Bonn", size: 1, inner: { a: 1 } })
})

test.each([
  [{ inner: { a: 1 } }, "/name"],
  [{ name: "Bonn", inner: { a: "1" } }, "/inner/a"],
  [{ name: "Bonn", inner: { a: 1 }, more: 1 }, "/more"],
  [null, "/"],
  [JSON.parse('{"name": "Bonn", "inner": {"a": 1}, "__proto__": {"size": 2}}'), "/__proto__"],
])("%p does not match, and the place is named", (value, path) => {
  expect(() => parser(Town, "invalid_config")(value)).toThrow(
    expect.objectContaining({ code: "invalid_config", data: { path, expected: expect.any(String) } }),
  )
})

test("the text of a message is its text and nothing else of it", () => {
  const parts: Part[] = [
    { type: "reasoning", text: "hm" },
    { type: "text", text: "a" },
    { type: "image", file_id: "f", mime: "image/png" },
    { type: "text", text: "b" },
  ]
  expect(textOf(parts)).toBe("ab")
})

test("a choice of values is refused by naming them", () => {
  const parse = parser(Type.Object({ by: Type.Union([Type.Literal("day"), Type.Literal(1), Type.Null()]) }))
  expect(() => parse({ by: "year" })).toThrow(
    expect.objectContaining({ data: { path: "/by", expected: 'one of "day", 1, null' } }),
  )
})
