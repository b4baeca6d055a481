/** Graphs of every engine against those of the reference: equal in every byte, and what they find is near. */
import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { GraphShape, VectorKernel } from "../../../src/kernel/vectors/kernel.ts"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { engines } from "./engines.ts"
import { bitmapOf, bitsOf, bytesOf, type Matrix, numbers, randomOf, regionOf } from "./shapes.ts"

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
        seed: fc.integer(),
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

/** All that a history gives to see: results, and the bytes of the graph after every step. */
function play(
  kernel: VectorKernel,
  history: typeof histories extends fc.Arbitrary<infer T> ? T : never,
): unknown[] {
  const { matrix, degree, breadth, seed } = history
  const { n, dim } = matrix
  using rows = bytesOf(kernel, matrix)
  const shape: GraphShape = { capacity: n, dim, degree, breadth, seed }
  let graph = kernel.allocate(kernel.graphBytes(n, degree))
  kernel.graphInit(graph, shape)
  const first = Uint32Array.from({ length: Math.floor(n * history.first) }, (_, i) => i)
  const seen: unknown[] = [
    kernel.graphInsert(
      graph,
      rows,
      first,
      first.map((i) => i + 1),
    ),
    bitsOf(graph.bytes),
  ]
  for (const step of history.steps) {
    if (step.do === "insert") {
      const nodes = Uint32Array.from(step.nodes)
      seen.push(
        kernel.graphInsert(
          graph,
          rows,
          nodes,
          nodes.map((node) => node * 3 + 1),
        ),
      )
    } else if (step.do === "remove") seen.push(kernel.graphRemove(graph, rows, Uint32Array.from(step.nodes)))
    else if (step.do === "search") {
      const query = numbers(dim, step.seed, "even")
      const found = kernel.graphSearch(
        graph,
        rows,
        query,
        step.k,
        step.breadth,
        bitmapOf(n, step.share, step.seed),
      )
      seen.push([...found.ids], bitsOf(found.scores))
    } else {
      const { capacity } = step
      const to = kernel.allocate(kernel.graphBytes(Math.min(capacity, n), degree))
      kernel.graphInit(to, { ...shape, capacity: Math.min(capacity, n) })
      const fits = kernel.graphCopy(graph, undefined, to)
      seen.push(fits)
      if (fits) [graph[Symbol.dispose](), (graph = to)]
      else to[Symbol.dispose]()
    }
    seen.push(bitsOf(graph.bytes))
    expect(kernel.graphCheck(graph, dim)).toBeUndefined()
  }
  graph[Symbol.dispose]()
  return seen
}

for (const { name, kernel } of engines) {
  describe(name, () => {
    test("a graph has the reference's bytes and results after whatever was done to it", () =>
      fc.assert(
        fc.property(histories, (history) => {
          expect(play(kernel, history)).toEqual(play(reference, history))
        }),
        { numRuns: 60 },
      ))
  })
}
