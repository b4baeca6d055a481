/**
 * What the kernel does in how much time: `bun bench/kernel-figures.ts [avx512|avx2|...] [rows] [--graph]`. Times are of the process's
 * processor, the least of some rounds.
 */

import {
  type Bytes,
  type Found,
  type Region,
  type VectorKernel,
  wordsOf,
} from "../src/kernel/vectors/kernel.ts"
import { loadVectorKernel, parseKernelName } from "../src/kernel/vectors/load.ts"
import { type Clusters, makeClusters } from "./data/clusters.ts"

export type Loaded = Clusters & {
  n: number
  query_count: number
  floats: Region
  matrix: Bytes
  bits: Region
  /** The ten best of each query, by the floats. */
  truth: Found[]
}

export const k = 10

export function queryOf({ queries, dim }: Clusters, index: number): Float32Array {
  return queries.subarray(index * dim, index * dim + dim)
}

export function loadClusters(kernel: VectorKernel, clusters: Clusters): Loaded {
  const { rows, queries, dim } = clusters
  const n = rows.length / dim
  const query_count = queries.length / dim
  const { bytes, scales } = kernel.quantise(rows, dim)
  const floats = regionOf(kernel, rows)
  const matrix = { rows: regionOf(kernel, bytes), scales: regionOf(kernel, scales), dim }
  const bits = regionOf(kernel, kernel.binarise(rows, dim, meanOf(clusters), 1))
  const truth = Array.from({ length: query_count }, (_, i) =>
    kernel.scanF32(queryOf(clusters, i), floats, n, undefined, k),
  )
  return { ...clusters, n, query_count, floats, matrix, bits, truth }
}

function regionOf(kernel: VectorKernel, values: ArrayBufferView): Region {
  const region = kernel.allocate(values.byteLength)
  region.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  return region
}

export function meanOf({ rows, dim }: Clusters): Float32Array {
  const sums = new Float64Array(dim)
  const n = rows.length / dim
  for (let row = 0; row < n; row++) for (let i = 0; i < dim; i++) sums[i]! += rows[row * dim + i]!
  return Float32Array.from(sums, (sum) => sum / n)
}

/** Of the ten best of every query, how many were found. */
export function recallOf({ truth }: Pick<Loaded, "truth">, found: readonly Found[]): number {
  let hits = 0
  for (const [index, { ids }] of found.entries())
    for (const id of truth[index]!.ids) hits += ids.includes(id) ? 1 : 0
  return hits / (found.length * k)
}

/** Milliseconds of this process's processor for each of `count` calls, the least of some rounds. */
export function leastMs(rounds: number, count: number, run: (index: number) => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++) run(i)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000 / count)
  }
  return least
}

/** Bytes a second that one thread reads: the search for a byte that is not there, in memory larger than any cache. */
export function readBandwidth(bytes = 2 ** 28): number {
  const buffer = Buffer.alloc(bytes, 1)
  const other = Buffer.alloc(bytes, 1)
  const search_ms = leastMs(8, 2, () => buffer.includes(2))
  const compare_ms = leastMs(8, 1, () => buffer.equals(other))
  return Math.max(bytes / search_ms, (2 * bytes) / compare_ms) * 1000
}

/** Exact by the floats of the `wider` best by their bytes. */
export function scanAndRerank(kernel: VectorKernel, loaded: Loaded, query: Float32Array, wider = 20): Found {
  const { ids } = kernel.scanI8(query, loaded.matrix, loaded.n, undefined, wider)
  return kernel.rerank(query, loaded.floats, ids, k)
}

export type ScanFigures = {
  f32_ms: number
  f32_bytes_s: number
  i8_ms: number
  i8_recall: number
  bits_ms: number
  bits_recall: number
  batch_ms: number
  bandwidth: number
}

