import { afterAll, expect, test } from "bun:test"
import { applyPatch, structuredPatch } from "diff"
import fc from "fast-check"
import { openGuest, type ToolAnswer } from "./guest.ts"

const text = await openGuest("text")
afterAll(() => text[Symbol.asyncDispose]())

const long = 'lorem ipsum\ndolor "sit" '.repeat(41_000)

/** The content of an answer that is no failure. */
function said({ content, is_error }: ToolAnswer): string {
  if (is_error) throw new Error(content)
  return content
}

const count = async (given: string) => JSON.parse(said(await text.call("count", { text: given })))
const match = async (input: Record<string, unknown>) => JSON.parse(said(await text.call("match", input)))
const replace = async (input: Record<string, unknown>) => said(await text.call("replace", input))

test("each tool has a schema", async () => {
  const tools = (await text.describe()) as { name: string; input_schema: { type: string } }[]
  expect(tools.map(({ name }) => name)).toEqual(["count", "convert_case", "diff", "match", "replace"])
  for (const { input_schema } of tools) expect(input_schema.type).toBe("object")
})

test.each([
  ["", 0, 0],
  ["one", 1, 1],
  ["one two\n", 2, 1],
  ["one\r\ntwo\rthree\n\n", 3, 4],
  ["don't stop the mother-in-law – ever", 5, 1],
  ["naïve Ünïcödé слово λέξη", 4, 1],
  ["a\u0308b e\u0301", 2, 1],
  ["東京は晴れ", 5, 1],
  ["3.14 is 2 numbers", 5, 1],
  ["👩‍👩‍👧 🎉", 0, 1],
])("%j has %i words in %i lines", async (given, words, lines) => {
  expect(await count(given)).toEqual({
    words,
    lines,
    characters: [...given].length,
    bytes: Buffer.byteLength(given),
  })
})

test("characters are code points and bytes are those of UTF-8, whatever the text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (given) => {
      const { characters, bytes } = await count(given)
      expect([characters, bytes]).toEqual([[...given].length, Buffer.byteLength(given)])
    }),
  )
})

test.each([
  ["upper", "straße λόγος", "STRASSE ΛΌΓΟΣ"],
  ["lower", "ÀÉÎ ŻÓŁW", "àéî żółw"],
  ["title", "the QUICK brown-fox don't", "The Quick Brown-fox Don't"],
  ["sentence", "HELLO there. how ARE you? fine", "Hello there. How are you? Fine"],
  ["camel", "Parse HTTP request-id", "parseHttpRequestId"],
  ["pascal", "parse_http request2", "ParseHttpRequest2"],
  ["snake", "parseHTTPRequest 2ndTry", "parse_http_request_2nd_try"],
  ["kebab", "  ÉtéChaud__là ", "été-chaud-là"],
  ["constant", "maxRetries", "MAX_RETRIES"],
])("%s of %j is %j", async (to, given, expected) => {
  expect(said(await text.call("convert_case", { text: given, to }))).toBe(expected)
})

test("an unknown case, tool or a text that is too long is a failure that says so", async () => {
  expect(await text.call("convert_case", { text: "a", to: "wild" })).toMatchObject({ is_error: true })
  expect(await text.call("nothing", {})).toMatchObject({ is_error: true })
  expect((await text.call("count", { text: "a".repeat(1_000_001) })).content).toContain("1000000")
})

const lines = fc
  .tuple(fc.array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "d e\n"), { maxLength: 20 }), fc.boolean())
  .map(([all, ended]) => (ended ? all.join("") : all.join("").replace(/\n$/, "")))

