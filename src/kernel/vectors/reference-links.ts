/** How nodes come into a graph and leave it: native/rings.h and native/graph-links.h in TypeScript. */
import type { Bytes } from "./kernel.ts"
import {
  at,
  chooseEntry,
  type Graph,
  isLinked,
  level_bits,
  level_none,
  levelOf,
  linksMax,
  linksOf,
  nextOf,
  previousOf,
  raiseTo,
  reach,
  twin,
} from "./reference-graph.ts"
import {
  descend,
  insertNear,
  type Near,
  type Query,
  queryOf,
  type Rows,
  rowsOf,
  scoreOf,
  walk,
} from "./reference-walk.ts"

const level_max = 15
const near_max = 4 * 64 + 1

export function graphInsert(graph: Graph, matrix: Bytes, nodes: Uint32Array, keys: Uint32Array): number {
  const rows = rowsOf(matrix)
  const { head, levels } = graph
  for (const [index, node] of nodes.entries()) {
    if (node >= head[at.capacity]!) return index
    reach(graph, node)
    const is_there = graph.keys[node] !== 0
    graph.keys[node] = keys[index]!
    if (is_there) continue
    if (levels[node] === level_none) raiseTo(graph, node, levelFor(head, node))
    for (let level = 0; level <= levelOf(graph, node); level++) linksOf(graph, node, level)![0] = 0
    if (head[at.live]!++ > 0) linkNode(graph, rows, node)
    if (head[at.live]! > 1 && (!isLinked(graph, node) || levelOf(graph, node) <= head[at.top]!)) continue
    head[at.entry] = node
    head[at.top] = levelOf(graph, node)
  }
  return nodes.length
}

export function graphRemove(graph: Graph, matrix: Bytes, nodes: Uint32Array): number {
  const rows = rowsOf(matrix)
  let removed = 0
  for (const node of nodes) if (removeNode(graph, rows, node)) removed++
  return removed
}

/** A hash of the seed and the node, so that a graph follows from its rows and their order alone. */
function levelFor(head: Uint32Array, node: number): number {
  const degree = head[at.degree]!
  const hash = mix32(head[at.seed]! ^ mix32(node + 1))
  let limit = Math.floor(2 ** 32 / degree)
  let level = 0
  for (; level < level_max && hash < limit; level++) limit = Math.floor(limit / degree)
  return level
}

