import { expect, test } from "bun:test"
import fc from "fast-check"
import type { AppError } from "../../../src/base/errors.ts"
import { inputParser } from "../../../src/plugins/description/input.ts"
import { SchemaRefused } from "../../../src/plugins/description/schema.ts"

const schema = {
  type: "object",
  properties: {
    q: { type: "string", minLength: 2, maxLength: 9 },
    n: { type: "integer", minimum: 1, exclusiveMaximum: 5, multipleOf: 2 },
    list: {
      type: "array",
      maxItems: 2,
      items: { type: "object", properties: { "a/b": { enum: ["x", "y"] } }, required: ["a/b"] },
    },
    tree: { $ref: "#/$defs/tree" },
    either: { oneOf: [{ type: "string" }, { type: ["integer", "null"] }] },
    pair: { prefixItems: [{ const: 1 }, { type: "boolean" }], items: false },
  },
  required: ["q"],
  additionalProperties: false,
  $defs: {
    tree: {
      type: "object",
      properties: { branches: { type: "array", items: { $ref: "#/$defs/tree" } } },
      required: ["branches"],
    },
  },
}

test.each([
  { q: "ok" },
  { q: "ok", n: 4, list: [{ "a/b": "x" }], either: null, pair: [1, true] },
  { q: "ok", tree: { branches: [{ branches: [] }] }, either: "a" },
])("%j is taken as it is", (input) => {
  expect(inputParser(schema)(input)).toBe(input)
})

test.each([
  [undefined, "/", "an object"],
  [[], "/", "an object"],
  [{}, "/", "the property q"],
  [{ q: 1 }, "/q", "string"],
  [{ q: "a" }, "/q", "at least 2 characters"],
  [{ q: "0123456789" }, "/q", "at most 9 characters"],
  [{ q: "ok", z: 1 }, "/z", "no such property"],
  [JSON.parse('{"q":"ok","__proto__":1}'), "/__proto__", "no such property"],
  [{ q: "ok", n: 1.5 }, "/n", "integer"],
  [{ q: "ok", n: 0 }, "/n", "at least 1"],
  [{ q: "ok", n: 6 }, "/n", "less than 5"],
  [{ q: "ok", n: 3 }, "/n", "a multiple of 2"],
  [{ q: "ok", list: [{}, {}, {}] }, "/list", "at most 2 items"],
  [{ q: "ok", list: [{ "a/b": "x" }, { "a/b": "z" }] }, "/list/1/a~1b", 'one of "x", "y"'],
  [{ q: "ok", list: [{}] }, "/list/0", "the property a/b"],
  [{ q: "ok", tree: {} }, "/tree", "the property branches"],
  [{ q: "ok", either: 1.5 }, "/either", "one of the alternatives of the schema"],
  [{ q: "ok", pair: [2] }, "/pair/0", "1"],
  [{ q: "ok", pair: [1, true, 3] }, "/pair/2", "no such property"],
])("%j is refused at its place", (input, path, expected) => {
  expect(() => inputParser(schema)(input)).toThrow(
    expect.objectContaining({ code: "invalid_params", data: { path, expected } }),
  )
})

test("an error never repeats what was given", () => {
  const secret = "sk-canary-4711"
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (json) => {
      const given = { q: [secret, JSON.parse(json)], list: [{ "a/b": secret }], [secret]: 1 }
      for (const key of ["q", "list"] as const) {
        try {
          inputParser(schema)({ q: "ok", [key]: given[key] })
        } catch (thrown) {
          expect(JSON.stringify((thrown as AppError).data)).not.toContain(secret)
        }
      }
    }),
  )
})

const nested = (levels: number, inner: object) => {
  let made: object = inner
  for (let level = 0; level < levels; level++) made = { allOf: [made] }
  return made
}

/** Each refers twice to the next: what is written out doubles with each. */
const doubling = Object.fromEntries(
  Array.from({ length: 30 }, (_, index) => [
    `d${index}`,
    { anyOf: Array(2).fill({ $ref: `#/$defs/d${index + 1}` }) },
  ]),
)

