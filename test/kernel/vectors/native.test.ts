/** The native library: one result on every instruction set, its regions, and which kernel is taken. */
import { expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeClusters } from "../../../bench/data/clusters.ts"
import { toAppError } from "../../../src/base/errors.ts"
import type { VectorKernel } from "../../../src/kernel/vectors/kernel.ts"
import { kernel_names, loadVectorKernel, parseKernelName } from "../../../src/kernel/vectors/load.ts"
import { allocate, mapFile, region_bytes_max } from "../../../src/kernel/vectors/native-memory.ts"
import { engines } from "./engines.ts"
import { bytesOf, regionOf } from "./shapes.ts"

function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), "weft-vectors-"))
  return {
    at: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

/** Hashes of all that is made of clustered rows, in masses that the properties do not have. */
function resultsOf(kernel: VectorKernel): string[] {
  const dim = 100
  const n = 2500
  const { rows, queries } = makeClusters(n, 30, dim)
  const floats = regionOf(kernel, rows)
  const matrix = bytesOf(kernel, { n, dim, values: rows })
  const graph = kernel.allocate(kernel.graphBytes(n, 12))
  kernel.graphInit(graph, { capacity: n, dim, degree: 12, breadth: 60, seed: 5 })
  const nodes = Uint32Array.from({ length: n }, (_, i) => i)
  kernel.graphInsert(
    graph,
    matrix,
    nodes,
    nodes.map((node) => node + 1),
  )
  kernel.graphRemove(
    graph,
    matrix,
    nodes.filter((node) => node % 3 === 0),
  )
  const found = Array.from({ length: 30 }, (_, i) => {
    const query = queries.subarray(i * dim, i * dim + dim)
    return [
      kernel.scanF32(query, floats, n, undefined, 10),
      kernel.scanI8(query, matrix, n, undefined, 10),
      kernel.graphSearch(graph, matrix, query, 10, 30, undefined),
    ].flatMap(({ ids, scores }) => [...ids, ...scores])
  })
  const bits = kernel.binarise(rows, dim, undefined, 9)
  return [JSON.stringify(found), graph.bytes, matrix.rows.bytes, bits].map((made) =>
    Bun.hash(made).toString(),
  )
}

test("thousands of rows are the same to every engine, from the graph's bytes to the last score", () => {
  const results = engines.map(({ name, open }) => [name, resultsOf(open())])
  for (const [, result] of results) expect(result).toEqual(results[0]![1])
})

test("a shared map is its file: what is written, grown and cut there is there", () => {
  using folder = openFolder()
  const path = folder.at("rows")
  const region = mapFile(path, { shared: true, bytes: 5000 })
  region.bytes.fill(7)
  region.resize(9000)
  expect([region.bytes.length, region.bytes[4999], region.bytes[5000]]).toEqual([9000, 7, 0])
  region.bytes[8999] = 9
  region.sync()
  const other = mapFile(path, { shared: true })
  expect(other.bytes[8999]).toBe(9)
  region.resize(4500)
  region[Symbol.dispose]()
  expect(readFileSync(path)).toEqual(Buffer.alloc(4500, 7))
})

test("a private map changes in memory only, whatever it is resized to", () => {
  using folder = openFolder()
  const path = folder.at("graph")
  writeFileSync(path, Buffer.alloc(5000, 7))
  const region = mapFile(path, { shared: false })
  region.bytes[0] = 1
  region.resize(8000)
  region.bytes[7999] = 2
  expect([region.bytes[0], region.bytes[4999], region.bytes[5000], region.bytes[7999]]).toEqual([1, 7, 0, 2])
  expect(() => region.sync()).toThrow("only a shared map can be written")
  const longer = mapFile(path, { shared: false, bytes: 6000 })
  longer.bytes[0] = 3
  expect([longer.bytes.length, longer.bytes[4999], longer.bytes[5999]]).toEqual([6000, 7, 0])
  const missing = mapFile(folder.at("missing"), { shared: false, bytes: 10 })
  expect(missing.bytes).toEqual(new Uint8Array(10))
  expect(readFileSync(path)).toEqual(Buffer.alloc(5000, 7))
  expect(statSync(folder.at("missing"), { throwIfNoEntry: false })).toBeUndefined()
})

test("an empty file is mapped, grows and becomes empty again; one that is not there is an error", () => {
  using folder = openFolder()
  writeFileSync(folder.at("empty"), "")
  for (const region of [mapFile(folder.at("empty"), { shared: true }), allocate(0)]) {
    expect(region.bytes.length).toBe(0)
    region.resize(100)
    region.bytes[99] = 1
    region.resize(0)
    region.resize(100)
    expect(region.bytes).toEqual(new Uint8Array(100))
  }
  expect(() => mapFile(folder.at("missing"), { shared: true })).toThrow("ENOENT")
})

test("a region that is too long is refused before anything is made", () => {
  using folder = openFolder()
  const bytes = region_bytes_max + 1
  const thrown = [() => allocate(bytes), () => allocate(1).resize(bytes)].map((make) => codeOf(make))
  expect(thrown).toEqual(["too_large", "too_large"])
  expect(codeOf(() => mapFile(folder.at("long"), { shared: true, bytes }))).toBe("too_large")
  expect(statSync(folder.at("long"), { throwIfNoEntry: false })).toBeUndefined()
})

test("a region that was given back is refused", () => {
  const { open } = engines[0]!
  const kernel = open()
  const region = kernel.allocate(4)
  region[Symbol.dispose]()
  expect(() => kernel.scanF32(new Float32Array(1), region, 0, undefined, 1)).toThrow("not given back")
})

function codeOf(run: () => unknown): unknown {
  try {
    run()
  } catch (thrown) {
    return toAppError(thrown).code
  }
  return undefined
}

test("the kernel that is forced is the one that is taken, or an error", () => {
  const there = [...engines.map(({ name }) => name), "reference"]
  for (const name of kernel_names) {
    if (there.includes(name)) expect(loadVectorKernel(name).name).toBe(name)
    else expect(codeOf(() => loadVectorKernel(name))).toBe("invalid_config")
  }
  expect(loadVectorKernel().name).toBe(engines.findLast(({ name }) => name !== "wasm")?.name ?? "wasm")
})

test("a name of the environment is a kernel, none, or an error", () => {
  expect([parseKernelName("avx2"), parseKernelName(""), parseKernelName(undefined)]).toEqual([
    "avx2",
    undefined,
    undefined,
  ])
  expect(codeOf(() => parseKernelName("AVX9"))).toBe("invalid_config")
})
