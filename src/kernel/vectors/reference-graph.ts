/** Where the parts of a graph are, and what needs no vectors: native/graph.h in TypeScript. */
import { breadth_max } from "./checks.ts"
import { type GraphHeader, graph_fields, graph_header_bytes, readGraphHeader } from "./graph-layout.ts"
import { dim_max, type GraphShape, type Region } from "./kernel.ts"

const magic = 0x31475657
const version = 1
export const level_none = 0xff
export const level_bits = 0x0f
/** In the ring of another node, and without links. */
export const twin = 0x40
const capacity_max = 0x7fffffff

/** Views of one region; stale once it is resized. `at` is the index of a header's field in `head`. */
export type Graph = {
  head: Uint32Array
  keys: Uint32Array
  levels: Uint8Array
  base: Uint32Array
  upper_at: Uint32Array
  upper: Uint32Array
  base_words: number
  upper_words: number
  links_max: number
}

export const at = Object.fromEntries(graph_fields.map((name, index) => [name, index])) as GraphHeader

const wholeLines = (bytes: number): number => Math.ceil(bytes / 64) * 64

function layOut(capacity: number, degree: number) {
  const upper_capacity = Math.min(Math.floor((5 * capacity) / (4 * (degree - 1))) + 64, 2 ** 32 - 1)
  const keys = wholeLines(graph_header_bytes)
  const levels = wholeLines(keys + capacity * 4)
  const base = wholeLines(levels + capacity)
  const upper_at = wholeLines(base + capacity * (2 * degree + 3) * 4)
  const upper = wholeLines(upper_at + capacity * 4)
  const bytes = wholeLines(upper + upper_capacity * (degree + 1) * 4)
  return { upper_capacity, offsets: [keys, levels, base, upper_at, upper, bytes] as const }
}

export const graphBytes = (capacity: number, degree: number): number => layOut(capacity, degree).offsets[5]

export function graphInit({ bytes }: Region, shape: GraphShape): void {
  const { capacity, dim, degree, breadth, seed } = shape
  const { upper_capacity, offsets } = layOut(capacity, degree)
  bytes.fill(0, 0, graph_header_bytes)
  const head = new Uint32Array(bytes.buffer, bytes.byteOffset, graph_fields.length)
  head.set([magic, version, capacity, dim, degree, breadth, 0, 0, 0, 0, seed, 0, upper_capacity])
  new BigUint64Array(bytes.buffer, bytes.byteOffset + 56, 6).set(offsets.map(BigInt))
}

export function graphOf({ bytes }: Region): Graph {
  const words = (from: number, count: number) => new Uint32Array(bytes.buffer, bytes.byteOffset + from, count)
  const head = words(0, graph_fields.length)
  const capacity = head[at.capacity]!
  const degree = head[at.degree]!
  const { upper_capacity, offsets } = layOut(capacity, degree)
  const [keys, levels, base, upper_at, upper] = offsets
  return {
    head,
    keys: words(keys, capacity),
    levels: bytes.subarray(levels, levels + capacity),
    base: words(base, capacity * (2 * degree + 3)),
    upper_at: words(upper_at, capacity),
    upper: words(upper, upper_capacity * (degree + 1)),
    base_words: 2 * degree + 3,
    upper_words: degree + 1,
    links_max: 2 * degree,
  }
}

export const baseOf = ({ base_words }: Graph, node: number): number => node * base_words
/** Indices in `base`. */
export const previousOf = (graph: Graph, node: number): number => baseOf(graph, node) + graph.links_max + 1
export const nextOf = (graph: Graph, node: number): number => baseOf(graph, node) + graph.links_max + 2
export const levelOf = ({ levels }: Graph, node: number): number => levels[node]! & level_bits
export const isLinked = ({ keys, levels }: Graph, node: number): boolean =>
  keys[node] !== 0 && (levels[node]! & twin) === 0

/** The list itself, its number first; longer than it may be, up to what follows. Undefined where the node is not on that level. */
export function linksOf(graph: Graph, node: number, level: number): Uint32Array | undefined {
  if (level === 0) {
    const from = baseOf(graph, node)
    return graph.base.subarray(from, from + graph.links_max + 1)
  }
  if (level > levelOf(graph, node)) return undefined
  const from = (graph.upper_at[node]! + level - 1) * graph.upper_words
  return graph.upper.subarray(from, from + graph.upper_words)
}

export const linksMax = (graph: Graph, level: number): number =>
  level === 0 ? graph.links_max : graph.head[at.degree]!

/** Makes nodes up to this one known. */
export function reach(graph: Graph, node: number): void {
  const { head, keys, levels, upper_at, base } = graph
  for (; head[at.count]! <= node; head[at.count]!++) {
    const added = head[at.count]!
    keys[added] = 0
    levels[added] = level_none
    upper_at[added] = 0
    base[baseOf(graph, added)] = 0
    base[previousOf(graph, added)] = base[nextOf(graph, added)] = added
  }
}

/** Gives a node its level and empty lists. */
export function raiseTo({ head, levels, upper_at }: Graph, node: number, wanted: number): void {
  const level = wanted > head[at.upper_capacity]! - head[at.upper_used]! ? 0 : wanted
  levels[node] = level
  upper_at[node] = head[at.upper_used]!
  head[at.upper_used]! += level
}

