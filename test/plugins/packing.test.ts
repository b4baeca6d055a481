import { expect, test } from "bun:test"
import fc from "fast-check"
import { openDecoder } from "../../src/plugins/frames.ts"
import {
  encodePieces,
  type Folder,
  fits,
  folder_limits,
  packFolders,
  unpackBody,
} from "../../src/plugins/packing.ts"

const folder = fc.record({
  path: fc.string(),
  writable: fc.boolean(),
  files: fc.dictionary(fc.string(), fc.uint8Array({ maxLength: 40 }), { maxKeys: 6 }),
})

/** Bun compares no prototypes, and views by what is in them. */
const plain = (folders: readonly Folder[]) =>
  folders.map(({ path, writable, files }) => [
    path,
    writable,
    Object.entries(files).map(([name, bytes]) => [name, [...bytes]]),
  ])

test("folders come out of a frame as they went in, in pieces of any size", () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.array(folder, { maxLength: 4 }),
      fc.integer({ min: 1, max: 60 }),
      (input, folders, size) => {
        const { packed, parts } = packFolders(folders)
        const decoder = openDecoder(1 << 20, "gateway")
        const header = { folders: packed, input_bytes: input.length }
        for (const piece of encodePieces("call", header, [input, ...parts], size)) {
          expect(decoder.next()).toBeUndefined()
          decoder.push(piece)
        }
        const frame = decoder.next()!
        const unpacked = unpackBody(frame.body, frame.header.input_bytes, frame.header.folders)!
        expect([...unpacked.first]).toEqual([...input])
        expect(plain(unpacked.folders!)).toEqual(plain(folders))
      },
    ),
  )
})

test("large files are sent as they are, and small ones together", () => {
  const large = new Uint8Array(1000)
  const body = [large, ...Array.from({ length: 50 }, () => new Uint8Array(10))]
  const pieces = [...encodePieces("call", {}, body, 300)]
  expect(pieces.filter(({ buffer }) => buffer === large.buffer)).toHaveLength(2)
  expect(pieces.length).toBeLessThan(8)
})

test("files are views of the body, and nothing is copied", () => {
  const body = new Uint8Array(8)
  const { first, folders } = unpackBody(body, 2, [{ path: "a", writable: true, files: [["b", 6]] }])!
  expect([first.buffer, folders![0]!.files.b!.buffer]).toEqual([body.buffer, body.buffer])
})

test("anything that is said of a body gives folders that add up to it, or nothing", () => {
  const size = fc.oneof(fc.nat(20), fc.integer(), fc.double(), fc.constant(2 ** 53), fc.anything())
  const file = fc.oneof(fc.tuple(fc.string(), size), fc.anything())
  const packed = fc.record({
    path: fc.oneof(fc.string(), fc.anything()),
    writable: fc.oneof(fc.boolean(), fc.anything()),
    files: fc.oneof(fc.array(file, { maxLength: 3 }), fc.anything()),
  })
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 30 }),
      size,
      fc.oneof(fc.array(packed, { maxLength: 2 }), fc.anything()),
      (body, first_bytes, folders) => {
        const unpacked = unpackBody(body, first_bytes, folders)
        if (!unpacked) return
        const parts = [unpacked.first, ...packFolders(unpacked.folders ?? []).parts]
        const lengths = parts.map(({ length }) => length)
        // A name that comes twice is the later file's.
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(body.length)
      },
    ),
  )
})

const filled = (...files: [string, number][]): Folder[] => [
  {
    path: "a",
    writable: true,
    files: Object.fromEntries(files.map(([name, size]) => [name, new Uint8Array(size)])),
  },
]
const numbered = (count: number, path = "") =>
  Array.from({ length: count }, (_, index): [string, number] => [`${index}${path}`, 0])

test.each([
  ["as many files as there may be", true, filled(...numbered(folder_limits.files))],
  ["one more", false, filled(...numbered(folder_limits.files + 1))],
  ["one more in the next folder", false, [...filled(...numbered(folder_limits.files)), ...filled(["a", 0])]],
  ["as many bytes as there may be", true, filled(["a", folder_limits.bytes - 1], ["b", 1])],
  ["a byte more", false, filled(["a", folder_limits.bytes], ["b", 1])],
  ["a path as long as it may be", true, filled(["a".repeat(folder_limits.path_chars), 0])],
  ["a longer one", false, filled(["a".repeat(folder_limits.path_chars + 1), 0])],
  ["paths that are too long together", false, filled(...numbered(100, "a".repeat(3000)))],
])("%s: that it may go over is %p, for either side", (_, may, folders) => {
  const { packed, parts } = packFolders(folders)
  expect(fits(folders)).toBe(may)
  expect(unpackBody(Buffer.concat(parts), 0, packed) !== undefined).toBe(may)
})
