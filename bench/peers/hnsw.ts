/** Graphs of vectors as others build and search them, by way of Bun. One thread, 16 links a node, built with a breadth of 200. */
import { createRequire } from "node:module"
import { join } from "node:path"
import { installLibrary } from "./library.ts"

const degree = 16
const build_breadth = 200

export type PeerGraph = {
  /** Seconds of the processor, without what it takes to bring the rows into the form that is asked for. */
  build(rows: Float32Array, dim: number, cpuMs: () => number): number
  /** What asks for the k nearest with a breadth; a query in the form that `prepare` made. */
  open(breadth: number, k: number): (query: unknown) => ArrayLike<number | bigint>
  prepare(query: Float32Array): unknown
}

const require = createRequire(import.meta.url)

type UsearchIndex = {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void
  search(vector: unknown, k: number, threads: number): { keys: BigUint64Array }
  save(path: string): void
  view(path: string): void
}

/** `folder` takes what is built: its breadth is chosen when an index is opened. */
export async function usearch(folder: string): Promise<PeerGraph> {
  const { Index } = require(await installLibrary("usearch"))
  const path = join(folder, "usearch")
  let dimensions = 0
  const open = (expansion_search: number): UsearchIndex =>
    new Index({
      dimensions,
      metric: "ip",
      quantization: "f32",
      connectivity: degree,
      expansion_add: build_breadth,
      expansion_search,
    })
  return {
    build(rows, dim, cpuMs) {
      dimensions = dim
      const index = open(build_breadth)
      const keys = BigUint64Array.from({ length: rows.length / dim }, (_, i) => BigInt(i))
      const before = cpuMs()
      index.add(keys, rows, 1)
      const build_s = (cpuMs() - before) / 1000
      index.save(path)
      return build_s
    },
    prepare: (query) => query,
    open(breadth, k) {
      const index = open(breadth)
      index.view(path)
      return (query) => index.search(query, k, 1).keys
    },
  }
}

/** Rows and queries are lists of numbers there. */
export async function hnswlib(): Promise<PeerGraph> {
  const { HierarchicalNSW } = require(await installLibrary("hnswlib-node"))
  let index = new HierarchicalNSW("ip", 1)
  return {
    build(rows, dim, cpuMs) {
      const n = rows.length / dim
      index = new HierarchicalNSW("ip", dim)
      index.initIndex(n, degree, build_breadth, 100)
      let build_ms = 0
      for (let first = 0; first < n; first += 1000) {
        const some = Array.from({ length: Math.min(1000, n - first) }, (_, i) => [
          ...rows.subarray((first + i) * dim, (first + i + 1) * dim),
        ])
        const before = cpuMs()
        for (const [i, row] of some.entries()) index.addPoint(row, first + i)
        build_ms += cpuMs() - before
      }
      return build_ms / 1000
    },
    prepare: (query) => [...query],
    open: (breadth, k) => (query) => {
      index.setEf(breadth)
      return index.searchKnn(query, k).neighbors
    },
  }
}
