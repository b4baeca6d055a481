/** What a graph finds of what an exact scan finds, whatever was done to it; by the best of the native library. */
import { expect, test } from "bun:test"
import { makeClusters } from "../../../bench/data/clusters.ts"
import { bitmapBytes } from "../../../src/kernel/vectors/checks.ts"
import type { Bytes, Region } from "../../../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../../../src/kernel/vectors/load.ts"
import { bytesOf, randomOf } from "./shapes.ts"

const kernel = loadVectorKernel()
const dim = 48
const shape = { dim, degree: 12, breadth: 80, seed: 1 }
const query_count = 100

type World = { graph: Region; matrix: Bytes; n: number; queries: Float32Array }

const sequence = (n: number, from = 0) => Uint32Array.from({ length: n }, (_, i) => from + i)

function openGraph(capacity: number): Region {
  const graph = kernel.allocate(kernel.graphBytes(capacity, shape.degree))
  kernel.graphInit(graph, { ...shape, capacity })
  return graph
}

/** All rows are in the matrix; the nodes that are in the graph are the caller's. */
function openWorld(rows: Float32Array<ArrayBuffer>, queries: Float32Array): World {
  const n = rows.length / dim
  return { graph: openGraph(n), matrix: bytesOf(kernel, { n, dim, values: rows }), n, queries }
}

const insert = ({ graph, matrix }: World, nodes: Uint32Array) =>
  kernel.graphInsert(
    graph,
    matrix,
    nodes,
    nodes.map((node) => node + 1),
  )

function bitmapOf(n: number, isAllowed: (row: number) => boolean): Uint8Array {
  const allow = new Uint8Array(bitmapBytes(n))
  for (let row = 0; row < n; row++) if (isAllowed(row)) allow[row >> 3]! |= 1 << (row & 7)
  return allow
}

/** Of the ten best scores; which of equal rows is found is all the same. `there` are the nodes of the graph. */
function recall(world: World, breadth: number, there: Uint8Array, allow?: Uint8Array): number {
  const { graph, matrix, n, queries } = world
  let wanted = 0
  let hits = 0
  for (let i = 0; i < query_count; i++) {
    const query = queries.subarray(i * dim, i * dim + dim)
    const exact = kernel.scanI8(query, matrix, n, allow ?? there, 10)
    const { ids, scores } = kernel.graphSearch(graph, matrix, query, 10, breadth, allow)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(((allow ?? there)[id >> 3]! >> (id & 7)) & 1).toBe(1)
    wanted += exact.scores.length
    hits += scores.filter((score) => score >= exact.scores.at(-1)!).length
  }
  return hits / wanted
}

test("a graph whose rows were all replaced twice finds as much as before", () => {
  const n = 1500
  const { rows, queries } = makeClusters(3 * n, query_count, dim)
  const world = openWorld(rows, queries)
  const isNow = (generation: number) => bitmapOf(3 * n, (row) => Math.floor(row / n) === generation)
  insert(world, sequence(n))
  const before = recall(world, 40, isNow(0))
  for (let from = 0; from < 2 * n; from += 100) {
    expect(kernel.graphRemove(world.graph, world.matrix, sequence(100, from))).toBe(100)
    insert(world, sequence(100, from + n))
  }
  expect(kernel.graphCheck(world.graph, dim)).toBeUndefined()
  expect(before).toBeGreaterThan(0.97)
  expect(recall(world, 40, isNow(2))).toBeGreaterThan(before - 0.02)
})

test("slots that are used again for other rows lead nowhere wrong", () => {
  const n = 1000
  const { rows, queries } = makeClusters(n, query_count, dim)
  const { rows: others } = makeClusters(n, 1, dim, 8)
  const world = openWorld(rows, queries)
  insert(world, sequence(n))
  for (const [round, values] of [others, rows].entries()) {
    const fresh = bytesOf(kernel, { n, dim, values })
    for (let from = 0; from < n; from += 250) {
      const nodes = sequence(250, from)
      kernel.graphRemove(world.graph, world.matrix, nodes)
      // The row's bytes change only after its node was removed.
      const at = from * (world.matrix.rows.bytes.length / n)
      const end = (from + 250) * (world.matrix.rows.bytes.length / n)
      world.matrix.rows.bytes.set(fresh.rows.bytes.subarray(at, end), at)
      world.matrix.scales.bytes.set(fresh.scales.bytes.subarray(from * 4, (from + 250) * 4), from * 4)
      insert(world, nodes)
    }
    expect(kernel.graphCheck(world.graph, dim)).toBeUndefined()
    expect([
      round,
      recall(
        world,
        60,
        bitmapOf(n, () => true),
      ) > 0.97,
    ]).toEqual([round, true])
  }
})

test.each([
  ["a third of the rows equal another one", (row: number) => (row % 3 === 2 ? row - 1 : row)],
  ["a third of the rows are one and the same", (row: number) => (row % 3 === 2 ? 2 : row)],
  ["all rows are one of fifty", (row: number) => row % 50],
])("where %s, all are found, and each can be removed", (_, source) => {
  const n = 2000
  const { rows, queries } = makeClusters(n, query_count, dim)
  const values = new Float32Array(rows.length)
  for (let row = 0; row < n; row++)
    values.set(rows.subarray(source(row) * dim, source(row) * dim + dim), row * dim)
  const world = openWorld(values, queries)
  insert(world, sequence(n))
  expect(kernel.graphCheck(world.graph, dim)).toBeUndefined()
  expect(
    recall(
      world,
      40,
      bitmapOf(n, () => true),
    ),
  ).toBeGreaterThan(0.97)
  // Every row of a mass, when it is asked for.
  const mass = Array.from({ length: n }, (_, row) => row).filter((row) => source(row) === source(2))
  const query = values.slice(2 * dim, 3 * dim)
  const k = Math.min(mass.length, 600)
  expect([...kernel.graphSearch(world.graph, world.matrix, query, k, 1000, undefined).ids]).toEqual(
    mass.slice(0, k),
  )
  const gone = sequence(n).filter((row) => row % 2 === 0)
  expect(kernel.graphRemove(world.graph, world.matrix, gone)).toBe(gone.length)
  expect(kernel.graphCheck(world.graph, dim)).toBeUndefined()
  expect(
    recall(
      world,
      40,
      bitmapOf(n, (row) => row % 2 === 1),
    ),
  ).toBeGreaterThan(0.97)
})

