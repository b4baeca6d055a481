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
const held_back_max = 64
const breadths = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
const rows_at_once = 16

/** Yields how much of 1 is done, often enough that a caller can breathe between. */
export function* buildGraph(
  kernel: VectorKernel,
  graph: Region,
  matrix: Matrix,
  shape: BuildShape,
): Generator<number, Measured> {
  const { capacity, dim, degree, breadth, seed } = shape
  kernel.graphInit(graph, { capacity, dim, degree, breadth, seed })
  const live = liveSlots(matrix, shape.slots)
  // Rows that it does not have yet are questions such as will be asked.
  const every = Math.max(2, Math.floor(live.length / held_back_max))
  const held = live.filter((_, i) => i % every === every - 1)
  const others = live.filter((_, i) => i % every !== every - 1)
  for (let from = 0; from < others.length; from += rows_at_once) {
    link(kernel, graph, matrix, others.subarray(from, from + rows_at_once))
    yield (0.95 * from) / live.length
  }
  const measured = yield* measure(kernel, graph, matrix, shape, others, held)
  for (let from = 0; from < held.length; from += rows_at_once) {
    link(kernel, graph, matrix, held.subarray(from, from + rows_at_once))
    yield 0.99
  }
  return measured
}

function link(kernel: VectorKernel, graph: Region, matrix: Matrix, slots: Uint32Array): void {
  const words = wordsOf(matrix.records)
  // A row may be removed by now: its key would be 0.
  const nodes = slots.filter((slot) => words[slot * record_words] !== 0)
  const keys = nodes.map((slot) => words[slot * record_words]!)
  if (nodes.length > 0) kernel.graphInsert(graph, matrix, nodes, keys)
}

const wordsOf = ({ bytes }: Region): Uint32Array =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)

function liveSlots({ records }: Matrix, slots: number): Uint32Array {
  const words = wordsOf(records)
  const found = new Uint32Array(slots)
  let count = 0
  for (let slot = 0; slot < slots; slot++) if (words[slot * record_words] !== 0) found[count++] = slot
  return found.slice(0, count)
}

/** The least breadth that finds the ten nearest by int8 of rows that it does not have as often as it must. */
function* measure(
  kernel: VectorKernel,
  graph: Region,
  matrix: Matrix,
  { dim, slots }: BuildShape,
  linked: Uint32Array,
  held: Uint32Array,
): Generator<number, Measured> {
  const queries = Array.from(held, (slot) => floatsOf(matrix, slot, dim))
  const allow = new Uint8Array(Math.ceil(slots / 64) * 8)
  for (const slot of linked) allow[slot >> 3]! |= 1 << (slot & 7)
  const begun = performance.now()
  const floors: number[] = []
  for (const query of queries) {
    const { scores } = kernel.scanI8(query, matrix, slots, allow, recall_of)
    floors.push(scores.at(-1) ?? Number.POSITIVE_INFINITY)
    yield 0.95
  }
  const exact_ms = (performance.now() - begun) / queries.length
  const wanted = queries.length * Math.min(recall_of, linked.length)
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

function floatsOf({ rows, scales }: Bytes, slot: number, dim: number): Float32Array {
  const bytes = new Int8Array(rows.bytes.buffer, rows.bytes.byteOffset + slot * strideOf(dim), dim)
  const scale = new Float32Array(scales.bytes.buffer, scales.bytes.byteOffset + slot * 4, 1)[0]!
  return Float32Array.from(bytes, (byte) => byte * scale)
}
