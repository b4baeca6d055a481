import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync, truncateSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { readFile } from "../../src/tools/read-file.ts"
import { openWorkspace, type Workspace } from "./context.ts"

test("a text that fits is shown as it is and nothing besides", async () => {
  using workspace = openWorkspace()
  for (const text of ["one\ntwo\n", "no end", "crlf\r\nlines\r\n", "\tgröße \u{1f600}\n", "\n"]) {
    workspace.put("a.txt", text)
    expect(await workspace.said(readFile, { path: "a.txt" })).toBe(text)
  }
})

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")

test.each([
  ["empty.txt", "", "empty.txt is empty."],
  ["mark.txt", "\ufeff", "mark.txt is empty but for its byte order mark."],
  ["marked.txt", "\ufefftext\n", "text\n"],
  ["zero.dat", "a\0b", "zero.dat is not text: binary file, 3 bytes."],
  ["a.pdf", "%PDF-1.7\n", "a.pdf is not text: PDF document, 9 bytes."],
  ["a.txt", "PK\x03\x04rest", "a.txt is not text: zip archive (also docx, xlsx, jar), 8 bytes."],
  [
    "latin.txt",
    Buffer.from("gr\xf6\xdfe\n", "latin1"),
    "[not all of it is UTF-8; the bytes that are not are shown as \ufffd]\ngr\ufffd\ufffde\n",
  ],
  ["le.txt", Buffer.from("\ufeffgröße\n", "utf16le"), "[converted from UTF-16LE]\ngröße\n"],
  ["be.txt", Buffer.from("\ufeffgröße\n", "utf16le").swap16(), "[converted from UTF-16BE]\ngröße\n"],
  ['odd\n"name".txt', "x", "x"],
  ["-n", "dash", "dash"],
  ["MZ.txt", "MZ is a land of its own\n", "MZ is a land of its own\n"],
] as const)("%j", async (path, content, said) => {
  using workspace = openWorkspace()
  workspace.put(path, content)
  expect(await workspace.said(readFile, { path })).toBe(said)
})

test.each([
  ["png", png],
  ["jpeg", Buffer.from("ffd8ffe000104a464946", "hex")],
  ["gif", Buffer.from("GIF89a....")],
  ["webp", Buffer.from("RIFF\x10\0\0\0WEBPVP8 ", "latin1")],
] as const)("an image is shown by what it is, not by its name: %s", async (type, bytes) => {
  using workspace = openWorkspace()
  workspace.put("notes.txt", bytes)
  expect(await workspace.run(readFile, { path: "notes.txt" })).toEqual({
    text: `notes.txt: image/${type}, ${bytes.length} bytes.`,
    images: [{ bytes: new Uint8Array(bytes), mime: `image/${type}` }],
  })
})

test("an image over 5 MiB is named and not shown", async () => {
  using workspace = openWorkspace()
  workspace.put("big.png", png)
  truncateSync(join(workspace.folder, "big.png"), 5 * 1024 * 1024 + 1)
  expect(await workspace.said(readFile, { path: "big.png" })).toBe(
    "big.png: image/png, 5.2 MB. Images over 5.2 MB cannot be shown; make a smaller copy.",
  )
})

test.each([
  [{ offset: 3, limit: 2 }, "[lines 3-4 of 6; next: offset=5]\nl3\nl4\n"],
  [{ limit: 1 }, "[lines 1-1 of 6; next: offset=2]\nl1\n"],
  [{ offset: 5 }, "[lines 5-6 of 6]\nl5\nl6"],
  [{ offset: 6, column: 2 }, "[from bytes 2-2 of the 2 of line 6 (of 6 lines)]\n6"],
  [{ limit: 6 }, "l1\nl2\nl3\nl4\nl5\nl6"],
])("a page says where it is and how to go on: %p", async (range, said) => {
  using workspace = openWorkspace()
  workspace.put("a.txt", "l1\nl2\nl3\nl4\nl5\nl6")
  expect(await workspace.said(readFile, { path: "a.txt", ...range })).toBe(said)
})

