import { expect, test } from "bun:test"
import fc from "fast-check"
import { result_bytes_max, showResult } from "../../src/agent/results.ts"

const handle = () => "h1"

test.each([
  ["", 100, false],
  ["x".repeat(result_bytes_max), 1e9, false],
  ["x".repeat(result_bytes_max + 1), 1e9, true],
  ["x".repeat(5_000), 4_999, true],
  // What says that something is missing would be as long as what is missing.
  ["x".repeat(1_000), 0, false],
  ["x".repeat(1_025), 0, true],
] as const)("%# a result is shown by what fits", (content, left, is_cut) => {
  const shown = showResult(content, left, handle)
  expect(shown.is_cut).toBe(is_cut)
  if (!is_cut) expect(shown.text).toBe(content)
  else expect(shown.text).toContain('handle "h1"')
})

test("the ends are whole characters of the result, and what is missing is counted", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", minLength: 700, maxLength: 2000 }).map((text) => text.toWellFormed()),
      fc.nat(1500),
      (content, left) => {
        const { text, is_cut } = showResult(content, left, handle)
        if (!is_cut) return expect(text).toBe(content)
        const [, head = "", missing = "", tail = ""] =
          /^([\s\S]*)\n\[… (\d+) of \d+ bytes are not shown\.[^\n]*\]\n([\s\S]*)$/.exec(text) ?? []
        expect(content.startsWith(head)).toBe(true)
        expect(content.endsWith(tail)).toBe(true)
        expect(Buffer.byteLength(head) + Number(missing) + Buffer.byteLength(tail)).toBe(
          Buffer.byteLength(content),
        )
      },
    ),
  )
})
