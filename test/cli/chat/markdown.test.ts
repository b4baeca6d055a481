import { expect, test } from "bun:test"
import fc from "fast-check"
import { renderMarkdown, takeBlocks } from "../../../src/cli/chat/markdown.ts"

test.each([
  ["a paragraph that goes on", "one\ntwo", ""],
  ["a paragraph before another one", "one\n\ntwo", "one\n\n"],
  ["a blank line, which a list item may follow", "- one\n\n", ""],
  ["a list whose next item may be coming", "- one\n\n-", ""],
  ["a list that goes on after a blank line", "1. one\n\n   more\n\n2. two", ""],
  ["a list before a paragraph", "- one\n\ntext", "- one\n\n"],
  ["code with a blank line in it", "```\na\n\nb\n", ""],
  ["code that is closed", "```\na\n\nb\n```\n", "```\na\n\nb\n```\n"],
  ["code closed by a longer fence only", "````\n```\n\nx\n````\n", "````\n```\n\nx\n````\n"],
  ["code in a list", "- one\n  ```\n  a\n\n  b\n  ```\n", ""],
  ["two blocks at once", "# A\n\nb\n\nc", "# A\n\nb\n\n"],
])("of %s what is complete is cut off", (_name, text, done) => {
  expect(takeBlocks(text)).toEqual({ done, rest: text.slice(done.length) })
})

const line = fc.constantFrom("a", "- b", "1. c", "   d", "", "", "```", "# e", "| f |", "~~~~")

test("blocks come out the same, however the text arrives", () => {
  const texts = fc.array(line, { maxLength: 20 }).map((lines) => `${lines.join("\n")}\n\nend`)
  fc.assert(
    fc.property(texts, fc.array(fc.nat(6), { maxLength: 60 }), (text, sizes) => {
      let pending = ""
      let printed = ""
      let rest = text
      for (const size of [...sizes, text.length]) {
        pending += rest.slice(0, size)
        rest = rest.slice(size)
        const taken = takeBlocks(pending)
        printed += taken.done
        pending = taken.rest
      }
      const whole = takeBlocks(text)
      expect(printed + pending).toBe(text)
      expect(printed).toBe(whole.done)
    }),
  )
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

test("nothing of a model's text but colours reaches the terminal as a control sequence", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\u001b[2J",
      "\u001b]0;x\u0007",
      "\u009b31m",
      "&#27;",
      "&#x1b;[31m",
      "&#155;",
      "\r",
      "\u202e",
      "`",
      "*",
      "[a](b)",
      "\n",
      "```\n",
    ),
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const rendered = renderMarkdown(pieces.join(""), 40, true)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
      expect(rendered.replace(/\u001b\[[\d;]*m/g, "")).not.toMatch(unsafe)
    }),
  )
})
