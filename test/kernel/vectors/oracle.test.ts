/** Our graph against one that others wrote from the same article: it finds as much at equal parameters. */
import { expect, test } from "bun:test"
import { makeClusters } from "../../../bench/data/clusters.ts"
import { loadVectorKernel } from "../../../src/kernel/vectors/load.ts"
import { regionOf } from "./shapes.ts"

const n = 2000
const dim = 48
const k = 10
const degree = 8
const build_breadth = 40
const query_count = 200
const { rows, queries } = makeClusters(n, query_count, dim)
const rowOf = (values: Float32Array, row: number) => values.slice(row * dim, (row + 1) * dim)

/** It is written for browsers: it looks for a page and for a store of files, which never answers here. */
async function loadOracle() {
  const page = {
    window: globalThis,
    document: { currentScript: { src: import.meta.url } },
    indexedDB: { open: () => ({}) },
  }
  const before = new Map(
    Object.keys(page).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]),
  )
  Object.assign(globalThis, page)
  try {
    return await (await import("hnswlib-wasm")).loadHnswlib()
  } finally {
    for (const [name, had] of before) {
      if (had) Object.defineProperty(globalThis, name, had)
      else Reflect.deleteProperty(globalThis, name)
    }
  }
}

test("our graph finds no less than hnswlib's, at equal links and breadths", async () => {
  const kernel = loadVectorKernel()
  const { bytes, scales } = kernel.quantise(rows, dim)
  using floats = regionOf(kernel, rows)
  using own = regionOf(kernel, bytes as Int8Array<ArrayBuffer>)
  using own_scales = regionOf(kernel, scales as Float32Array<ArrayBuffer>)
  const matrix = { rows: own, scales: own_scales, dim }
  using graph = kernel.allocate(kernel.graphBytes(n, degree))
  kernel.graphInit(graph, { capacity: n, dim, degree, breadth: build_breadth, seed: 1 })
  const nodes = Uint32Array.from({ length: n }, (_, i) => i)
  kernel.graphInsert(
    graph,
    matrix,
    nodes,
    nodes.map((node) => node + 1),
  )

  const library = await loadOracle()
  const oracle = new library.HierarchicalNSW("ip", dim, "")
  oracle.initIndex(n, degree, build_breadth, 100)
  for (const node of nodes) oracle.addPoint(rowOf(rows, node), node, false)

  for (const breadth of [12, 20, 40]) {
    oracle.setEfSearch(breadth)
    const hits = { ours: 0, theirs: 0 }
    for (let i = 0; i < query_count; i++) {
      const query = rowOf(queries, i)
      const exact = new Set(kernel.scanF32(query, floats, n, undefined, k).ids)
      const near = kernel.graphSearch(graph, matrix, query, Math.min(breadth, 2 * k), breadth, undefined)
      const ranked = kernel.rerank(query, floats, near.ids, k)
      hits.ours += ranked.ids.filter((id) => exact.has(id)).length
      hits.theirs += oracle.searchKnn(query, k, undefined).neighbors.filter((id) => exact.has(id)).length
    }
    expect(hits.ours).toBeGreaterThanOrEqual(hits.theirs)
    expect(hits.theirs).toBeGreaterThan(0)
  }
})
