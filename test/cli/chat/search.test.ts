import { expect, test } from "bun:test"
import { type Found, press } from "../../../src/cli/chat/search.ts"

const entries = ["run the tests", "what is new", "run the bench"]

/** Where these keys lead. */
function typed(...keys: string[]): Found {
  let found: Found = { state: "searching", search: { query: "", index: 0 } }
  for (const key of keys) if (found.state === "searching") found = press(entries, found.search, key)
  return found
}

test.each([
  ["Enter sends the latest match", ["r", "u", "\r"], { line: "run the tests", is_sent: true }],
  ["Ctrl-R goes further back", ["r", "u", "\u0012", "\r"], { line: "run the bench", is_sent: true }],
  [
    "and stops at the last",
    ["ru", "\u0012", "\u0012", "\u0012", "\r"],
    { line: "run the bench", is_sent: true },
  ],
  ["Backspace widens it", ["w", "x", "\u007f", "\r"], { line: "what is new", is_sent: true }],
  ["an arrow leaves the match for editing", ["new", "\u001b[C"], { line: "what is new", is_sent: false }],
  ["Ctrl-C leaves what was there", ["new", "\u0003"], { line: undefined, is_sent: false }],
  ["Enter on no match sends nothing", ["zzz", "\r"], { line: undefined, is_sent: false }],
])("%s", (_name, keys, expected) => {
  expect(typed(...keys)).toEqual({ state: "over", ...expected } as Found)
})
