import { expect, test } from "bun:test"
import fc from "fast-check"
import { FileRefused, openProgramFiles } from "../../src/plugins/runner/program-files.ts"
import { folder } from "./programs.ts"

const given = () =>
  openProgramFiles([
    folder("/ro", false, { "a.txt": "read only", "deep/b.txt": "deep" }),
    folder("/rw", true, { "a.txt": "old", "deep/b.txt": "kept", __proto__: "odd" }),
  ])

const [ro, rw] = [0, 1]
type Files = ReturnType<typeof given>
const how = {
  read: [true, false],
  write: [true, true],
  create: [true, true, true],
  append: [true, true, false, false, false, true],
}

function open(files: Files, mount: number, path: string, mode: keyof typeof how): unknown {
  return files.operate(mount, "open", [path, ...how[mode]])
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof FileRefused)) throw thrown
    return thrown.code
  }
}

const changedIn = (files: Files) =>
  Object.fromEntries(
    Object.entries(files.changed()[0]!.files).map(([name, bytes]) => [name, `${Buffer.from(bytes)}`]),
  )

test("what is in a folder is there, with its sizes, and read in pieces", () => {
  const files = given()
  expect(files.operate(ro, "stat", [""])).toEqual({ kind: "directory", size: 0 })
  expect(files.operate(ro, "stat", ["a.txt"])).toEqual({ kind: "file", size: 9 })
  expect(files.operate(ro, "readDir", [""])).toEqual([
    { name: "a.txt", kind: "file", size: 9 },
    { name: "deep", kind: "directory", size: 0 },
  ])
  const id = open(files, ro, "a.txt", "read")
  const read = (at: number, length: number) =>
    Buffer.from(files.operate(ro, "read", [id, at, length]) as Uint8Array)
  expect([read(0, 4), read(5, 100), read(9, 1), read(1e12, 1)].map(String)).toEqual(["read", "only", "", ""])
  expect(files.changed()).toEqual([{ path: "/rw", writable: true, files: {} }])
})

test("what is made, changed or renamed is told, and nothing else", () => {
  const files = given()
  const write = (path: string, mode: keyof typeof how, at: number, text: string) => {
    const id = open(files, rw, path, mode)
    expect(files.operate(rw, "write", [id, at, [...Buffer.from(text)]])).toBe(text.length)
    files.operate(rw, "close", [id])
  }
  write("a.txt", "append", 0, "er")
  write("deep/b.txt", "write", 0, "kept")
  write("new.txt", "create", 3, "x")
  files.operate(rw, "mkdir", ["made"])
  files.operate(rw, "rename", ["deep/b.txt", "made/c.txt"])
  files.operate(rw, "remove", ["deep"])
  expect(changedIn(files)).toEqual({ "a.txt": "older", "new.txt": "\0\0\0x", "made/c.txt": "kept" })
  // A length that shrinks and grows again leaves nothing of what was there.
  const id = open(files, rw, "a.txt", "write")
  files.operate(rw, "setLen", [id, 1])
  files.operate(rw, "setLen", [id, 3])
  expect(changedIn(files)["a.txt"]).toBe("o\0\0")
})

test("what was given stays as it was, so that what changed in its place is told", () => {
  const folders = [folder("/rw", true, { a: "old", b: "old", c: "old" })]
  const files = openProgramFiles(folders)
  files.operate(0, "write", [open(files, 0, "a", "write"), 0, [...Buffer.from("new")]])
  files.operate(0, "setLen", [open(files, 0, "b", "write"), 1])
  files.operate(0, "write", [open(files, 0, "c", "write"), 0, [...Buffer.from("old")]])
  expect(files.changed()).toEqual([folder("/rw", true, { a: "new", b: "o" })])
  expect(folders).toEqual([folder("/rw", true, { a: "old", b: "old", c: "old" })])
})

test("what was renamed onto something is that", () => {
  const files = given()
  files.operate(rw, "rename", ["deep/b.txt", "a.txt"])
  expect(changedIn(files)).toEqual({ "a.txt": "kept" })
})

test.each<[string, string, (files: Files) => unknown]>([
  ["EACCES", "open for writing", (files) => open(files, ro, "a.txt", "write")],
  ["EACCES", "made", (files) => open(files, ro, "new", "create")],
  [
    "EACCES",
    "emptied",
    (files) => files.operate(ro, "open", ["a.txt", true, false, false, false, true, false]),
  ],
  ["EACCES", "made a folder", (files) => files.operate(ro, "mkdir", ["new"])],
  ["EACCES", "removed", (files) => files.operate(ro, "remove", ["a.txt"])],
  ["EACCES", "renamed", (files) => files.operate(ro, "rename", ["a.txt", "b"])],
  [
    "EACCES",
    "written by a handle for reading",
    (files) => files.operate(ro, "write", [open(files, ro, "a.txt", "read"), 0, [1]]),
  ],
  [
    "EACCES",
    "cut by a handle for reading",
    (files) => files.operate(ro, "setLen", [open(files, ro, "a.txt", "read"), 0]),
  ],
])("%s: a folder for reading cannot be %s", (code, _, act) => {
  expect(codeOf(() => act(given()))).toBe(code)
})