test.each([
  [{ path: "a.txt", offset: 9 }, "a.txt has only 2 lines, so none at offset=9."],
  [{ path: "a.txt", offset: 2, column: 9 }, "Line 2 has only 2 bytes, so none at column=9."],
  [{ path: "src" }, "src is a folder; list_dir shows what is in it."],
  [{ path: "src/redme.md" }, 'There is no "redme.md" in src. Names like it: readme.md.'],
  [{ path: "src/readme" }, 'There is no "readme" in src. Names like it: readme.md.'],
  [
    { path: "src/xyz.toml" },
    'There is no "xyz.toml" in src. It holds no name like it; list_dir and search_files show what there is.',
  ],
  [{ path: "../../etc/passwd" }, "outside of the folders"],
  [{ path: "/etc/passwd" }, "outside of the folders"],
] as const)("%p is refused with what to do", async (input, why) => {
  using workspace = openWorkspace()
  workspace.put("a.txt", "1\n2\n")
  workspace.put("src/readme.md", "x")
  mkdirSync(join(workspace.folder, "src/deep"))
  await expect(workspace.run(readFile, { ...input })).rejects.toThrow(why)
})

test("names that the rules deny are not given away as being like the one asked for", async () => {
  using workspace = openWorkspace({ denies: ({ text }) => text === "secret.txt" })
  workspace.put("secret.txt", "canary")
  workspace.put("sacred.txt", "x")
  const said = workspace.run(readFile, { path: "sacret.txt" })
  await expect(said).rejects.toThrow('There is no "sacret.txt". Names like it: sacred.txt.')
})

test("links that lead out or in a circle do not open", async () => {
  using workspace = openWorkspace()
  symlinkSync("/etc/passwd", join(workspace.folder, "out"))
  symlinkSync("loop", join(workspace.folder, "loop"))
  await expect(workspace.run(readFile, { path: "out" })).rejects.toThrow()
  await expect(workspace.run(readFile, { path: "loop" })).rejects.toThrow()
})

/** Reads on as the head line of each page says, until there is no more. */
async function readAll(workspace: Workspace, path: string, limit?: number): Promise<string> {
  let whole = ""
  for (let range: Record<string, number> | undefined = {}; range; ) {
    const said: string = await workspace.said(readFile, { path, ...range, ...(limit ? { limit } : {}) })
    const [, head, text] = /^\[((?:lines|from bytes|bytes) [^\n]*)\]\n([\s\S]*)$/.exec(said) ?? [
      null,
      "",
      said,
    ]
    whole += text
    const [, offset, column] = /next: offset=(\d+)(?: column=(\d+))?/.exec(head ?? "") ?? []
    range = offset ? { offset: Number(offset), ...(column ? { column: Number(column) } : {}) } : undefined
  }
  return whole
}

test("page by page gives back the whole file, however its lines are cut", async () => {
  const line = fc.oneof(
    fc.string({ maxLength: 30, unit: fc.constantFrom("a", "é", "\u{1f600}", " ", "\r") }),
    fc
      .tuple(fc.constantFrom("x", "é", "\u{1f600}"), fc.integer({ min: 20_000, max: 90_000 }))
      .map(([of, n]) => of.repeat(n)),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom("", "\n"),
      fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      async (lines, end, limit) => {
        const text = `begin\n${lines.join("\n")}${end}`
        using workspace = openWorkspace()
        workspace.put("a.txt", text)
        const read = await readAll(workspace, "a.txt", limit)
        expect(read.length).toBe(text.length)
        expect(read === text).toBe(true)
      },
    ),
    { numRuns: 40 },
  )
})

test("a page of a file of 400 MB takes no more memory than pieces of it", async () => {
  using workspace = openWorkspace()
  workspace.put("big.txt", "0123456789abcdef0123456789abcde\n".repeat(100_000))
  truncateSync(join(workspace.folder, "big.txt"), 400_000_000)
  Bun.gc(true)
  const before = process.memoryUsage().rss
  const said = await workspace.said(readFile, { path: "big.txt", offset: 99_999, limit: 1 })
  expect(said).toBe("[lines 99999-99999 of 100001; next: offset=100000]\n0123456789abcdef0123456789abcde\n")
  expect(process.memoryUsage().rss - before).toBeLessThan(200e6)
})
