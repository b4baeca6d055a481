/** Searches one set: by the files as far as they are right, by SQLite beyond that. */

import { assert } from "../../base/errors.ts"
import { type Found, type Region, wordsOf } from "../../kernel/vectors/kernel.ts"
import type { Store } from "../../store/open.ts"
import { fromPlace, placesOf, rowsFrom, toPlace, vectorsAt } from "../../store/vectors.ts"
import { type Allowed, allowedIn, toTest } from "./allowed.ts"
import { breathe, type Pace } from "./background.ts"
import type { Collection } from "./collection.ts"
import { matrixOf, nodesOf, searchGraph, unlinkedAmong, unlinkedOf } from "./graph.ts"
import { floats_index, isFiniteVector } from "./image.ts"
import { exact_word, type Part, record_words, wordsOfRecords } from "./part.ts"
import type { VectorHits, VectorQuery } from "./set.ts"

export type Searching = {
  db: Store["db"]
  /** For vectors that are read from SQLite; of any content. */
  work: Region
  /** Answers a bitmap that was made for the same filter, if no row has changed since. */
  remember(key: string, make: () => Allowed): Allowed
  pace: Pace
  signal: AbortSignal
}

type Hit = VectorHits["hits"][number]
type Partial = { hits: Hit[]; looked_at: number; index: string }

export const hits_max = 1000
/** Of bytes enough for all ten of the ten nearest, of 100,000 rows of each kind of data that was tried. */
const reranked_min = 20
/** Bits find 95 of 100 with as many, on the hardest data that was tried. */
const cold_reranked_min = 400
/** With fewer rows than that allowed, a graph walks past most of what it finds. */
const graph_share_min = 0.3

export async function searchCollection(
  collection: Collection,
  { vector, filter, k }: VectorQuery,
  context: Searching,
): Promise<VectorHits> {
  assert(vector.length === collection.shape.dim, "a query has the length of the set's vectors")
  assert(isFiniteVector(vector), "a query has neither NaN nor infinities")
  assert(Number.isInteger(k) && k >= 1 && k <= hits_max, "1 to 1000 hits are asked for")
  const { main, cold } = collection
  const rows = [main, cold].reduce((sum, { counts }) => sum + counts.hot + counts.warm + counts.cold, 0)
  if (filter.owner_ids.length === 0) return { hits: [], looked_at: 0, rows, index: "exact" }
  const query = { vector, filter, k }
  const label = `${collection.work} ${Math.floor(collection.progress * 100)} %`
  // All of the files in one go, so that nothing changes between; whatever waits comes later.
  const edges = [main, cold].map(({ trusted }) => trusted)
  const found = [searchMain(collection, query, context), searchCold(collection, query, context)]
  collection.waiting++
  const late = await searchRest(collection, query, edges, context).finally(() => collection.waiting--)
  const all = late ? [...found, late] : found
  const hits = best(
    all.flatMap((part) => part.hits),
    k,
  )
  return {
    hits: late ? stillThere(collection, hits, context.db) : hits,
    looked_at: all.reduce((sum, part) => sum + part.looked_at, 0),
    rows,
    index: late ? `exact (${label})` : found[0]!.index,
  }
}

type Query = Omit<VectorQuery, "set_id">

const nothing: Partial = { hits: [], looked_at: 0, index: "exact" }

function allowed(
  collection: Collection,
  part: Part,
  slots: number,
  room: number,
  { filter }: Query,
  context: Searching,
): Allowed {
  const make = () => allowedIn(collection, context.db, part, slots, room, filter)
  // The ids that SQL found are as many as there are, and others each time.
  if (filter.memory_ids) return make()
  const { id, version } = collection
  return context.remember(`${id} ${part.cold} ${version} ${slots} ${room} ${JSON.stringify(filter)}`, make)
}

function searchMain(collection: Collection, query: Query, context: Searching): Partial {
  const { graph, main, shape } = collection
  const slots = Math.min(main.slots, main.trusted)
  if (slots === 0) return nothing
  const room = graph.linked.length * 8
  const allow = allowed(collection, main, slots, room, query, context)
  if (allow.count === 0) return nothing
  const wanted = Math.max(reranked_min, 2 * query.k)
  const live = main.counts.hot + main.counts.warm
  const may_walk = graph.is_usable && slots === main.slots && allow.count >= graph_share_min * live
  const walked = may_walk && walk(collection, query, allow, wanted)
  if (walked) return { ...walked, hits: rerank(collection, walked.found, query, context) }
  const found = shape.kernel.scanI8(query.vector, matrixOf(main, shape.dim), slots, allow.bits, wanted)
  return { hits: rerank(collection, found, query, context), looked_at: allow.count, index: "exact" }
}

/** What is in the graph by the graph, the rest exactly. Undefined where it finds too little. */
function walk({ graph, main, shape }: Collection, { vector }: Query, allow: Allowed, wanted: number) {
  const { kernel, dim } = shape
  const unlinked = unlinkedOf(graph, main)
  // The graph has no rows that are gone, so that all of them is no condition.
  const is_all = allow.count === main.counts.hot + main.counts.warm
  const bits = is_all ? undefined : allow.bits
  const expected = allow.count - unlinked
  const found = searchGraph(kernel, graph, main, vector, wanted, bits, expected)
  if (!found) return undefined
  const looked_at = Math.min(graph.breadth, nodesOf(graph))
  if (unlinked === 0) return { found, looked_at, index: "hnsw" }
  const rest = unlinkedAmong(graph, allow.bits)
  const more = kernel.scanI8(vector, matrixOf(main, dim), main.slots, rest, wanted)
  const ids = Uint32Array.from([...found.ids, ...more.ids])
  return {
    found: { ids, scores: found.scores },
    looked_at: looked_at + unlinked,
    index: `hnsw + ${unlinked} exact`,
  }
}