/** The highest of what is linked; with nothing linked, node 0. */
export function chooseEntry(graph: Graph): void {
  const { head } = graph
  head[at.entry] = head[at.top] = 0
  let found = false
  for (let node = 0; node < head[at.count]!; node++) {
    if (!isLinked(graph, node) || (found && levelOf(graph, node) <= head[at.top]!)) continue
    head[at.entry] = node
    head[at.top] = levelOf(graph, node)
    found = true
  }
}

/** Undefined where it is whole. */
export function graphCheck(region: Region, dim: number): string | undefined {
  if (region.bytes.length < graph_header_bytes) return "it is shorter than a header"
  const head = readGraphHeader(region)
  if (head.magic !== magic || head.version !== version) return "it is of another kind or version"
  if (head.dim !== dim || head.capacity > capacity_max || dim > dim_max) return "it is of another shape"
  if (head.degree < 2 || head.degree > 64) return "its degree is out of bounds"
  if (head.breadth < 1 || head.breadth > breadth_max) return "its breadth is out of bounds"
  const { upper_capacity, offsets } = layOut(head.capacity, head.degree)
  const { buffer, byteOffset } = region.bytes
  const found = new BigUint64Array(buffer, byteOffset + 56, 6)
  if (offsets.some((offset, index) => found[index] !== BigInt(offset))) return "its parts are elsewhere"
  if (head.upper_capacity !== upper_capacity || offsets[5] > region.bytes.length) return "it is cut"
  if (head.count > head.capacity || head.live > head.count || head.upper_used > head.upper_capacity)
    return "it has more than its room"
  return checkNodes(graphOf(region), head)
}

function checkNodes(graph: Graph, { count, live, entry, top }: GraphHeader): string | undefined {
  let found = 0
  for (let node = 0; node < count; node++) {
    if (graph.keys[node] !== 0) found++
    if (graph.base[nextOf(graph, node)]! >= count || graph.base[previousOf(graph, node)]! >= count)
      return "a ring leads out of it"
  }
  if (live !== found) return "it has another number of keys"
  if (live > 0 && !(entry < count && isLinked(graph, entry))) return "its entry is not in it"
  if (top !== (live > 0 ? levelOf(graph, entry) : 0)) return "its entry is of another level"
  for (let node = 0; node < count; node++) {
    const wrong = checkNode(graph, node)
    if (wrong) return wrong
  }
  return undefined
}

function checkNode(graph: Graph, node: number): string | undefined {
  const { base, head } = graph
  const next = base[nextOf(graph, node)]!
  const previous = base[previousOf(graph, node)]!
  if (base[previousOf(graph, next)] !== node || base[nextOf(graph, previous)] !== node)
    return "a ring is broken"
  const state = graph.levels[node]!
  if (state === level_none) {
    const is_empty = graph.keys[node] === 0 && base[baseOf(graph, node)] === 0 && next === node
    return is_empty ? undefined : "a node that never was in it is"
  }
  if ((state & ~(level_bits | twin)) !== 0) return "a level has unknown bits"
  if (graph.keys[node] === 0 && ((state & twin) !== 0 || next !== node))
    return "a ring holds what was removed"
  const level = state & level_bits
  if (graph.upper_at[node]! > head[at.upper_used]! || level > head[at.upper_used]! - graph.upper_at[node]!)
    return "lists lead out of it"
  for (let i = 0; i <= level; i++) {
    const list = linksOf(graph, node, i)!
    if (list[0]! > linksMax(graph, i)) return "a list is too long"
    for (let link = 1; link <= list[0]!; link++) {
      const target = list[link]!
      if (target >= head[at.count]! || graph.levels[target] === level_none || levelOf(graph, target) < i)
        return "a link leads to no node"
    }
  }
  return undefined
}

export function graphCopy(from_region: Region, moved: Uint32Array | undefined, to_region: Region): boolean {
  const from = graphOf(from_region)
  const to = graphOf(to_region)
  if (from.head[at.degree] !== to.head[at.degree] || from.head[at.dim] !== to.head[at.dim]) return false
  if (to.head[at.count] !== 0) return false
  const movedTo = (node: number) => (moved ? moved[node]! : node)
  const count = from.head[at.count]!
  for (let node = 0; node < count; node++) {
    const target = movedTo(node)
    if (target < to.head[at.capacity]!) reach(to, target)
    else if (from.keys[node] !== 0) return false
  }
  for (let node = 0; node < count; node++) {
    const target = movedTo(node)
    if (target >= to.head[at.count]! || from.levels[node] === level_none) continue
    if (!copyNode(from, node, to, target, movedTo)) return false
    if (from.keys[node] !== 0) to.head[at.live]!++
  }
  chooseEntry(to)
  return true
}

function copyNode(
  from: Graph,
  node: number,
  to: Graph,
  target: number,
  movedTo: (node: number) => number,
): boolean {
  const level = levelOf(from, node)
  const next = movedTo(from.base[nextOf(from, node)]!)
  if (level > to.head[at.upper_capacity]! - to.head[at.upper_used]!) return false
  raiseTo(to, target, level)
  to.levels[target] = from.levels[node]!
  to.keys[target] = from.keys[node]!
  if (next >= to.head[at.count]!) return false
  to.base[nextOf(to, target)] = next
  to.base[previousOf(to, next)] = target
  for (let i = 0; i <= level; i++) {
    const list = linksOf(from, node, i)!
    const copy = linksOf(to, target, i)!
    copy[0] = 0
    for (let link = 1; link <= list[0]!; link++) {
      const neighbour = movedTo(list[link]!)
      if (neighbour < to.head[at.count]! && copy[0]! < linksMax(to, i)) copy[++copy[0]!] = neighbour
    }
  }
  return true
}
