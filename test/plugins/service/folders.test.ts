/** What a program is given of a folder, and what a runner that lies can have written. */
import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Folder } from "../../../src/plugins/packing.ts"
import { readFolders, writeFolders } from "../../../src/plugins/service/folders.ts"
import { temporaryFolder } from "../../harness.ts"
import { callOf } from "../house.ts"

const { openFolder } = callOf()
const bytesOf = (text: string) => new TextEncoder().encode(text)

async function setUp(writable = true) {
  const folder = await temporaryFolder()
  const absolute = join(folder.path, "data")
  mkdirSync(join(absolute, "deep/er"), { recursive: true })
  writeFileSync(join(absolute, "a.txt"), "a")
  writeFileSync(join(absolute, "deep/er/b.txt"), "b")
  writeFileSync(join(folder.path, "outside.txt"), "outside")
  symlinkSync(join(folder.path, "outside.txt"), join(absolute, "link"))
  const given = [{ path: "data", absolute, writable }]
  const before = await readFolders(given, openFolder)
  return {
    absolute,
    before,
    write: (files: Folder["files"]) =>
      writeFolders(given, before, [{ path: "data", writable: true, files }], openFolder),
    read: (name: string) => readFileSync(join(absolute, name), "utf8"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test("all files of a folder are there, and nothing that a link leads to", async () => {
  await using folder = await setUp()
  expect(folder.before).toEqual([
    { path: "data", writable: true, files: { "a.txt": bytesOf("a"), "deep/er/b.txt": bytesOf("b") } },
  ])
})

test("a file's name is a name, also where JavaScript has its own meaning for it", async () => {
  await using folder = await setUp()
  const path = join(folder.absolute, "__proto__")
  writeFileSync(path, "old")
  const given = [{ path: "data", absolute: folder.absolute, writable: true }]
  const before = await readFolders(given, openFolder)
  const files = { ["__proto__"]: bytesOf("new") }
  expect(Object.keys(before[0]!.files)).toContain("__proto__")
  await writeFolders(given, before, [{ path: "data", writable: true, files }], openFolder)
  expect(folder.read("__proto__")).toBe("new")
})

test("what is new or another one is written, and what is missing stays", async () => {
  await using folder = await setUp()
  await folder.write({ "a.txt": bytesOf("changed"), "new/c.txt": bytesOf("c") })
  expect(["a.txt", "deep/er/b.txt", "new/c.txt"].map(folder.read)).toEqual(["changed", "b", "c"])
})

test("a folder that may only be read is not written, whatever the runner says", async () => {
  await using folder = await setUp(false)
  await folder.write({ "a.txt": bytesOf("changed"), "new.txt": bytesOf("c") })
  expect([folder.read("a.txt"), existsSync(join(folder.absolute, "new.txt"))]).toEqual(["a", false])
})

test.each([
  "../outside.txt",
  "/etc/passwd",
  "deep/../../outside.txt",
  "a\0b",
  "",
  ".",
  "a//b",
  "./a",
  "a/",
  "link",
])("the name %j is not written", async (name) => {
  await using folder = await setUp()
  await expect(folder.write({ [name]: bytesOf("x") })).rejects.toThrow()
  expect(readFileSync(join(folder.absolute, "../outside.txt"), "utf8")).toBe("outside")
})

test("a file that somebody has changed meanwhile is left to them", async () => {
  await using folder = await setUp()
  writeFileSync(join(folder.absolute, "a.txt"), "theirs")
  writeFileSync(join(folder.absolute, "new.txt"), "theirs")
  await expect(folder.write({ "a.txt": bytesOf("ours") })).rejects.toThrow()
  await expect(folder.write({ "new.txt": bytesOf("ours") })).rejects.toThrow()
  expect([folder.read("a.txt"), folder.read("new.txt")]).toEqual(["theirs", "theirs"])
})

test.each([
  [
    "too many files",
    Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`f${index}`, bytesOf("")])),
  ],
  ["too much", { "a.txt": new Uint8Array((16 << 20) + 1) }],
])("%s are refused", async (_, files) => {
  await using folder = await setUp()
  await expect(folder.write(files)).rejects.toThrow("The program wrote")
})

test.each([
  ["1000 files", 1001, ""],
  ["131072 characters of names", 900, "n".repeat(150)],
])("at most %s are given, and that is said", async (most, count, name) => {
  await using folder = await setUp()
  for (let index = 0; index < count; index++) writeFileSync(join(folder.absolute, `${index}${name}`), "")
  const given = [{ path: "data", absolute: folder.absolute, writable: false }]
  await expect(readFolders(given, openFolder)).rejects.toThrow(`A program gets at most ${most}`)
})

test("what does not fit is said, and nothing of it is given", async () => {
  await using folder = await setUp()
  const given = [{ path: "data", absolute: folder.absolute, writable: false }]
  writeFileSync(join(folder.absolute, "large"), Buffer.alloc((16 << 20) + 1))
  await expect(readFolders(given, openFolder)).rejects.toThrow("at most 16777216 bytes")
  await expect(readFolders([{ ...given[0]!, absolute: "/nonexistent" }], openFolder)).rejects.toThrow()
})
