import { expect, test } from "bun:test"
import { mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { ToolDenied } from "../../src/security/target.ts"
import { listDir } from "../../src/tools/list-dir.ts"
import { readResult } from "../../src/tools/read-result.ts"
import { writeFile } from "../../src/tools/write-file.ts"
import { cpuOf } from "../cpu.ts"
import { openWorkspace } from "./context.ts"

test("a file is made with its folders, and replaced with a word about what changed", async () => {
  using workspace = openWorkspace()
  const write = (content: string) => workspace.said(writeFile, { path: "new/folder/a.txt", content })
  expect(await write("1\n2\n3\n")).toBe("Created new/folder/a.txt (6 bytes, 3 lines).")
  expect(await write("1\ntwo\n3\n4")).toBe("Replaced new/folder/a.txt (9 bytes, 4 lines; +2 -1 lines).")
  expect(await write("1\ntwo\n3\n4")).toBe(
    "Replaced new/folder/a.txt (9 bytes, 4 lines; the same as before).",
  )
  expect(readFileSync(join(workspace.folder, "new/folder/a.txt"), "utf8")).toBe("1\ntwo\n3\n4")
  expect(await write("")).toBe("Replaced new/folder/a.txt (0 bytes, 0 lines; +0 -4 lines).")
})

test("what the call may not read is replaced without a word about what it was", async () => {
  using workspace = openWorkspace({ denies: ({ effect }) => effect === "read" })
  workspace.put("a.txt", "secret\n")
  const said = await workspace.said(writeFile, { path: "a.txt", content: "x\n" })
  expect(said).toBe("Replaced a.txt (2 bytes, 1 line).")
})

test.each(["../out.txt", "/etc/weft-canary", "out/x.txt"])("%s is not written", async (path) => {
  using workspace = openWorkspace()
  symlinkSync("/tmp", join(workspace.folder, "out"))
  await expect(workspace.run(writeFile, { path, content: "x" })).rejects.toThrow(ToolDenied)
})

test("a folder is listed with folders first, sizes and links", async () => {
  using workspace = openWorkspace()
  workspace.put("b.txt", "x".repeat(1234))
  workspace.put("a.txt", "x")
  workspace.put("z/deep.txt", "")
  workspace.put(".hidden", "")
  workspace.put("line\nbreak", "")
  symlinkSync("a.txt", join(workspace.folder, "link"))
  expect(await workspace.said(listDir, {})).toBe(
    'z/\n.hidden  0 bytes\na.txt  1 byte\nb.txt  1.2 kB\n"line\\nbreak"  0 bytes\nlink  (link)',
  )
  expect(await workspace.said(listDir, { path: "z" })).toBe("deep.txt  0 bytes")
})

test("an empty, a missing and an outer folder, and a file", async () => {
  using workspace = openWorkspace()
  mkdirSync(join(workspace.folder, "void"))
  workspace.put("a.txt", "")
  expect(await workspace.said(listDir, { path: "void" })).toBe("void is empty.")
  await expect(workspace.run(listDir, { path: "voit" })).rejects.toThrow("Names like it: void.")
  await expect(workspace.run(listDir, { path: "a.txt" })).rejects.toThrow("not a folder")
  await expect(workspace.run(listDir, { path: ".." })).rejects.toThrow(ToolDenied)
})

test("a folder of many entries is cut, and says so; a name that is not in it is answered as quickly", async () => {
  using workspace = openWorkspace()
  const nameOf = (i: number) => `a_name_as_machines_make_them_${`${i}`.padStart(30, "q")}`
  for (let i = 0; i < 3_000; i++) workspace.put(`many/${nameOf(i)}`, "")
  const lines = (await workspace.said(listDir, { path: "many" })).split("\n")
  expect(lines.length).toBe(501)
  expect(lines.at(-1)).toBe("[2,500 more entries of 3000; search_files with a glob finds them]")
  const asked = () => workspace.run(listDir, { path: `many/${nameOf(42)}.ts` })
  const cpu_ms = await cpuOf(() => expect(asked()).rejects.toThrow(`Names like it: ${nameOf(42)}, `))
  expect(cpu_ms).toBeLessThan(1_000)
})

test("a stored result is read in pages that give back all of it, no character halved", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "\u{1f600}", "\n", "中"), maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 2 }),
      async (text, limit, big) => {
        const whole = text.repeat(big === 2 ? 600 : 1)
        using workspace = openWorkspace({ results: { r1: whole } })
        let read = ""
        const size = big ? {} : { limit }
        for (let offset: number | undefined = 0; offset !== undefined; ) {
          const said: string = await workspace.said(readResult, { handle: "r1", offset, ...size })
          const page: string = said.slice(said.indexOf("\n") + 1)
          expect(page.isWellFormed()).toBe(true)
          expect(Buffer.byteLength(said)).toBeLessThan(65_536)
          read += page
          const next: string | undefined = /next: offset=(\d+)/.exec(said.split("\n")[0]!)?.[1]
          offset = next === undefined ? undefined : Number(next)
        }
        expect(read).toBe(whole)
      },
    ),
    { numRuns: 60 },
  )
})

test("a handle or a place that there is not is refused", async () => {
  using workspace = openWorkspace({ results: { r1: "abc" } })
  await expect(workspace.run(readResult, { handle: "r2" })).rejects.toThrow("no result of this handle")
  await expect(workspace.run(readResult, { handle: "r1", offset: 3 })).rejects.toThrow("only 3 characters")
})
