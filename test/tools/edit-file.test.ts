import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { applyPatch } from "diff"
import fc from "fast-check"
import type { Files } from "../../src/security/files/files.ts"
import { editFile } from "../../src/tools/edit-file.ts"
import { applyChanges, findChanges } from "../../src/tools/match.ts"
import { cpuOf } from "../cpu.ts"
import { openWorkspace } from "./context.ts"

test("one place is replaced, and the result shows what changed", async () => {
  using workspace = openWorkspace()
  workspace.put("a.ts", "one\ntwo\nthree\n")
  expect(await workspace.said(editFile, { path: "a.ts", old_text: "two", new_text: "zwei\ndrei" })).toBe(
    "Edited a.ts: 1 replacement.\n@@ -1,3 +1,4 @@\n one\n-two\n+zwei\n+drei\n three",
  )
  expect(readFileSync(join(workspace.folder, "a.ts"), "utf8")).toBe("one\nzwei\ndrei\nthree\n")
})

type Row = [what: string, before: string, input: Record<string, unknown>, after: string]
const edit = (old_text: string, new_text: string, all?: boolean) => ({
  old_text,
  new_text,
  ...(all === undefined ? {} : { all }),
})

const good: Row[] = [
  ["several at once", "a\nb\nc\n", { edits: [edit("c", "C"), edit("a", "A")] }, "A\nb\nC\n"],
  ["each against the text as it was", "a b", { edits: [edit("a", "b"), edit("b", "a")] }, "b a"],
  ["all of them", "x x x", { edits: [edit("x", "y", true)] }, "y y y"],
  ["side by side", "abcd", { edits: [edit("ab", "1"), edit("cd", "2")] }, "12"],
  ["CRLF stays CRLF", "a\r\nb\r\nc\r\n", edit("a\nb", "x\ny\nz"), "x\r\ny\r\nz\r\nc\r\n"],
  ["a new line in a CRLF text", "a\r\nb\r\n", edit("a", "x\ny"), "x\r\ny\r\nb\r\n"],
  ["CRLF as it is", "a\r\nb\r\n", edit("a\r\nb", "c\r\nd"), "c\r\nd\r\n"],
  ["mixed endings stay where they are", "a\r\nb\nc\r\n", edit("b\n", "x\n"), "a\r\nx\nc\r\n"],
  ["mixed endings, matched over CRLF", "a\r\nb\r\nc\n", edit("a\nb", "x\ny"), "x\r\ny\r\nc\n"],
  ["a byte order mark stays", "\ufeffa\n", edit("a", "b"), "\ufeffb\n"],
  ["no end of line stays none", "a\nb", edit("b", "c"), "a\nc"],
  ["nothing in its place", "a\nb\nc", edit("b\n", ""), "a\nc"],
  ["dollars are dollars", "price", edit("price", "$& $1 $$"), "$& $1 $$"],
]
test.each(good)("%s", async (_, before, input, after) => {
  using workspace = openWorkspace()
  workspace.put("a.txt", before)
  await workspace.run(editFile, { path: "a.txt", ...input })
  expect(readFileSync(join(workspace.folder, "a.txt"), "utf8")).toBe(after)
})

const bad: [what: string, before: string, input: Record<string, unknown>, why: string][] = [
  ["twice", "x\ny\nx\n", edit("x", "z"), "old_text occurs 2 times, on lines 1, 3; add lines around it"],
  ["overlapping itself", "aaa", edit("aa", "b"), "old_text occurs 2 times, on lines 1, 1"],
  ["often", "x\n".repeat(20), edit("x", "z"), "20 times, on lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more"],
  [
    "nowhere",
    "function add(a, b) {\n  return a + b\n}\n",
    edit("return a+b", "return b"),
    "old_text does not occur; it must be exact, white space included. Nothing was written. The most similar lines:\n2:   return a + b",
  ],
  ["nowhere near", "abc\n", edit("xyz", ""), "No line is similar to it."],
  ["one of several", "a\nb\n", { edits: [edit("a", "1"), edit("c", "2")] }, "Edit 2: old_text does not"],
  ["overlap", "abc", { edits: [edit("ab", "1"), edit("bc", "2")] }, "Edits 1 and 2 overlap on line 1"],
  ["the same twice", "ab", { edits: [edit("ab", "1"), edit("ab", "2")] }, "Edits 1 and 2 overlap"],
  ["empty", "a", edit("", "b"), "old_text is empty; write_file"],
  ["no change", "a", edit("a", "a"), "the same"],
  ["nothing asked", "a", {}, "Give either old_text and new_text, or edits."],
  ["both asked", "a", { ...edit("a", "b"), edits: [edit("a", "b")] }, "Give either"],
  ["half asked", "a", { old_text: "a" }, "Give either"],
  ["binary", "a\0b", edit("a", "b"), "not text"],
  ["half of a character", "a\u{1f30a}b", edit("\ud83c", "x"), "half of a character"],
  ["half of a character to come", "ab", edit("a", "\udf0a"), "half of a character"],
  ["too many at once", "a", { edits: Array(101).fill(edit("a", "b")) }, "At most 100 edits at once."],
  [
    "too many places",
    "a".repeat(100_001),
    { edits: [edit("a", "b", true)] },
    "more than 100000 replacements",
  ],
]
test.each(bad)("refused, and nothing written: %s", async (_, before, input, why) => {
  using workspace = openWorkspace()
  workspace.put("a.txt", before)
  await expect(workspace.run(editFile, { path: "a.txt", ...input })).rejects.toThrow(why)
  expect(readFileSync(join(workspace.folder, "a.txt"), "utf8")).toBe(before)
})

