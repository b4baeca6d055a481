/** What doctor asks: whether the files agree with SQLite, and whether a search finds what it should. */
import { listOwners, type Owner } from "../../store/memory.ts"
import type { Store } from "../../store/open.ts"
import { fromPlace, getSet, rowsFrom } from "../../store/vectors.ts"
import { breathe } from "./background.ts"
import type { Collection } from "./collection.ts"
import { toFloats } from "./image.ts"
import { compare } from "./rebuild.ts"
import { type Searching, searchCollection } from "./search.ts"
import type { SetCheck } from "./set.ts"

export type Checking = { store: Store; settle(): boolean; searching: Searching }

const found_max = 10
const rows_at_once = 256

export async function checkCollection(
  collection: Collection,
  { store, settle, searching }: Checking,
  sample: number,
): Promise<SetCheck> {
  const { id, embedder, main, cold } = collection
  const { agrees } = await compare(collection, { store, settle, pace: searching.pace }, searching.signal)
  // Both counts in one breath: rows may be added all the while.
  while (settle()) await breathe(searching.signal)
  const rows = getSet(store.db, id)?.rows ?? 0
  const rows_in_files = main.counts.hot + main.counts.warm + cold.counts.cold
  const queries = sampleOf(collection, store, rows, sample)
  const best = await findExactly(collection, store, queries, searching)
  const owner_ids = listOwners(store.db).map((owner: Owner & { id: number }) => owner.id)
  let [found, wanted] = [0, 0]
  for (const [i, vector] of queries.entries()) {
    while (settle()) await breathe(searching.signal)
    const query = { set_id: id, vector, filter: { owner_ids }, k: found_max }
    const { hits } = await searchCollection(collection, query, searching)
    const floor = best[i]!.at(-1) ?? Number.POSITIVE_INFINITY
    found += Math.min(best[i]!.length, hits.filter(({ score }) => score >= floor).length)
    wanted += best[i]!.length
    await breathe(searching.signal)
  }
  return {
    set_id: id,
    embedder,
    rows,
    rows_in_files,
    digest_agrees: agrees,
    recall: wanted === 0 ? 1 : found / wanted,
    sampled: queries.length,
  }
}

/** Vectors of rows at equal distances, of those that are not cold as long as there are such. */
function sampleOf(
  { id, main, cold }: Collection,
  { db }: Store,
  rows: number,
  sample: number,
): Float32Array[] {
  const count = Math.min(sample, rows)
  const is_cold = main.counts.hot + main.counts.warm === 0
  const { slots } = is_cold ? cold : main
  return Array.from({ length: count }, (_, i) =>
    rowsFrom(db, id, is_cold, Math.floor((i * slots) / count), 1),
  ).flatMap((found) => found.map(({ vector }) => toFloats(vector)))
}

/** The scores of the best by all floats in SQLite, best first. */
async function findExactly(
  { id, shape }: Collection,
  { db }: Store,
  queries: Float32Array[],
  { signal }: Searching,
): Promise<number[][]> {
  const width = shape.dim * 4
  using work = shape.kernel.allocate(rows_at_once * width)
  const best: number[][] = queries.map(() => [])
  for (const is_cold of [false, true]) {
    for (let slot = 0; queries.length > 0; ) {
      const rows = rowsFrom(db, id, is_cold, slot, rows_at_once)
      if (rows.length === 0) break
      for (const [i, { vector }] of rows.entries()) work.bytes.set(vector, i * width)
      for (const [i, query] of queries.entries()) {
        const { scores } = shape.kernel.scanF32(query, work, rows.length, undefined, found_max)
        best[i] = [...best[i]!, ...scores].sort((a, b) => b - a).slice(0, found_max)
      }
      slot = fromPlace(rows.at(-1)!.place).slot + 1
      await breathe(signal)
    }
  }
  return best
}
