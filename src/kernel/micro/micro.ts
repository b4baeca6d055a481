/**
 * Search by vectors in a browser, in Node 20 or later, in Bun and in plugins: the gateway's own kernel as 8 KB of
 * WebAssembly, in one file without dependencies.
 *
 *     import { openIndex } from "weft/kernel"
 *     const index = await openIndex({ dim: 384, capacity: 100_000 })
 *     const id = index.add(vector)
 *     index.link()
 *     index.search(query, 10)
 */
import {
  batch,
  bitmapBytes,
  type Layout,
  layOut,
  type Micro,
  openModule,
  results_max,
  type Shape,
} from "./module.ts"
import { parseSaved, type Saved, toSaved } from "./saved.ts"

/** How long the module is. */
export { micro_bytes } from "./micro.gen.ts"

export type IndexOptions = {
  /** Numbers in a vector: 1 to 4096. */
  dim: number
  /** Vectors that there is room for. Each takes dim + 4 bytes, and about 150 with the graph's links. */
  capacity: number
  /** Links of a node of the graph, 2 to 64; 16 where it is not said. */
  degree?: number
  /** How many candidates are looked at for a new node, 1 to 4096; 200 where it is not said. */
  breadth?: number
}

export type SearchOptions = {
  /** Looks at every vector. What is not linked yet is looked at in any case. */
  exact?: boolean
  /** How many candidates of the graph are kept, k to 4096: more finds more and takes longer. 64, or k where that is more. */
  breadth?: number
}

export type Hit = {
  id: number
  /** The dot product, of numbers rounded to one part in 127 of a vector's largest. For vectors of length 1 their cosine. */
  score: number
}

export type Index = {
  readonly dim: number
  readonly capacity: number
  /** How many ids were given out: 0, 1, 2 ... */
  readonly count: number
  /** Vectors that the graph does not have; searching looks at each of them. */
  readonly unlinked: number
  /** Takes a vector and returns its id. Throws a RangeError for a wrong length, what is no finite number, and when full. */
  add(vector: ArrayLike<number>): number
  /** It is never found again. Its room is not used again. False where there is no such id, or no longer. */
  remove(id: number): boolean
  /** Puts up to `most` vectors (all) into the graph, which makes searching many faster. Returns how many are left. */
  link(most?: number): number
  /** The best k (1 to 4096), best first; the lower id of two equals. */
  search(query: ArrayLike<number>, k: number, options?: SearchOptions): Hit[]
  /** All of it, for `loadIndex`. */
  save(): Uint8Array<ArrayBuffer>
}

/** Throws a RangeError for what is out of bounds. */
export async function openIndex({ dim, capacity, degree = 16, breadth = 200 }: IndexOptions): Promise<Index> {
  const shape = { dim, capacity, degree, breadth }
  checkShape(shape)
  return indexOf(await openModule(), shape)
}

/** An index from what `save` gave. Throws a RangeError where the bytes are anything else, whoever wrote them. */
export async function loadIndex(bytes: Uint8Array): Promise<Index> {
  const saved = parseSaved(bytes)
  checkShape(saved.shape)
  return indexOf(await openModule(), saved.shape, saved)
}

function checkShape({ dim, capacity, degree, breadth }: Shape): void {
  checkInteger("dim", dim, 1, 4096)
  checkInteger("capacity", capacity, 1, 2 ** 26)
  checkInteger("degree", degree, 2, 64)
  checkInteger("breadth", breadth, 1, 4096)
}