export function measureScans(kernel: VectorKernel, loaded: Loaded): ScanFigures {
  const { n, dim, query_count } = loaded
  const queries = Array.from({ length: query_count }, (_, i) => queryOf(loaded, i))
  const some = Math.min(query_count, 20)
  const f32_ms = leastMs(8, some, (i) => kernel.scanF32(queries[i]!, loaded.floats, n, undefined, k))
  const i8_ms = leastMs(8, some, (i) => scanAndRerank(kernel, loaded, queries[i]!))
  const words = wordsOf(dim)
  const mean = meanOf(loaded)
  const coldSearch = (query: Float32Array) => {
    const bits = kernel.binarise(query, dim, mean, 1)
    const { ids } = kernel.scanBits(bits, loaded.bits, n, words, undefined, 400)
    return kernel.rerank(query, loaded.floats, ids, k)
  }
  const bits_ms = leastMs(8, some, (i) => coldSearch(queries[i]!))
  const batch = loaded.queries.subarray(0, Math.min(32, query_count) * dim)
  const batch_ms =
    leastMs(4, 1, () => kernel.scanMany(batch, loaded.matrix, n, undefined, k)) / (batch.length / dim)
  return {
    f32_ms,
    f32_bytes_s: ((n * dim * 4) / f32_ms) * 1000,
    i8_ms,
    i8_recall: recallOf(
      loaded,
      queries.map((query) => scanAndRerank(kernel, loaded, query)),
    ),
    bits_ms,
    bits_recall: recallOf(loaded, queries.map(coldSearch)),
    batch_ms,
    bandwidth: readBandwidth(),
  }
}

export type GraphFigures = {
  build_s: number
  bytes: number
  graph: Region
  steps: { breadth: number; recall: number; queries_s: number }[]
}

export function buildGraph(kernel: VectorKernel, { matrix, n, dim }: Loaded, degree = 16, breadth = 200) {
  const bytes = kernel.graphBytes(n, degree)
  const graph = kernel.allocate(bytes)
  kernel.graphInit(graph, { capacity: n, dim, degree, breadth, seed: 1 })
  const nodes = Uint32Array.from({ length: n }, (_, i) => i)
  const build_s =
    leastMs(1, 1, () =>
      kernel.graphInsert(
        graph,
        matrix,
        nodes,
        nodes.map((node) => node + 1),
      ),
    ) / 1000
  return { build_s, bytes, graph }
}

/** By the graph, then exact by the floats. */
export function measureGraph(
  kernel: VectorKernel,
  loaded: Loaded,
  breadths: readonly number[],
): GraphFigures {
  const built = buildGraph(kernel, loaded)
  const queries = Array.from({ length: loaded.query_count }, (_, i) => queryOf(loaded, i))
  const steps = breadths.map((breadth) => {
    const search = (query: Float32Array) => {
      const { ids } = kernel.graphSearch(
        built.graph,
        loaded.matrix,
        query,
        Math.min(20, breadth),
        breadth,
        undefined,
      )
      return kernel.rerank(query, loaded.floats, ids, k)
    }
    const recall = recallOf(loaded, queries.map(search))
    return { breadth, recall, queries_s: 1000 / leastMs(5, queries.length, (i) => search(queries[i]!)) }
  })
  return { ...built, steps }
}

/** At a recall, between the steps that are around it; undefined where none reaches it. */
export function queriesAt({ steps }: Pick<GraphFigures, "steps">, recall: number): number | undefined {
  const next = steps.findIndex((step) => step.recall >= recall)
  if (next === -1) return undefined
  const to = steps[next]!
  const from = steps[next - 1]
  if (!from) return to.queries_s
  const share = (recall - from.recall) / (to.recall - from.recall)
  return from.queries_s + share * (to.queries_s - from.queries_s)
}

if (import.meta.main) {
  const words = process.argv.slice(2)
  const kernel = loadVectorKernel(parseKernelName(words.find((word) => /^[a-z]/.test(word))))
  const n = Number(words.find((word) => /^\d/.test(word)) ?? 100_000)
  const loaded = loadClusters(kernel, makeClusters(n, 1000, 384))
  const row = (title: string, ...values: (string | number)[]) =>
    console.log(
      title.padEnd(28),
      values.map((value) => (typeof value === "number" ? value.toFixed(4) : value)).join("  "),
    )
  row("kernel, rows", kernel.name, String(n))
  const scans = measureScans(kernel, loaded)
  row(
    "f32 scan ms, of bandwidth",
    scans.f32_ms,
    scans.f32_bytes_s / scans.bandwidth,
    `${(scans.bandwidth / 1e9).toFixed(1)} GB/s`,
  )
  row("i8 + rerank ms, recall", scans.i8_ms, scans.i8_recall)
  row("bits + rerank 400 ms, recall", scans.bits_ms, scans.bits_recall)
  row("i8 scan in a batch ms", scans.batch_ms)
  if (words.includes("--graph")) {
    const figures = measureGraph(
      kernel,
      loaded,
      [10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 256],
    )
    row("graph: build s, MB", figures.build_s, figures.bytes / 1e6)
    for (const { breadth, recall, queries_s } of figures.steps) row(`  breadth ${breadth}`, recall, queries_s)
    for (const recall of [0.95, 0.99])
      row(`  queries/s at ${recall}`, queriesAt(figures, recall) ?? "not reached")
  }
}