test("a diff turns the one text into the other, and is as short as can be", async () => {
  await fc.assert(
    fc.asyncProperty(lines, lines, fc.integer({ min: 0, max: 4 }), async (before, after, context) => {
      const patch = said(await text.call("diff", { before, after, context }))
      if (before === after) return expect(patch).toBe("")
      expect(applyPatch(before, patch)).toBe(after)
      // Changes whose context touches are shown together.
      const ranges = [...patch.matchAll(/^@@ -(\d+)(?:,(\d+))? /gm)].map(([, start, count = "1"]) => [
        Number(start),
        Number(count),
      ])
      for (const [index, [start]] of ranges.entries()) {
        const [before_start, before_count] = ranges[index - 1] ?? [-Infinity, 0]
        expect(start!).toBeGreaterThan(before_start! + before_count! - (context === 0 ? 1 : 0))
      }
      const changes = (all: string[]) => all.filter((line) => /^[-+]/.test(line)).length
      const { hunks } = structuredPatch("", "", before, after)
      expect(changes(patch.split("\n").slice(2))).toBe(changes(hunks.flatMap((hunk) => hunk.lines)))
    }),
    { numRuns: 300 },
  )
})

test("texts that have nothing in common are compared in time, too", async () => {
  const all = (name: string) => Array.from({ length: 20_000 }, (_, index) => `${name} ${index}\n`).join("")
  const patch = said(await text.call("diff", { before: all("a"), after: all("b") }))
  expect(applyPatch(all("a"), patch)).toBe(all("b"))
})

// What is repeated matches something in each round: where it may match nothing, engines differ.
const piece = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "\\w", "\\d", "\\s", "ä", "😀", "A")
const empty = fc.constantFrom("^", "$", "\\b", "\\B", "")
const quantifier = fc.constantFrom("", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,3}?", "{2,}")
const { expression } = fc.letrec<{ expression: string; repeated: string; solid: string }>((tie) => ({
  solid: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    piece,
    fc.tuple(piece, tie("expression")).map(([first, rest]) => `(${first}(?:${rest}))`),
    fc.tuple(tie("solid"), tie("solid")).map(([one, other]) => `(?:${one}|${other})`),
  ),
  repeated: fc.tuple(tie("solid"), quantifier).map(([part, times]) => part + times),
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("repeated"),
    empty,
    fc.tuple(tie("repeated"), tie("repeated")).map(([one, other]) => one + other),
    fc.tuple(tie("expression"), tie("expression")).map(([one, other]) => `(${one}|${other})`),
  ),
}))
const subject = fc
  .array(fc.constantFrom("a", "b", "A", "\n", " ", "1", "ä", "😀"), { maxLength: 12 })
  .map((all) => all.join(""))
const some_flags = fc.subarray(["i", "m", "s"]).map((all) => all.join(""))

test("what matches is what matches in JavaScript, groups and all", async () => {
  await fc.assert(
    fc.asyncProperty(expression, subject, some_flags, async (pattern, given, flags) => {
      const expected = [...given.matchAll(new RegExp(pattern, `gu${flags}`))].map((found) => ({
        match: found[0],
        start: [...given.slice(0, found.index)].length,
        groups: Object.fromEntries(found.slice(1).map((group, index) => [`${index + 1}`, group ?? null])),
      }))
      const { matches } = await match({ text: given, pattern, flags, limit: 1000 })
      expect(
        matches.map(({ match, start, groups = {} }: (typeof expected)[number]) => ({ match, start, groups })),
      ).toEqual(expected)
    }),
    { numRuns: 1000 },
  )
})

test("what is replaced is what JavaScript replaces", async () => {
  const parts = fc.constantFrom("x", "$1", "$2", "$&", "$$", "$", "$10", "$0", "$<")
  const replacement = fc.array(parts, { maxLength: 4 }).map((all) => all.join(""))
  await fc.assert(
    fc.asyncProperty(expression, subject, replacement, async (pattern, given, replacement) => {
      expect(await replace({ text: given, pattern, replacement })).toBe(
        given.replace(new RegExp(pattern, "gu"), replacement),
      )
    }),
    { numRuns: 500 },
  )
})