test.each([
  ["text", { type: "string" }, 'type = "object"'],
  ["no type", {}, 'type = "object"'],
  ["two types", { type: ["object", "null"] }, 'type = "object"'],
  [
    "an unknown type",
    { type: "object", properties: { a: { type: "text" } } },
    "wrong value at /properties/a/type",
  ],
  [
    "a schema that is none",
    { type: "object", properties: { a: 3 } },
    "something else than a schema at /properties/a",
  ],
  ["properties that are none", { type: "object", properties: [] }, "wrong value at /properties"],
  ["required that is none", { type: "object", required: "a" }, "wrong value at /required"],
  [
    "an empty choice",
    { type: "object", properties: { a: { enum: [] } } },
    "wrong value at /properties/a/enum",
  ],
  ["alternatives at the top", { type: "object", oneOf: [{}] }, "has oneOf at its top"],
  ["a name that models do not take", { type: "object", properties: { "a b": {} } }, "has the property a b"],
  [
    "a number that tells",
    { type: "object", properties: { a: { description: 5 } } },
    "value at /properties/a/description",
  ],
  [
    "an expression that is none",
    { type: "object", properties: { a: { pattern: {} } } },
    "value at /properties/a/pattern",
  ],
  ["a wrong definition", { type: "object", $defs: { a: { type: 1 } } }, "wrong value at /$defs/a/type"],
  [
    "a wrong negation",
    { type: "object", properties: { a: { not: { not: 1 } } } },
    "at /properties/a/not/not",
  ],
  [
    "no alternatives",
    { type: "object", properties: { a: { anyOf: [] } } },
    "a list of schemas at /properties/a/anyOf",
  ],
  ["a negative length", { type: "object", properties: { a: { minLength: -1 } } }, "a/minLength"],
  ["a step of nothing", { type: "object", properties: { a: { multipleOf: 0 } } }, "a/multipleOf"],
  [
    "a remote reference",
    { type: "object", properties: { a: { $ref: "https://example.com/a" } } },
    "another document",
  ],
  ["a reference to a file", { type: "object", $ref: "other.json#/a" }, "another document"],
  ["a reference to nothing", { type: "object", $ref: "#/$defs/a" }, "what it does not have"],
  ["a reference into a prototype", { type: "object", $ref: "#/constructor" }, "what it does not have"],
  [
    "references that double",
    { type: "object", $ref: "#/$defs/d0", $defs: { ...doubling, d30: {} } },
    "2000 parts",
  ],
  [
    "a choice of thousands",
    { type: "object", properties: { a: { enum: Array(2001).fill(1) } } },
    "2000 parts",
  ],
])("%s is no schema", (_, wrong, reason) => {
  expect(() => inputParser(wrong)).toThrow(SchemaRefused)
  expect(() => inputParser(wrong)).toThrow(reason)
})

test("an expression that backtracks for ever is left to the plugin", () => {
  const slow = { type: "string", pattern: "^(a+)+$", format: "email" }
  const parse = inputParser({
    type: "object",
    properties: { a: slow, b: { patternProperties: { "(a+)+$": false }, additionalProperties: false } },
  })
  const text = `${"a".repeat(50_000)}!`
  expect(parse({ a: text, b: { [text]: 1 } })).toBeDefined()
})

test("lists are not compared with themselves", () => {
  const parse = inputParser({ type: "object", properties: { a: { type: "array", uniqueItems: true } } })
  const a = Array.from({ length: 100_000 }, (_, index) => [index])
  const started = performance.now()
  expect(parse({ a })).toEqual({ a })
  expect(performance.now() - started).toBeLessThan(1000)
})

test.each([
  ["itself", { type: "object", $ref: "#" }],
  [
    "itself by alternatives",
    { type: "object", properties: { a: { anyOf: [{ $ref: "#" }, { $ref: "#" }] } } },
  ],
  [
    "each other",
    { type: "object", $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
  ],
])("a schema that refers to %s ends", (_, endless) => {
  const parse = inputParser(endless)
  expect(parse({ a: { a: { a: {} } } })).toBeDefined()
})

test("what is left out of a schema never makes it take less", () => {
  const parse = inputParser({
    type: "object",
    properties: {
      a: { not: { pattern: "x" } },
      b: { oneOf: [{ format: "email" }, { format: "uri" }] },
      c: { if: { pattern: "x" }, else: false },
      d: { contains: { uniqueItems: true }, maxContains: 1 },
    },
  })
  expect(parse({ a: "y", b: "a@b.example", c: "x", d: [[1], [1, 1]] })).toBeDefined()
})

test("references within references and deep schemas stay within the stack", () => {
  const deep = { type: "object", properties: { a: nested(900, { type: "string" }) } }
  expect(() => inputParser(deep)({ a: 1 })).toThrow(expect.objectContaining({ code: "invalid_params" }))
})
