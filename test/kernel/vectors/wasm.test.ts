/** The committed modules: small enough, what the sources make, and what their memory does at its end. */
import { expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildWasm, clang_major, micro_text_path, modules, toText } from "../../../scripts/wasm-kernel.ts"
import { AppError } from "../../../src/base/errors.ts"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { openWasmKernel } from "../../../src/kernel/vectors/wasm.ts"
import { openHeap } from "../../../src/kernel/vectors/wasm-memory.ts"
import { needs } from "../../needs.ts"

const root = join(import.meta.dir, "../../..")
const committed = (path: string) => new Uint8Array(readFileSync(join(root, path)))

test.each(modules)("$path is smaller than it may be", ({ path, bytes_max }) => {
  expect(committed(path).length).toBeLessThan(bytes_max)
})

test.each(modules)("$path asks for nothing and exports what it says", ({ path, exports }) => {
  const module = new WebAssembly.Module(committed(path))
  expect(WebAssembly.Module.imports(module)).toEqual([])
  const names = WebAssembly.Module.exports(module).map(({ name }) => name)
  expect(names.toSorted()).toEqual([...exports, "__heap_base", "memory"].toSorted())
})

test("the text of the microkernel is its bytes", () => {
  const bytes = committed("src/kernel/micro/micro.wasm")
  expect(readFileSync(join(root, micro_text_path), "utf8")).toBe(toText(bytes))
})

// Another version makes other bytes that do the same.
const version = Bun.which("clang")
  ? Bun.spawnSync(["clang", "-dumpversion"]).stdout.toString().split(".")[0]
  : undefined
const is_same = version === String(clang_major)
needs({ command: is_same ? ["clang", "wasm-ld"] : [`clang-${clang_major} as clang`] })(
  "the committed modules are byte for byte what the sources in C make",
  () => {
    for (const { path, exports } of modules)
      expect(Buffer.from(buildWasm(exports)).equals(committed(path)), path).toBe(true)
  },
  60_000,
)

test("regions keep what they hold while the memory grows, and give their room back", () => {
  const kernel = openWasmKernel()
  using kept = kernel.allocate(100)
  kept.bytes.fill(7)
  const before = kept.bytes
  for (let round = 0; round < 50; round++) {
    using large = kernel.allocate(20_000_000)
    expect(large.bytes[19_999_999]).toBe(0)
    large.bytes.fill(9)
  }
  // It was detached: the memory has another buffer. Fifty times 20 MB would be 1 GB.
  expect(before.length).toBe(0)
  expect(kept.bytes.every((byte) => byte === 7)).toBe(true)
  expect(kept.bytes.buffer.byteLength).toBeLessThan(50_000_000)
  kept.resize(200)
  expect([...kept.bytes.subarray(98, 102)]).toEqual([7, 7, 0, 0])
})

test("blocks never overlap, whatever is taken and given", () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const heap = openHeap(memory, 1000)
  const taken: { at: number; bytes: number }[] = []
  let state = 1
  for (let round = 0; round < 2000; round++) {
    state = (state * 48_271) % 2_147_483_647
    if (state % 5 < 3) {
      const bytes = state % 3000
      const at = heap.take(bytes)
      expect(at % 64).toBe(0)
      expect(taken.filter((other) => at < other.at + other.bytes && other.at < at + bytes)).toEqual([])
      taken.push({ at, bytes })
    } else if (taken.length > 0) {
      const [{ at, bytes }] = taken.splice(state % taken.length, 1) as [{ at: number; bytes: number }]
      heap.give(at, bytes)
    }
  }
  expect(taken.every(({ at, bytes }) => at >= 1000 && at + bytes <= memory.buffer.byteLength)).toBe(true)
})

test("more than 4 GiB is an error that says so, and the rest goes on", () => {
  const kernel = openWasmKernel()
  using small = kernel.allocate(10)
  expect(() => kernel.allocate(2 ** 32)).toThrow(AppError)
  expect(small.bytes.length).toBe(10)
})

test("a region of another kernel is refused", () => {
  const kernel = openWasmKernel()
  using region = openReferenceKernel().allocate(16)
  expect(() => kernel.scanF32(new Float32Array(4), region, 1, undefined, 1)).toThrow("of the kernel")
})

test.each([
  ["wasm", openWasmKernel],
  ["reference", openReferenceKernel],
] as const)("a mapped file is written by a shared map of the %s engine alone", (_, open) => {
  const kernel = open()
  const folder = mkdtempSync(join(tmpdir(), "weft-map-"))
  const path = join(folder, "file")
  try {
    writeFileSync(path, "abc")
    using own = kernel.map(path, { shared: false, bytes: 5 })
    own.bytes.set([1, 2, 3, 4, 5])
    expect(() => own.sync()).toThrow("shared")
    own.resize(9)
    expect(readFileSync(path, "latin1")).toBe("abc")
    {
      using shared = kernel.map(path, { shared: true, bytes: 4 })
      expect(statSync(path).size).toBe(4)
      expect([...shared.bytes]).toEqual([97, 98, 99, 0])
      shared.bytes[0] = 65
      shared.sync()
      expect(readFileSync(path, "latin1")).toBe("Abc\0")
      shared.resize(6)
      shared.bytes[5] = 70
    }
    expect(readFileSync(path, "latin1")).toBe("Abc\0\0F")
    using whole = kernel.map(path, { shared: true })
    expect(whole.bytes.length).toBe(6)
    expect(() => kernel.map(join(folder, "none"), { shared: true })).toThrow("ENOENT")
  } finally {
    rmSync(folder, { recursive: true })
  }
})
