/**
 * What the kernel takes as WebAssembly, against the native library: `bun bench/wasm-figures.ts [rows] [dim]`. Times are of
 * the process's processor, of both in turns, the median of some rounds.
 */
import { statSync } from "node:fs"
import { join } from "node:path"
import { type Index, loadIndex, openIndex } from "../src/kernel/micro/micro.ts"
import { toSaved } from "../src/kernel/micro/saved.ts"
import type { Bytes, Region, VectorKernel } from "../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../src/kernel/vectors/load.ts"
import { openWasmKernel } from "../src/kernel/vectors/wasm.ts"
import { makeClusters } from "./data/clusters.ts"
import { median } from "./measure.ts"

export type WasmFigures = {
  rows: number
  dim: number
  micro_bytes: number
  kernel_bytes: number
  /** Milliseconds a query, and how many times the native one the microkernel takes. */
  scan: Compared
  graph: Compared
  /** Seconds for 10,000 rows. */
  build: Compared
  /** Of the ten best of each query, how many both graphs find: they are the same. */
  graph_recall: number
}

export type Compared = { native: number; micro: number; ratio: number }

const degree = 16
const breadth = 200
const search_breadth = 64
const k = 10
const query_count = 50
const built = 10_000

type Loaded = { kernel: VectorKernel; matrix: Bytes; graph: Region; index: Index; queries: Float32Array[] }

export async function measureWasm(n: number, dim: number, rounds = 7): Promise<WasmFigures> {
  const { loaded, build } = await load(n, dim)
  const { kernel, matrix, graph, index, queries } = loaded
  const scan = compare(rounds, queries, {
    native: (query) => kernel.scanI8(query, matrix, n, undefined, k),
    micro: (query) => index.search(query, k, { exact: true }),
  })
  const walks = compare(rounds, queries, {
    native: (query) => kernel.graphSearch(graph, matrix, query, k, search_breadth, undefined),
    micro: (query) => index.search(query, k, { breadth: search_breadth }),
  })
  const bytesOf = (path: string) => statSync(join(import.meta.dir, "../src/kernel", path)).size
  return {
    rows: n,
    dim,
    micro_bytes: bytesOf("micro/micro.wasm"),
    kernel_bytes: bytesOf("vectors/kernel.wasm"),
    scan,
    graph: walks,
    build,
    graph_recall: recall(loaded, n),
  }
}

async function load(n: number, dim: number): Promise<{ loaded: Loaded; build: Compared }> {
  const clusters = makeClusters(n, query_count, dim)
  const kernel = loadVectorKernel()
  const { bytes, scales } = kernel.quantise(clusters.rows, dim)
  const matrix = { rows: regionOf(kernel, bytes), scales: regionOf(kernel, scales), dim }
  const graph = build(kernel, matrix, n)
  const allow = new Uint8Array(Math.ceil(n / 64) * 8)
  for (let row = 0; row < n; row++) allow[row >> 3]! |= 1 << (row & 7)
  // The native graph has the bytes of the microkernel's, and is there in a third of the time.
  const saved = toSaved({
    shape: { dim, capacity: n, degree, breadth },
    ...{ count: n, linked: n, rows: matrix.rows.bytes, scales: matrix.scales.bytes },
    ...{ allow, graph: graph.bytes },
  })
  const index = await loadIndex(saved)
  const queries = Array.from({ length: query_count }, (_, i) =>
    clusters.queries.slice(i * dim, (i + 1) * dim),
  )
  return {
    loaded: { kernel, matrix, graph, index, queries },
    build: await compareBuilds(kernel, matrix, clusters.rows, Math.min(n, built)),
  }
}

function build(kernel: VectorKernel, matrix: Bytes, n: number): Region {
  const graph = kernel.allocate(kernel.graphBytes(n, degree))
  kernel.graphInit(graph, { capacity: n, dim: matrix.dim, degree, breadth, seed: 1 })
  const nodes = Uint32Array.from({ length: n }, (_, i) => i)
  kernel.graphInsert(
    graph,
    matrix,
    nodes,
    nodes.map((node) => node + 1),
  )
  return graph
}

async function compareBuilds(
  kernel: VectorKernel,
  matrix: Bytes,
  rows: Float32Array,
  n: number,
): Promise<Compared> {
  const { dim } = matrix
  const index = await openIndex({ dim, capacity: n, degree, breadth })
  for (let row = 0; row < n; row++) index.add(rows.subarray(row * dim, (row + 1) * dim))
  const native = cpuTime(() => build(kernel, matrix, n)) / 1000
  const micro = cpuTime(() => index.link()) / 1000
  return { native, micro, ratio: micro / native }
}

function regionOf(kernel: VectorKernel, values: Int8Array | Float32Array): Region {
  const region = kernel.allocate(values.byteLength)
  region.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return region
}

type Ways = Record<"native" | "micro", (query: Float32Array) => unknown>

function compare(rounds: number, queries: Float32Array[], ways: Ways): Compared {
  const times = { native: [] as number[], micro: [] as number[] }
  for (let round = 0; round < rounds; round++)
    for (const way of ["native", "micro"] as const) {
      const all = cpuTime(() => {
        for (const query of queries) ways[way](query)
      })
      times[way].push(all / queries.length)
    }
  const native = median(times.native)
  const micro = median(times.micro)
  return { native, micro, ratio: micro / native }
}

function cpuTime(run: () => unknown): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function recall({ kernel, matrix, index, queries }: Loaded, n: number): number {
  let hits = 0
  for (const query of queries) {
    const exact = new Set(kernel.scanI8(query, matrix, n, undefined, k).ids)
    hits += index.search(query, k, { breadth: search_breadth }).filter(({ id }) => exact.has(id)).length
  }
  return hits / (queries.length * k)
}

if (import.meta.main) {
  const [rows = "100000", dim = "384"] = process.argv.slice(2)
  console.log(JSON.stringify(await measureWasm(Number(rows), Number(dim)), undefined, 2))
  console.log(JSON.stringify(compareEngines(Number(rows), Number(dim)), undefined, 2))
}

/** Milliseconds of a scan by the whole module and by the library, of floats and of bytes. */
export function compareEngines(n: number, dim: number): Record<"f32" | "i8", Compared> {
  const { rows, queries } = makeClusters(n, 10, dim)
  const kernels = { native: loadVectorKernel(), micro: openWasmKernel() }
  const list = Array.from({ length: 10 }, (_, i) => queries.slice(i * dim, (i + 1) * dim))
  const loaded = Object.entries(kernels).map(([name, kernel]) => {
    const { bytes, scales } = kernel.quantise(rows, dim)
    const matrix = { rows: regionOf(kernel, bytes), scales: regionOf(kernel, scales), dim }
    const floats = regionOf(kernel, rows)
    return [name, { kernel, matrix, floats }] as const
  })
  const { native, micro } = Object.fromEntries(loaded) as Record<keyof Ways, (typeof loaded)[0][1]>
  const f32 = (at: typeof native) => (query: Float32Array) =>
    at.kernel.scanF32(query, at.floats, n, undefined, k)
  const i8 = (at: typeof native) => (query: Float32Array) =>
    at.kernel.scanI8(query, at.matrix, n, undefined, k)
  return {
    f32: compare(7, list, { native: f32(native), micro: f32(micro) }),
    i8: compare(7, list, { native: i8(native), micro: i8(micro) }),
  }
}
