/**
 * A million rows in mapped files and their graph, in a process of its own, whose memory is what is measured:
 * `bun bench/million.ts FOLDER ROWS`. Prints one line of JSON.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { Bytes, Found, Region, VectorKernel } from "../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../src/kernel/vectors/load.ts"
import { openClusters } from "./data/clusters.ts"
import { k, recallOf } from "./kernel-figures.ts"
import { cpuMs, median } from "./measure.ts"

export type Million = {
  build_s: number
  graph_bytes: number
  anonymous_bytes: number
  scan_ms: number
  breadth: number
  recall: number
  search_ms: number
}

const dim = 384
const query_count = 200
const breadths = [48, 64, 80, 96, 112, 128, 160, 192, 256, 320, 400, 512, 768, 1024]

type Loaded = {
  kernel: VectorKernel
  n: number
  floats: Region
  matrix: Bytes
  queries: Float32Array[]
  truth: Found[]
}

if (import.meta.main) {
  const [folder, rows] = process.argv.slice(2)
  const loaded = load(loadVectorKernel(), folder!, Number(rows))
  const { graph, build_s } = build(loaded)
  const found = search(loaded, graph)
  const scan_ms = median(timesOf(loaded, 1, 20, (query) => scan(loaded, query)))
  const anonymous_bytes = anonymousBytes()
  const graph_bytes = graph.bytes.length
  console.log(JSON.stringify({ build_s, graph_bytes, anonymous_bytes, scan_ms, ...found } satisfies Million))
}

function load(kernel: VectorKernel, folder: string, n: number): Loaded {
  const stream = openClusters(dim)
  const asked = new Float32Array(query_count * dim)
  stream.fill(asked)
  const paths = ["f32", "i8", "scales"].map((name) => join(folder, name))
  const files = paths.map((path) => openSync(path, "w"))
  const block = new Float32Array(5_000 * dim)
  for (let done = 0; done < n; done += 5_000) {
    const rows = block.subarray(0, Math.min(5_000, n - done) * dim)
    stream.fill(rows)
    const { bytes, scales } = kernel.quantise(rows, dim)
    for (const [i, values] of [rows, bytes, scales].entries()) writeSync(files[i]!, values)
  }
  for (const file of files) closeSync(file)
  const [floats, rows, scales] = paths.map((path) => kernel.map(path, { shared: true })) as Regions
  const queries = Array.from({ length: query_count }, (_, i) => asked.slice(i * dim, (i + 1) * dim))
  const truth = queries.map((query) => kernel.scanF32(query, floats, n, undefined, k))
  return { kernel, n, floats, matrix: { rows, scales, dim }, queries, truth }
}

type Regions = [Region, Region, Region]

function build({ kernel, n, matrix }: Loaded) {
  const degree = 16
  const graph = kernel.allocate(kernel.graphBytes(n, degree))
  kernel.graphInit(graph, { capacity: n, dim, degree, breadth: 200, seed: 1 })
  const before = cpuMs()
  for (let first = 0; first < n; first += 10_000) {
    const nodes = Uint32Array.from({ length: Math.min(10_000, n - first) }, (_, i) => first + i)
    const keys = nodes.map((node) => node + 1)
    kernel.graphInsert(graph, matrix, nodes, keys)
  }
  return { graph, build_s: (cpuMs() - before) / 1000 }
}

/** By the least breadth whose recall is .99. */
function search(loaded: Loaded, graph: Region): Pick<Million, "breadth" | "recall" | "search_ms"> {
  const { kernel, matrix, floats, queries } = loaded
  for (const breadth of breadths) {
    const ask = (query: Float32Array) => {
      const { ids } = kernel.graphSearch(graph, matrix, query, 2 * k, breadth, undefined)
      return kernel.rerank(query, floats, ids, k)
    }
    const recall = recallOf(loaded, queries.map(ask))
    if (recall >= 0.99) return { breadth, recall, search_ms: median(timesOf(loaded, 9, query_count, ask)) }
  }
  throw new Error("a recall of .99 is not reached")
}

function scan({ kernel, matrix, floats, n }: Loaded, query: Float32Array): Found {
  const { ids } = kernel.scanI8(query, matrix, n, undefined, 2 * k)
  return kernel.rerank(query, floats, ids, k)
}

/** Milliseconds of the processor for a search, of each round. */
function timesOf({ queries }: Loaded, rounds: number, count: number, run: (query: Float32Array) => unknown) {
  return Array.from({ length: rounds }, () => {
    const before = cpuMs()
    for (const query of queries.slice(0, count)) run(query)
    return (cpuMs() - before) / count
  })
}

/** Memory that is no file's: the graph, what the kernel works in, and Bun. */
function anonymousBytes(): number {
  Bun.gc(true)
  const rollup = readFileSync("/proc/self/smaps_rollup", "utf8")
  return 1024 * Number(rollup.match(/^Anonymous:\s+(\d+) kB/m)?.[1])
}