test.each(["utf16le", "utf16be"] as const)("a text in %s stays one", async (kind) => {
  using workspace = openWorkspace()
  const encode = (text: string) => {
    const bytes = Buffer.from(text, "utf16le")
    return kind === "utf16be" ? bytes.swap16() : bytes
  }
  workspace.put("a.txt", encode("\ufeffgröße\r\n"))
  await workspace.run(editFile, { path: "a.txt", ...edit("größe", "maß\nneu") })
  expect(readFileSync(join(workspace.folder, "a.txt"))).toEqual(encode("\ufeffmaß\r\nneu\r\n"))
})

test("a text that is not UTF-8 is not edited, as that would damage it", async () => {
  using workspace = openWorkspace()
  const bytes = Buffer.from("gr\xf6\xdfe a", "latin1")
  workspace.put("a.txt", bytes)
  await expect(workspace.run(editFile, { path: "a.txt", ...edit("a", "b") })).rejects.toThrow(
    "not valid UTF-8",
  )
  expect(readFileSync(join(workspace.folder, "a.txt"))).toEqual(bytes)
})

test("what somebody else wrote meanwhile is not lost", async () => {
  using workspace = openWorkspace()
  workspace.put("a.txt", "one\n")
  const { files } = workspace.context
  const read: Files["read"] = async (...call) => {
    const found = await files.read(...call)
    workspace.put("a.txt", "one\nby somebody else\n")
    return found
  }
  const context = { ...workspace.context, files: { ...files, read } }
  await expect(editFile.run({ path: "a.txt", ...edit("one", "two") }, context)).rejects.toThrow()
  expect(readFileSync(join(workspace.folder, "a.txt"), "utf8")).toBe("one\nby somebody else\n")
})

test("the call asks to read and to write", async () => {
  using workspace = openWorkspace()
  expect(await editFile.targets?.({ path: "./x/../a.txt" }, workspace.context)).toEqual([
    { effect: "read", kind: "path", text: "a.txt" },
    { effect: "write", kind: "path", text: "a.txt" },
  ])
})

test("a long diff is cut, and says so; a very long one is not worked out", async () => {
  using workspace = openWorkspace()
  workspace.put("a.txt", `x ${"y".repeat(100)}\n`.repeat(100))
  const said = await workspace.said(editFile, { path: "a.txt", edits: [edit("x", "z", true)] })
  expect(said.length).toBeLessThan(8_400)
  expect(said).toMatch(/\n\[the diff is cut; [\d,]+ more characters\]$/)
  workspace.put("b.txt", "x y\n".repeat(50_000))
  const cpu_ms = await cpuOf(async () =>
    expect(await workspace.said(editFile, { path: "b.txt", edits: [edit("x", "z", true)] })).toBe(
      "Edited b.txt: 50,000 replacements.\n[the diff is too large to show]",
    ),
  )
  expect(cpu_ms).toBeLessThan(1_000)
  expect(readFileSync(join(workspace.folder, "b.txt"), "utf8")).toBe("z y\n".repeat(50_000))
})

test("no edit of a large file holds the gateway up", async () => {
  using workspace = openWorkspace()
  const wide = "abcdefghij klmnopqrst ".repeat(9)
  workspace.put("long.txt", `${"some line of text here\n".repeat(340_000)}the one\n`)
  workspace.put("wide.txt", `${wide}\n`.repeat(20_000))
  workspace.put("same.txt", "a".repeat(5_000_000))
  const inputs = [
    { path: "long.txt", ...edit("the one", "another") },
    { path: "wide.txt", ...edit(`${wide}z`, "") },
    { path: "same.txt", ...edit("a", "b") },
    { path: "same.txt", edits: [edit("a", "b", true)] },
  ]
  const failures: unknown[] = []
  for (const input of inputs) {
    const cpu_ms = await cpuOf(() => workspace.run(editFile, input).catch((thrown) => failures.push(thrown)))
    expect([input.path, cpu_ms < 600]).toEqual([input.path, true])
  }
  expect(failures.length).toBe(3)
  expect(readFileSync(join(workspace.folder, "long.txt"), "utf8")).toEndWith("here\nanother\n")
})

test("the diff of the result, applied to what was, gives what is", async () => {
  const line = fc.constantFrom("a", "b", "", "  c", "größe", "}", "x y z")
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 30 }),
      fc.array(line, { maxLength: 4 }),
      fc.nat(29),
      fc.boolean(),
      async (lines, added, place, ends) => {
        const at = place % lines.length
        const before =
          lines.map((line, i) => (i === at ? "the only one" : line)).join("\n") + (ends ? "\n" : "")
        const input = edit("the only one", added.join("\n"))
        using workspace = openWorkspace()
        workspace.put("a.txt", before)
        const said = await workspace.said(editFile, { path: "a.txt", ...input })
        const after = readFileSync(join(workspace.folder, "a.txt"), "utf8")
        expect(after).toBe(before.replace("the only one", () => added.join("\n")))
        const patch = `--- a.txt\n+++ a.txt\n${said.slice(said.indexOf("\n") + 1)}\n`
        expect(applyPatch(before, patch)).toBe(after)
      },
    ),
    { numRuns: 100 },
  )
})

test("any edits that do not touch each other give what one after the other would", () => {
  const words = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(words, fc.array(fc.string(), { minLength: 12, maxLength: 12 }), (ids, replacements) => {
      const text = ids.map((id) => `<${id}>`).join("\n")
      const edits = ids.map((id, i) => edit(`<${id}>`, `[${replacements[i]!.replace(/[<>\n\r]/g, "")}]`))
      const expected = edits.map(({ new_text }) => new_text).join("\n")
      expect(applyChanges(text, findChanges(text, edits.toReversed()))).toBe(expected)
    }),
  )
})
