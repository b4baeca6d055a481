import { expect, test } from "bun:test"
import fc from "fast-check"
import { visible } from "../../src/base/visible.ts"

test.each([
  ["git status", "git status"],
  ["Grüße, 世界 🙂", "Grüße, 世界 🙂"],
  ["a\\n", "a\\n"],
  ["a\nb", '"a\\nb"'],
  ['say "a\nb\\"', '"say \\"a\\nb\\\\\\""'],
  ['"\\n"', '"\\"\\\\n\\""'],
  ["\u001b[2J", '"\\u{1b}[2J"'],
  ["user\u202Etxt", '"user\\u{202e}txt"'],
  ["a\u200Bb", '"a\\u{200b}b"'],
  ["a\u00A0b", '"a\\u{a0}b"'],
  ["a\u2028b", '"a\\u{2028}b"'],
  ["\u{e0041}", '"\\u{e0041}"'],
  ["\u3164", '"\\u{3164}"'],
  ["a\u2800b", '"a\\u{2800}b"'],
  ["\u{1d159}", '"\\u{1d159}"'],
  ["", '""'],
  [" a", '" a"'],
  ["a ", '"a "'],
  ["a    b", "a    b"],
  [`ls${" ".repeat(40)}; rm`, `"ls${"\\u{20}".repeat(40)}; rm"`],
  ["\ud800", '"\\u{d800}"'],
])("%j is shown as %j", (text, shown) => {
  expect(visible(text)).toBe(shown)
})

const printable = /^[^\p{C}\p{Zl}\p{Zp}]*$/u

test("nothing that is shown is hidden, and texts that differ look different", () => {
  const any = fc.string({
    unit: fc.constantFrom(
      '"',
      "\\\\",
      "n",
      "\n",
      "u",
      "{",
      "}",
      "a",
      "\u200b",
      "2",
      "0",
      " ",
      " ".repeat(40),
    ),
    maxLength: 8,
  })
  fc.assert(
    fc.property(any, any, (one, other) => {
      expect(visible(one)).toMatch(printable)
      if (one !== other) expect(visible(one)).not.toBe(visible(other))
    }),
    { numRuns: 2000 },
  )
})