test("under a filter, by chance or by a half of space, as much is found", () => {
  const n = 3000
  const { rows, queries } = makeClusters(n, query_count, dim)
  const world = openWorld(rows, queries)
  insert(world, sequence(n))
  const random = randomOf(3)
  for (const share of [0.9, 0.5, 0.1, 0.01, 0.001]) {
    const allow = bitmapOf(n, () => random() < share)
    expect([share, recall(world, 40, allow, allow) > 0.97]).toEqual([share, true])
  }
  const half = bitmapOf(n, (row) => rows[row * dim]! > 0)
  expect(recall(world, 40, half, half)).toBeGreaterThan(0.95)
})

test("a graph that was copied, larger or without its holes, finds what it found", () => {
  const n = 1200
  const { rows, queries } = makeClusters(n, query_count, dim)
  const world = openWorld(rows, queries)
  insert(world, sequence(n))
  const kept = sequence(n).filter((row) => row % 4 !== 0)
  kernel.graphRemove(
    world.graph,
    world.matrix,
    sequence(n).filter((row) => row % 4 === 0),
  )
  const before = recall(
    world,
    40,
    bitmapOf(n, (row) => row % 4 !== 0),
  )

  const larger = openGraph(3 * n)
  expect(kernel.graphCopy(world.graph, undefined, larger)).toBe(true)
  expect(kernel.graphCheck(larger, dim)).toBeUndefined()
  expect(
    recall(
      { ...world, graph: larger },
      40,
      bitmapOf(n, (row) => row % 4 !== 0),
    ),
  ).toBe(before)

  const moved = new Uint32Array(n).fill(2 ** 32 - 1)
  const packed = new Float32Array(kept.length * dim)
  for (const [at, row] of kept.entries()) {
    moved[row] = at
    packed.set(rows.subarray(row * dim, row * dim + dim), at * dim)
  }
  const smaller = { ...openWorld(packed, queries), graph: openGraph(kept.length) }
  expect(kernel.graphCopy(world.graph, moved, smaller.graph)).toBe(true)
  expect(kernel.graphCheck(smaller.graph, dim)).toBeUndefined()
  expect(
    recall(
      smaller,
      40,
      bitmapOf(kept.length, () => true),
    ),
  ).toBeGreaterThan(before - 0.01)
  expect(kernel.graphCopy(world.graph, moved, openGraph(kept.length - 1))).toBe(false)
})

test("a graph is searched when it is empty, smaller than what is asked for, and without its entry", () => {
  const n = 200
  const { rows, queries } = makeClusters(n, query_count, dim)
  const world = openWorld(rows, queries)
  const search = (k: number) => [
    ...kernel.graphSearch(world.graph, world.matrix, queries.subarray(0, dim), k, Math.max(k, 50), undefined)
      .ids,
  ]
  expect(search(10)).toEqual([])
  insert(world, sequence(20))
  expect(search(500).toSorted((a, b) => a - b)).toEqual([...sequence(20)])
  insert(world, sequence(n - 20, 20))
  // Whichever node is the entry, it is among the removed, again and again.
  for (let left = n; left > 0; left--) {
    const entry = new Uint32Array(world.graph.bytes.buffer, world.graph.bytes.byteOffset, 14)[8]!
    expect(kernel.graphRemove(world.graph, world.matrix, Uint32Array.of(entry, entry))).toBe(1)
    expect(kernel.graphCheck(world.graph, dim)).toBeUndefined()
    expect(search(5).length).toBe(Math.min(5, left - 1))
  }
  expect(insert(world, Uint32Array.of(3, n, 4))).toBe(1)
  expect(search(5)).toEqual([3])
})

test("a graph that was torn or changed anywhere is refused, or leads nowhere else", () => {
  const n = 300
  const { rows, queries } = makeClusters(n, query_count, dim)
  const world = openWorld(rows, queries)
  insert(world, sequence(n))
  kernel.graphRemove(world.graph, world.matrix, sequence(40, 100))
  const whole = world.graph.bytes.slice()
  const random = randomOf(11)
  const below = (bound: number) => Math.floor(random() * bound)
  let refused = 0
  for (let round = 0; round < 1500; round++) {
    world.graph.bytes.set(whole)
    if (round % 3 === 0) world.graph.bytes.fill(0, below(whole.length))
    // Most of the links are in the middle; the header is where a byte weighs most.
    else
      for (let i = 0; i < 3; i++) world.graph.bytes[below(round % 3 === 1 ? 128 : whole.length)] = below(256)
    if (kernel.graphCheck(world.graph, dim)) {
      refused++
      continue
    }
    const query = queries.subarray(0, dim)
    const { ids } = kernel.graphSearch(world.graph, world.matrix, query, 10, 50, undefined)
    for (const id of ids) expect(id).toBeLessThan(n)
    kernel.graphRemove(world.graph, world.matrix, sequence(50, below(n - 50)))
    insert(world, sequence(50, below(n - 50)))
  }
  expect(refused).toBeGreaterThan(500)
  expect(refused).toBeLessThan(1500)
})
