/** Makes a graph of all rows and finds how broadly it must be searched. In a thread, or in pieces where there are no files. */
import { type Bytes, type Region, strideOf, type VectorKernel } from "../../kernel/vectors/kernel.ts"
import { record_words } from "./part.ts"

export type BuildShape = {
  dim: number
  /** Slots at its beginning, and how many it has room for. */
  slots: number
  capacity: number
  degree: number
  /** While building. */
  breadth: number
  seed: number
}

/** `breadth` undefined: none of those tried finds as much as is asked for. */
export type Measured = { breadth: number | undefined; recall: number; graph_ms: number; exact_ms: number }

export type Matrix = Bytes & { records: Region }

export const recall_min = 0.99
const recall_of = 10
const queries_count = 64
const breadths = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
const rows_at_once = 16

/** Yields how much of 1 is done, often enough that a caller can breathe between. */
export function* buildGraph(
  kernel: VectorKernel,
  graph: Region,
  matrix: Matrix,
  shape: BuildShape,
): Generator<number, Measured> {
  const { capacity, dim, degree, breadth, seed, slots } = shape
  kernel.graphInit(graph, { capacity, dim, degree, breadth, seed })
  for (let from = 0; from < slots; from += rows_at_once) {
    const nodes = liveSlots(matrix, from, Math.min(slots, from + rows_at_once))
    const keys = Uint32Array.from(nodes, (slot) => idOf(matrix, slot))
    // A row may be removed by now: its key would be 0.
    if (nodes.length > 0 && !keys.includes(0)) kernel.graphInsert(graph, matrix, nodes, keys)
    yield (0.95 * from) / slots
  }
  return yield* measure(kernel, graph, matrix, shape)
}

const idOf = ({ records }: Matrix, slot: number): number => wordsOf(records)[slot * record_words]!

const wordsOf = ({ bytes }: Region): Uint32Array =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)

function liveSlots({ records }: Matrix, from: number, to: number): Uint32Array {
  const words = wordsOf(records)
  const found: number[] = []
  for (let slot = from; slot < to; slot++) if (words[slot * record_words] !== 0) found.push(slot)
  return Uint32Array.from(found)
}

/** The least breadth that finds the ten nearest by int8 as often as it must, on rows of its own and between two of them. */
export function* measure(
  kernel: VectorKernel,
  graph: Region,
  matrix: Matrix,
  { dim, slots, seed }: Pick<BuildShape, "dim" | "slots" | "seed">,
): Generator<number, Measured> {
  const live = liveSlots(matrix, 0, slots)
  if (live.length === 0) return { breadth: breadths[0], recall: 1, graph_ms: 0, exact_ms: 0 }
  const queries = sampleQueries(matrix, live, dim, seed)
  const allow = new Uint8Array(Math.ceil(slots / 64) * 8)
  for (const slot of live) allow[slot >> 3]! |= 1 << (slot & 7)
  const begun = performance.now()
  const floors: number[] = []
  for (const query of queries) {
    const { scores } = kernel.scanI8(query, matrix, slots, allow, recall_of)
    floors.push(...scores.slice(-1))
    yield 0.95
  }
  const exact_ms = (performance.now() - begun) / queries.length
  const wanted = queries.length * Math.min(recall_of, live.length)
  let best: Measured = { breadth: undefined, recall: 0, graph_ms: 0, exact_ms }
  for (const breadth of breadths) {
    const started = performance.now()
    let hits = 0
    for (const [i, query] of queries.entries()) {
      const { scores } = kernel.graphSearch(graph, matrix, query, recall_of, breadth, undefined)
      // By score: of two that are equally near either will do.
      hits += scores.filter((score) => score >= floors[i]!).length
      if (i % 8 === 7) yield 0.97
    }
    const recall = hits / wanted
    best = { breadth: undefined, recall, graph_ms: (performance.now() - started) / queries.length, exact_ms }
    if (recall >= recall_min) return { ...best, breadth }
  }
  return best
}

/** Between two rows is where a text lies that has something of both. */
function sampleQueries(matrix: Matrix, live: Uint32Array, dim: number, seed: number): Float32Array[] {
  let state = seed >>> 0
  const pick = () => {
    // Numerical Recipes' generator: the sample need be no better than mixed, and the same each time.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return live[Math.floor((state / 2 ** 32) * live.length)]!
  }
  return Array.from({ length: queries_count }, (_, i) => {
    const [one, other] = [pick(), pick()]
    const query = floatsOf(matrix, one, dim)
    if (i % 2 === 1) for (const [d, value] of floatsOf(matrix, other, dim).entries()) query[d]! += value
    return query
  })
}

function floatsOf({ rows, scales }: Bytes, slot: number, dim: number): Float32Array {
  const bytes = new Int8Array(rows.bytes.buffer, rows.bytes.byteOffset + slot * strideOf(dim), dim)
  const scale = new Float32Array(scales.bytes.buffer, scales.bytes.byteOffset + slot * 4, 1)[0]!
  return Float32Array.from(bytes, (byte) => byte * scale)
}