function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}.`)
}

function indexOf(micro: Micro, shape: Shape, saved?: Saved): Index {
  const { dim, capacity, degree, breadth } = shape
  const at = layOut(micro, shape)
  const { buffer } = micro.memory
  const allow = new Uint8Array(buffer, at.allow, bitmapBytes(capacity))
  const state = { count: 0, linked: 0, removed: 0 }
  if (saved) Object.assign(state, restore(micro, at, saved))
  else micro.kernel_graph_init(at.graph, capacity, dim, degree, breadth, 1)
  const isThere = (id: number) => ((allow[id >> 3]! >> (id & 7)) & 1) === 1

  return {
    dim,
    capacity,
    get count() {
      return state.count
    },
    get unlinked() {
      return state.count - state.linked
    },
    add(vector) {
      if (state.count === capacity) throw new RangeError(`The index is full: it has room for ${capacity}.`)
      put(buffer, at.vector, vector, dim)
      const id = state.count++
      micro.kernel_quantise(at.vector, 1, dim, at.rows + id * at.stride, at.scales + id * 4)
      allow[id >> 3]! |= 1 << (id & 7)
      return id
    },
    remove(id) {
      if (!Number.isInteger(id) || id < 0 || id >= state.count || !isThere(id)) return false
      allow[id >> 3]! &= ~(1 << (id & 7))
      state.removed++
      return true
    },
    link(most = capacity) {
      const end = Math.min(state.count, state.linked + most)
      while (state.linked < end) {
        const next = Math.min(end, state.linked + batch)
        linkRows(micro, at, ids(state.linked, next).filter(isThere))
        state.linked = next
      }
      return state.count - state.linked
    },
    search(query, k, { exact = false, breadth: wide = Math.max(64, k) } = {}) {
      checkInteger("k", k, 1, results_max)
      checkInteger("breadth", wide, k, results_max)
      put(buffer, at.vector, query, dim)
      micro.kernel_quantise(at.vector, 1, dim, at.query, at.query_scale)
      const linked = exact ? 0 : state.linked
      const allowed = state.removed > 0 ? at.allow : everything
      const near = linked > 0 ? searchGraph(micro, at, allowed, k, wide) : []
      const rest = linked < state.count ? scan(micro, at, allowed, dim, linked, state.count, k) : []
      return best([...near, ...rest], k)
    },
    save() {
      const { count, linked } = state
      const part = (from: number, bytes: number) => new Uint8Array(buffer, from, bytes)
      return toSaved({
        shape,
        count,
        linked,
        rows: part(at.rows, count * at.stride),
        scales: part(at.scales, count * 4),
        allow: part(at.allow, bitmapBytes(count)),
        graph: part(at.graph, linked > 0 ? at.graph_bytes : 0),
      })
    },
  }
}

/** Instead of a bitmap: there is nothing to look up. */
const everything = 0

const ids = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, i) => from + i)

/** Copies a vector in, or throws. */
function put(buffer: ArrayBuffer, to: number, vector: ArrayLike<number>, dim: number): void {
  if (vector.length !== dim)
    throw new RangeError(`A vector has ${dim} numbers, this one has ${vector.length}.`)
  for (let i = 0; i < dim; i++)
    // With larger ones a sum of products could be infinite.
    if (!(Math.abs(vector[i]!) <= 1e17))
      throw new RangeError(`A vector's numbers are from -1e17 to 1e17; number ${i} is ${vector[i]}.`)
  new Float32Array(buffer, to, dim).set(vector)
}

function linkRows(micro: Micro, at: Layout, rows: number[]): void {
  const { buffer } = micro.memory
  new Uint32Array(buffer, at.nodes, rows.length).set(rows)
  // Key 0 stands for "not in the graph".
  new Uint32Array(buffer, at.keys, rows.length).set(rows.map((row) => row + 1))
  micro.kernel_graph_insert(at.graph, at.rows, at.scales, at.nodes, at.keys, rows.length, at.scratch)
}

function searchGraph(micro: Micro, at: Layout, allow: number, k: number, breadth: number): Hit[] {
  const scale = new Float32Array(micro.memory.buffer, at.query_scale, 1)[0]!
  const count = micro.kernel_graph_search(
    at.graph,
    at.rows,
    at.scales,
    at.query,
    scale,
    k,
    breadth,
    allow,
    at.ids,
    at.scores,
    at.scratch,
  )
  return hits(micro, at, count, 0)
}

/** From a row on whose number is a multiple of 64, since the bitmap is read by words: a few linked ones are read twice. */
function scan(
  micro: Micro,
  at: Layout,
  allow: number,
  dim: number,
  from: number,
  end: number,
  k: number,
): Hit[] {
  const first = from - (from % 64)
  const count = micro.kernel_scan_i8(
    at.query,
    at.query_scale,
    1,
    at.rows + first * at.stride,
    at.scales + first * 4,
    end - first,
    dim,
    allow === everything ? everything : allow + first / 8,
    k,
    at.ids,
    at.scores,
  )
  return hits(micro, at, count, first)
}

function hits(micro: Micro, at: Layout, count: number, first: number): Hit[] {
  const found = new Uint32Array(micro.memory.buffer, at.ids, count)
  const scores = new Float32Array(micro.memory.buffer, at.scores, count)
  return Array.from(found, (id, index) => ({ id: id + first, score: scores[index]! }))
}

/** Of two lists that may share a few. */
function best(found: Hit[], k: number): Hit[] {
  const sorted = found.toSorted((a, b) => b.score - a.score || a.id - b.id)
  return sorted.filter(({ id }, index) => id !== sorted[index - 1]?.id).slice(0, k)
}

function restore(micro: Micro, at: Layout, { count, linked, rows, scales, allow, graph, shape }: Saved) {
  const bytes = new Uint8Array(micro.memory.buffer)
  bytes.set(rows, at.rows)
  bytes.set(scales, at.scales)
  bytes.set(allow, at.allow)
  const state = { count, linked, removed: count - onesOf(allow) }
  if (linked === 0) {
    micro.kernel_graph_init(at.graph, shape.capacity, shape.dim, shape.degree, shape.breadth, 1)
    return state
  }
  bytes.set(graph, at.graph)
  const header = new Uint32Array(micro.memory.buffer, at.graph, 7)
  const fits =
    header[2] === shape.capacity &&
    header[6]! <= count &&
    header[4] === shape.degree &&
    graph.length === at.graph_bytes
  if (!fits || micro.kernel_graph_check(at.graph, BigInt(at.graph_bytes), shape.dim) !== 0)
    throw new RangeError("That is no saved index: its graph is damaged.")
  return state
}

function onesOf(bitmap: Uint8Array): number {
  let count = 0
  for (const byte of bitmap) for (let bits = byte; bits > 0; bits &= bits - 1) count++
  return count
}