test.each([
  ["\\u{1f600}|\\x41|\\u00e4|\\ud83d\\ude00", "A ä 😀"],
  ["[\\dx-]|[a\\-c]|[\\]\\\\]", "5 - x a ] \\"],
  ["\\.\\*\\/\\$", ".*/$"],
  ["(?<year>\\d{4})-(?<month>\\d\\d)", "on 2026-11-21"],
  ["[^\\W\\s]+", "a_b c"],
])("%s matches as in JavaScript", async (pattern, given) => {
  const expected = [...given.matchAll(new RegExp(pattern, "gu"))]
  const { matches } = await match({ text: given, pattern })
  expect(matches.map((found: { match: string }) => found.match)).toEqual(expected.map(([whole]) => whole))
  if (expected[0]?.groups) expect(matches[0].groups).toEqual({ ...expected[0].groups })
})

test("groups have names, matches have lines, and more than asked for is said", async () => {
  expect(await replace({ text: "2026-11", pattern: "(?<y>\\d+)-(?<m>\\d+)", replacement: "$<m>.$<y>" })).toBe(
    "11.2026",
  )
  expect(
    (await match({ text: "a\nb\na", pattern: "a" })).matches.map(({ line }: { line: number }) => line),
  ).toEqual([1, 3])
  expect(await match({ text: "aaa", pattern: "a", limit: 2 })).toMatchObject({
    more: true,
    matches: [{}, {}],
  })
  expect(await replace({ text: "aa", pattern: "a", replacement: "b", first: true })).toBe("ba")
})

test.each<[string, Record<string, unknown>]>([
  ["count", {}],
  ["convert_case", { to: "title" }],
  ["convert_case", { to: "constant" }],
  ["diff", { before: long, after: long.replaceAll("ipsum", "ipsom") }],
  ["match", { pattern: "(\\w+) ipsum", limit: 1000 }],
  ["replace", { pattern: "[aeiou]", replacement: "<$&>" }],
])(
  "%s takes as long a text as it may, in time",
  async (tool, input) => {
    expect((await text.call(tool, { text: long, ...input })).is_error).toBe(false)
  },
  20_000,
)

test.each<[string, string]>([
  ["(a", "not closed"],
  ["a)", "closes nothing"],
  ["[a", "bracket"],
  ["*", "Nothing to repeat"],
  ["a**", "Nothing to repeat"],
  ["(a)\\1", "backreferences"],
  ["(?=a)", "lookahead"],
  ["(?<=a)", "lookbehind"],
  ["a{3,2}", "wrong way"],
  ["[z-a]", "wrong way"],
  ["\\p{L}", "\\p"],
  ["(((a{99}){99}){99})", "too large"],
])("%s is refused: %s", async (pattern, why) => {
  const { content, is_error } = await text.call("match", { text: "a", pattern })
  expect(is_error).toBe(true)
  expect(content).toContain(why)
})

test("an expression has no more levels and groups than it may", async () => {
  expect((await text.call("match", { text: "a", pattern: "(?:".repeat(200) })).content).toContain("deeply")
  expect((await text.call("match", { text: "a", pattern: "()".repeat(60) })).content).toContain("groups")
})

test.each([
  ["(a+)+$", `${"a".repeat(50_000)}b`],
  ["(a|aa)+$", `${"a".repeat(50_000)}b`],
  ["(.*)*=.*", "x".repeat(50_000)],
  ["^(\\w+\\s?)*$", `${"a ".repeat(20_000)}!`],
  ["a(.*b)?", "a".repeat(20_000)],
  ["(?:a?){0,500}(?:a?){0,500}$", `${"a".repeat(2000)}b`],
])("%s, which backtracking engines hang on, comes back within seconds", async (pattern, given) => {
  const start_ms = performance.now()
  const { content } = await text.call("match", { text: given, pattern, limit: 1000 })
  expect(performance.now() - start_ms).toBeLessThan(4000)
  expect(content).toMatch(/matches|too much work/)
})