/** "lowbias32" of Wellons. */
function mix32(start: number): number {
  let x = Math.imul(start ^ (start >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * Of candidates, best first, those that are nearer to the node than to any that was chosen before (Malkov and Yashunin
 * 2016, algorithm 4). As near counts as nearer to the other: of equals one is enough.
 */
function choose(rows: Rows, near: Near, max: number): number[] {
  const chosen: number[] = []
  for (const { node, score } of near) {
    if (chosen.length === max) break
    const candidate = queryOf(rows, node)
    if (chosen.every((other) => scoreOf(candidate, rows, other) < score)) chosen.push(node)
  }
  return chosen
}

function setLinks(list: Uint32Array, links: number[]): void {
  list[0] = links.length
  list.set(links, 1)
}

/** A link from `node` back to one that was linked to it; of too many, the best choice stays. */
function linkBack(graph: Graph, rows: Rows, node: number, added: number, level: number): void {
  const list = linksOf(graph, node, level)
  const max = linksMax(graph, level)
  if (!list || hasLink(list, added)) return
  if (list[0]! < max) {
    list[++list[0]!] = added
    return
  }
  const base = queryOf(rows, node)
  const near: Near = []
  for (const other of list.slice(1, list[0]! + 1))
    if (isLinked(graph, other)) insertNear(near, near_max, scoreOf(base, rows, other), other)
  insertNear(near, near_max, scoreOf(base, rows, added), added)
  setLinks(list, choose(rows, near, max))
}

const hasLink = (list: Uint32Array, node: number): boolean => list.subarray(1, list[0]! + 1).includes(node)

/** A linked node with the same bytes and scale, among those that were found near it. */
function findTwin(
  { bytes, scales, stride }: Rows,
  near: Near,
  node: number,
  own: number,
): number | undefined {
  const rowAt = (row: number) => bytes.subarray(row * stride, (row + 1) * stride)
  const same = near.find(
    ({ node: other, score }) =>
      score === own &&
      scales[other] === scales[node] &&
      rowAt(node).every((byte, i) => byte === bytes[other * stride + i]),
  )
  return same?.node
}

/** All is chosen before anything is linked, as a twin is found only on the lowest level. */
function linkNode(graph: Graph, rows: Rows, node: number): void {
  const { head } = graph
  const top = Math.min(levelOf(graph, node), head[at.top]!)
  const self: Query = queryOf(rows, node)
  let start = descend(graph, rows, self, top)
  const chosen: number[][] = []
  for (let level = top; level >= 0; level--) {
    const pool = walk(graph, rows, self, start, level, head[at.breadth]!, new Set([node]))
    start = pool[0]!.node
    const linked = pool.filter((found) => isLinked(graph, found.node))
    const same = level === 0 ? findTwin(rows, linked, node, scoreOf(self, rows, node)) : undefined
    if (same !== undefined) {
      joinRing(graph, node, same)
      return
    }
    chosen[level] = choose(rows, linked, head[at.degree]!)
  }
  for (const [level, links] of chosen.entries()) {
    setLinks(linksOf(graph, node, level)!, links)
    for (const link of links) linkBack(graph, rows, link, node, level)
  }
}

function joinRing(graph: Graph, node: number, same: number): void {
  const { base } = graph
  const next = base[nextOf(graph, same)]!
  graph.levels[node]! |= twin
  base[nextOf(graph, node)] = next
  base[previousOf(graph, node)] = same
  base[previousOf(graph, next)] = base[nextOf(graph, same)] = node
}

function leaveRing(graph: Graph, node: number): void {
  const { base } = graph
  const next = base[nextOf(graph, node)]!
  const previous = base[previousOf(graph, node)]!
  base[nextOf(graph, previous)] = next
  base[previousOf(graph, next)] = previous
  base[nextOf(graph, node)] = base[previousOf(graph, node)] = node
}

function removeNode(graph: Graph, rows: Rows, node: number): boolean {
  const { head, keys, levels, base } = graph
  if (node >= head[at.count]! || keys[node] === 0) return false
  const was_linked = isLinked(graph, node)
  const same = base[nextOf(graph, node)]!
  leaveRing(graph, node)
  keys[node] = 0
  levels[node]! &= level_bits
  head[at.live]!--
  if (!was_linked) return true
  if (same !== node) levels[same]! &= level_bits
  for (let level = 0; level <= levelOf(graph, node); level++) {
    if (same !== node && level <= levelOf(graph, same)) handOver(graph, node, same, level)
    else repair(graph, rows, node, level)
  }
  if (head[at.entry] === node) chooseEntry(graph)
  return true
}

/** A twin takes the removed node's place on one level. */
function handOver(graph: Graph, removed: number, same: number, level: number): void {
  const left = linksOf(graph, removed, level)!
  const own = linksOf(graph, same, level)!
  own[0] = 0
  for (let i = 1; i <= left[0]!; i++) {
    const node = left[i]!
    const list = linksOf(graph, node, level)
    if (!list || node === same) continue
    own[++own[0]!] = node
    const is_known = hasLink(list, same)
    const place = list.subarray(0, list[0]! + 1).indexOf(removed, 1)
    if (place === -1) continue
    list[place] = is_known ? list[list[0]!--]! : same
  }
}

/** Whoever had a link to the removed node and to whom it had one chooses again, with the links of it beside his own. */
function repair(graph: Graph, rows: Rows, removed: number, level: number): void {
  const left = linksOf(graph, removed, level)!
  for (let i = 1; i <= left[0]!; i++) {
    const node = left[i]!
    const list = linksOf(graph, node, level)
    if (!list || !hasLink(list, removed)) continue
    const base = queryOf(rows, node)
    const near: Near = []
    const seen = new Set([node])
    for (const other of [...list.subarray(1, list[0]! + 1), ...left.subarray(1, left[0]! + 1)]) {
      if (!isLinked(graph, other) || seen.has(other)) continue
      seen.add(other)
      insertNear(near, near_max, scoreOf(base, rows, other), other)
    }
    const chosen = choose(rows, near, linksMax(graph, level))
    const others = near.map(({ node }) => node).filter((node) => !chosen.includes(node))
    setLinks(list, [...chosen, ...others].slice(0, linksMax(graph, level)))
  }
}