test.each<[string, string, (files: Files) => unknown]>([
  ["ENOENT", "what is not there", (files) => open(files, rw, "no", "read")],
  ["ENOENT", "a file in no folder", (files) => open(files, rw, "no/a", "create")],
  ["ENOTDIR", "a file in a file", (files) => open(files, rw, "a.txt/b", "create")],
  ["EISDIR", "a folder as a file", (files) => open(files, rw, "deep", "read")],
  [
    "EEXIST",
    "a new one that there is",
    (files) => files.operate(rw, "open", ["a.txt", true, true, true, true]),
  ],
  ["EEXIST", "a folder that there is", (files) => files.operate(rw, "mkdir", ["deep"])],
  ["ENOTEMPTY", "removing a folder with a file", (files) => files.operate(rw, "remove", ["deep"])],
  [
    "ENOTEMPTY",
    "a folder in place of another",
    (files) => {
      files.operate(rw, "mkdir", ["empty"])
      return files.operate(rw, "rename", ["empty", "deep"])
    },
  ],
  ["EINVAL", "a folder into itself", (files) => files.operate(rw, "rename", ["deep", "deep/er"])],
  ["EACCES", "the folder itself", (files) => files.operate(rw, "remove", [""])],
  ["EINVAL", "the folder itself, renamed", (files) => files.operate(rw, "rename", ["", "a"])],
  ["EINVAL", "a path upwards", (files) => open(files, rw, "../ro/a.txt", "read")],
  ["EINVAL", "a path with a NUL", (files) => open(files, rw, "a\0b", "create")],
  ["EINVAL", "a name that is too long", (files) => open(files, rw, "x".repeat(256), "create")],
  ["EINVAL", "a path that is too deep", (files) => open(files, rw, "x/".repeat(33), "create")],
  ["EINVAL", "a path that is none", (files) => files.operate(rw, "stat", [7])],
  ["EBADF", "a handle that there is not", (files) => files.operate(rw, "read", [7, 0, 1])],
  ["EINVAL", "a handle that is none", (files) => files.operate(rw, "read", ["x", 0, 1])],
  [
    "EINVAL",
    "an offset below nought",
    (files) => files.operate(rw, "read", [open(files, rw, "a.txt", "read"), -1, 1]),
  ],
  [
    "EINVAL",
    "bytes that are none",
    (files) => files.operate(rw, "write", [open(files, rw, "a.txt", "write"), 0, "x"]),
  ],
  [
    "ENOSPC",
    "an offset far away",
    (files) => files.operate(rw, "write", [open(files, rw, "a.txt", "write"), 1e12, [1]]),
  ],
  [
    "ENOSPC",
    "a length far away",
    (files) => files.operate(rw, "setLen", [open(files, rw, "a.txt", "write"), 2 ** 40]),
  ],
  ["ENOTSUP", "an operation that there is not", (files) => files.operate(rw, "constructor", [])],
  ["ENOTSUP", "a folder that there is not", (files) => files.operate(2, "stat", [""])],
])("%s: %s", (code, _, act) => {
  expect(codeOf(() => act(given()))).toBe(code)
})

test("what a program makes has an end", () => {
  const files = given()
  const room = 16 << 20
  const id = open(files, rw, "big", "create")
  files.operate(rw, "setLen", [id, room])
  expect(codeOf(() => files.operate(rw, "write", [id, room, [1]]))).toBe("ENOSPC")
  expect(codeOf(() => files.operate(rw, "setLen", [open(files, rw, "a.txt", "write"), 4]))).toBe("ENOSPC")
  let made = 0
  while (codeOf(() => files.operate(rw, "mkdir", [`${made}`])) === undefined) made += 1
  expect(made).toBe(999)
  let opened = 2
  while (codeOf(() => open(files, rw, "a.txt", "read")) === undefined) opened += 1
  expect(opened).toBe(256)
})

test("a file that is written in any pieces is as a plain array of bytes would be", () => {
  const piece = fc.tuple(fc.nat(300), fc.uint8Array({ maxLength: 100 }))
  const step = fc.oneof(piece, fc.nat(400))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const files = given()
      const id = open(files, rw, "f", "create")
      let expected: number[] = []
      const grow = (length: number) => {
        while (expected.length < length) expected.push(0)
      }
      for (const step of steps) {
        if (typeof step === "number") {
          files.operate(rw, "setLen", [id, step])
          grow(step)
          expected = expected.slice(0, step)
        } else {
          const [at, bytes] = step
          files.operate(rw, "write", [id, at, bytes])
          if (bytes.length > 0) grow(at)
          for (const [index, byte] of bytes.entries()) expected[at + index] = byte
        }
      }
      expect([...(files.operate(rw, "read", [id, 0, 1000]) as Uint8Array)]).toEqual(expected)
    }),
  )
})