function searchCold(collection: Collection, query: Query, context: Searching): Partial {
  const { cold, shape } = collection
  const { kernel, dim, mean, seed } = shape
  const slots = Math.min(cold.slots, cold.trusted)
  if (slots === 0) return nothing
  const allow = allowed(collection, cold, slots, 0, query, context)
  if (allow.count === 0) return nothing
  const bits = kernel.binarise(query.vector, dim, mean, seed)
  const wanted = Math.max(cold_reranked_min, 20 * query.k)
  const found = kernel.scanBits(bits, cold.files[1]!.region, slots, wordsOf(dim), allow.bits, wanted)
  const hits = rankStored(collection, cold, [...found.ids], query, context)
  return { hits, looked_at: allow.count, index: "exact" }
}

/** By the floats themselves: a hot row's from the file, others' from SQLite. */
function rerank(collection: Collection, { ids }: Found, query: Query, context: Searching): Hit[] {
  const { main, shape } = collection
  const words = wordsOfRecords(main)
  const isHot = (slot: number) => words[slot * record_words + exact_word] !== 0
  const hot = ids.filter(isHot)
  const rest = hot.length === ids.length ? [] : [...ids.filter((slot) => !isHot(slot))]
  const others = rankStored(collection, main, rest, query, context)
  if (hot.length === 0) return others
  const found = shape.kernel.rerank(query.vector, main.files[floats_index]!.region, hot, hot.length)
  return [...toHits(found, (slot) => words[slot * record_words]!), ...others]
}

const toHits = ({ ids, scores }: Found, idOf: (row: number) => number): Hit[] =>
  Array.from(ids, (row, i) => ({ memory_id: idOf(row), score: scores[i]! }))

/** By the floats in SQLite. */
function rankStored(
  { id, shape }: Collection,
  part: Part,
  slots: number[],
  { vector, k }: Query,
  { db, work }: Searching,
): Hit[] {
  if (slots.length === 0) return []
  const width = shape.dim * 4
  if (work.bytes.length < slots.length * width) work.resize(slots.length * width)
  const rows = vectorsAt(
    db,
    slots.map((slot) => toPlace(id, part.cold, slot)),
  )
  if (rows.length === 0) return []
  const { bytes } = work
  for (const [i, row] of rows.entries()) bytes.set(row.vector, i * width)
  const from = Uint32Array.from(rows.keys())
  const found = shape.kernel.rerank(vector, work, from, Math.max(k, reranked_min))
  return toHits(found, (row) => rows[row]!.memory_id)
}

/**
 * What is beyond the edges to which the files were right when it began. Rows are added there or removed meanwhile, but
 * none is moved to before an edge: what moves rows waits until the files are right.
 */
async function searchRest(
  collection: Collection,
  query: Query,
  edges: readonly number[],
  context: Searching,
): Promise<Partial | undefined> {
  if (edges.every((edge) => edge === Number.POSITIVE_INFINITY)) return undefined
  const { kernel, dim } = collection.shape
  const { db, work, signal } = context
  const { rows_at_once, slice_ms } = context.pace
  const test = toTest(query.filter)
  const rest: Partial = { hits: [], looked_at: 0, index: "exact" }
  const bytes = rows_at_once * dim * 4
  const enough = withReserve(query.k)
  for (const [i, edge] of edges.entries()) {
    let begun = performance.now()
    for (let slot = edge; slot !== Number.POSITIVE_INFINITY; ) {
      const rows = rowsFrom(db, collection.id, i === 1, slot, rows_at_once)
      const last = rows.at(-1)
      slot = last && rows.length === rows_at_once ? fromPlace(last.place).slot + 1 : Number.POSITIVE_INFINITY
      const those = rows.filter(test)
      if (work.bytes.length < bytes) work.resize(bytes)
      for (const [at, { vector }] of those.entries()) work.bytes.set(vector, at * dim * 4)
      rest.looked_at += those.length
      if (those.length > 0) {
        const found = kernel.scanF32(query.vector, work, those.length, undefined, enough)
        rest.hits = best([...rest.hits, ...toHits(found, (row) => those[row]!.memory_id)], enough)
      }
      if (performance.now() - begun < slice_ms) continue
      await breathe(signal)
      begun = performance.now()
    }
  }
  return rest
}

/** As many may be removed while it waits. */
const withReserve = (k: number): number => 2 * k + reranked_min

/** What was removed while it waited is not found. */
function stillThere({ id }: Collection, hits: Hit[], db: Store["db"]): Hit[] {
  const ids = hits.map(({ memory_id }) => memory_id)
  const there = new Set(placesOf(db, id, ids).map(({ memory_id }) => memory_id))
  return hits.filter(({ memory_id }) => there.has(memory_id))
}

const best = (hits: Hit[], k: number): Hit[] =>
  hits.toSorted((a, b) => b.score - a.score || a.memory_id - b.memory_id).slice(0, k)
