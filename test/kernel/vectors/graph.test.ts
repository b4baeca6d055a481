/** Graphs of every engine against those of the reference: equal in every byte, and what they find is near. */
import { beforeEach, describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Bytes, GraphShape, Region, VectorKernel } from "../../../src/kernel/vectors/kernel.ts"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { engines } from "./engines.ts"
import { bitmapOf, bitsOf, bytesOf, type Matrix, numbers, shifted } from "./shapes.ts"

const reference = openReferenceKernel()

type Step =
  | { do: "insert" | "remove"; nodes: number[] }
  | { do: "search"; k: number; breadth: number; share: number | undefined; seed: number }
  | { do: "move"; capacity: number; seed: number }

const steps = (n: number): fc.Arbitrary<Step[]> => {
  const nodes = fc.uniqueArray(fc.integer({ min: 0, max: n + 1 }), { maxLength: n + 2 })
  return fc.array(
    fc.oneof(
      fc.record({ do: fc.constantFrom("insert" as const, "remove" as const), nodes }),
      fc.record({
        do: fc.constant("search" as const),
        k: fc.integer({ min: 1, max: 12 }),
        breadth: fc.integer({ min: 12, max: 40 }),
        share: fc.constantFrom(undefined, 0, 0.5, 1),
        seed: fc.integer(),
      }),
      fc.record({
        do: fc.constant("move" as const),
        capacity: fc.integer({ min: 1, max: 2 * n }),
        seed: fc.nat(),
      }),
    ),
    { minLength: 2, maxLength: 7 },
  )
}

const histories = fc
  .record({ n: fc.integer({ min: 1, max: 120 }), dim: fc.constantFrom(1, 2, 5, 33, 100) })
  .chain(({ n, dim }) =>
    fc.record({
      matrix: fc
        .record({ seed: fc.integer(), kind: fc.constantFrom("few", "even", "wide", "zero") })
        .map(({ seed, kind }): Matrix => ({ n, dim, values: numbers(n * dim, seed, kind) })),
      degree: fc.constantFrom(2, 3, 8, 16, 64),
      breadth: fc.integer({ min: 1, max: 40 }),
      seed: fc.nat(),
      first: fc.constantFrom(0, 0.5, 1),
      steps: steps(n),
    }),
  )

type History = typeof histories extends fc.Arbitrary<infer T> ? T : never
type State = {
  kernel: VectorKernel
  shape: GraphShape
  graph: Region
  matrix: Matrix
  rows: Bytes & Disposable
}

/** All that a history gives to see: results, and the bytes of the graph after every step. */
function play(kernel: VectorKernel, { matrix, degree, breadth, seed, first, steps }: History): unknown[] {
  const { n, dim } = matrix
  const shape = { capacity: n, dim, degree, breadth, seed }
  const graph = kernel.allocate(kernel.graphBytes(n, degree))
  const state: State = { kernel, shape, graph, matrix, rows: bytesOf(kernel, matrix) }
  kernel.graphInit(graph, shape)
  const nodes = Array.from({ length: Math.floor(n * first) }, (_, i) => i)
  const seen = [{ do: "insert" as const, nodes }, ...steps].flatMap((step) => {
    const answer = take(state, step)
    expect(kernel.graphCheck(state.graph, dim)).toBeUndefined()
    return [answer, bitsOf(state.graph.bytes)]
  })
  state.graph[Symbol.dispose]()
  state.rows[Symbol.dispose]()
  return seen
}

function take(state: State, step: Step): unknown {
  const { kernel, graph, matrix, rows } = state
  if (step.do === "search") {
    const query = shifted(numbers(matrix.dim, step.seed, "even"), step.seed)
    const allow = bitmapOf(matrix.n, step.share, step.seed)
    const { ids, scores } = kernel.graphSearch(graph, rows, query, step.k, step.breadth, allow)
    return [...ids, bitsOf(scores)]
  }
  if (step.do === "move") return move(state, Math.min(step.capacity, matrix.n), step.seed % matrix.n)
  const nodes = Uint32Array.from(step.nodes)
  if (step.do === "remove") return kernel.graphRemove(graph, rows, nodes)
  const keys = nodes.map((node) => node * 3 + 1)
  return kernel.graphInsert(graph, rows, nodes, keys)
}

/** Into another graph with every row `by` places further; what is free in this one has no place in that one. */
function move(state: State, capacity: number, by: number): boolean {
  const { kernel, shape, graph, matrix } = state
  const { n, dim, values } = matrix
  const to = kernel.allocate(kernel.graphBytes(capacity, shape.degree))
  kernel.graphInit(to, { ...shape, capacity })
  const keys = new Uint32Array(graph.bytes.buffer, graph.bytes.byteOffset + 128, n).slice()
  const moved = keys.map((key, node) => (key === 0 ? 2 ** 32 - 1 : (node + by) % n))
  const fits = kernel.graphCopy(graph, by === 0 ? undefined : moved, to)
  const unused = fits ? graph : to
  unused[Symbol.dispose]()
  if (!fits) return false
  state.graph = to
  if (by === 0) return true
  const turned = new Float32Array(values.length)
  for (let row = 0; row < n; row++)
    turned.set(values.subarray(row * dim, (row + 1) * dim), ((row + by) % n) * dim)
  state.rows[Symbol.dispose]()
  state.matrix = { n, dim, values: turned }
  state.rows = bytesOf(kernel, state.matrix)
  return true
}

for (const { name, open } of engines) {
  describe(name, () => {
    let kernel: VectorKernel
    beforeEach(() => {
      kernel = open()
    })

    test("a graph has the reference's bytes and results after whatever was done to it", () =>
      fc.assert(
        fc.property(histories, (history) => {
          expect(play(kernel, history)).toEqual(play(reference, history))
        }),
        { numRuns: 60 },
      ))
  })
}
