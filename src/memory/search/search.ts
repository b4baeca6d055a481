/** Finds what a reader may see: by words, by meaning, both fused; and says what it looked at. */

import { AppError, toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import { getMemories } from "../../store/memory.ts"
import { countRows, listTagged, type RowFilter, rankedRows } from "../../store/memory-search.ts"
import { matchWords } from "../../store/memory-words.ts"
import type { Store } from "../../store/open.ts"
import { findSession } from "../../store/sessions.ts"
import type { SetInUse } from "../index/in-use.ts"
import { isReindexing } from "../index/words.ts"
import { toItems } from "../items.ts"
import type { MemoryAnswer, MemoryHit, MemoryQuery, Searched } from "../memory.ts"
import { toMatch } from "../text/fold.ts"
import type { VectorFilter, Vectors } from "../vectors/set.ts"
import { fuse, hash_weight, model_weight, type Ranking, words_weight } from "./fuse.ts"

export type SearchDeps = {
  db: Store["db"]
  vectors: Vectors
  inUse(): SetInUse[]
  /** Sets that are there but whose embedder is not configured. */
  unasked(): string[]
  /** Why vectors are missing, where they are. */
  trouble(): string | undefined
  owners(query: MemoryQuery): number[]
  /** Indexes what is pending, as far as that takes no longer than a person would not notice. */
  catchUp(): Promise<void>
  /** What is left of that. */
  pending(): number
  log: Log
  now_ms(): number
}

/** Of each list; what is below is in no answer. */
const candidates_max = 64

/**
 * Best first. What cannot be searched is said in `searched.warnings`, and throws index_failed where nothing is left to
 * search by: an empty answer means that there is nothing.
 */
export async function searchMemory(
  deps: SearchDeps,
  query: MemoryQuery,
  signal: AbortSignal,
): Promise<MemoryAnswer> {
  const started = performance.now()
  const warnings = [...unaskable(deps)]
  await deps.catchUp().catch((thrown) => late(deps, thrown, warnings))
  const pending = deps.pending()
  const filter = toFilter(deps, query)
  if (!filter) return nothing(pending, warnings, started)
  const words = byWords(deps, query, filter, warnings)
  const { lists, vectors } = await byMeaning(deps, query, filter, warnings, signal)
  if (!words && vectors.length === 0) throw new AppError("index_failed", { reason: warnings.join("; ") })
  const found = [...(words ? [{ name: "words", ids: words.ids, weight: words_weight }] : []), ...lists]
  const hits = rank(deps, query, filter, found)
  const searched: Searched = {
    rows: exactRows(vectors) ?? countRows(deps.db, filter),
    words_matched: words?.matched ?? 0,
    vectors,
    pending,
    warnings,
    took_ms: performance.now() - started,
  }
  return { hits, searched }
}

/** An exact search has counted what the filter lets through already. */
const exactRows = (vectors: Searched["vectors"]): number | undefined =>
  vectors.find(({ index }) => index === "exact")?.looked_at

/** On a full disk, say: what is there can be searched all the same. */
function late({ log }: SearchDeps, thrown: unknown, warnings: string[]): void {
  log.error("what is new could not be indexed", { cause: toTrace(thrown) })
  warnings.push(`what is new could not be indexed (${thrown instanceof AppError ? thrown.code : "internal"})`)
}

const nothing = (pending: number, warnings: string[], started: number): MemoryAnswer => ({
  hits: [],
  searched: {
    rows: 0,
    words_matched: 0,
    vectors: [],
    pending,
    warnings,
    took_ms: performance.now() - started,
  },
})

const unaskable = ({ unasked, trouble }: SearchDeps): string[] => [
  ...unasked().map((id) => `the vectors of ${id} cannot be asked: that embedder is not configured`),
  ...[trouble()].filter((said) => said !== undefined),
]

/** Undefined where there is nobody whose rows the reader sees, or no such session: then there is nothing to be found. */
function toFilter(deps: SearchDeps, query: MemoryQuery): RowFilter | undefined {
  const owner_ids = deps.owners(query)
  if (owner_ids.length === 0) return undefined
  const { session_key, kinds, tags, after_ms, before_ms, include_superseded } = query
  const session = session_key === undefined ? undefined : findSession(deps.db, session_key)
  if (session_key !== undefined && !session) return undefined
  return { owner_ids, kinds, session_id: session?.id, tags, after_ms, before_ms, include_superseded }
}

/** Undefined where the index of words is broken. */
function byWords(deps: SearchDeps, { text }: MemoryQuery, filter: RowFilter, warnings: string[]) {
  if (isReindexing(deps.db)) {
    warnings.push("the index of words is being made anew: what it has not yet is found by meaning only")
  }
  try {
    return matchWords(deps.db, toMatch(text), filter, candidates_max)
  } catch (thrown) {
    return broken(deps, "words", thrown, warnings)
  }
}

function broken({ log }: SearchDeps, what: string, thrown: unknown, warnings: string[]): undefined {
  log.error(`the memory's ${what} could not be searched`, { cause: toTrace(thrown) })
  warnings.push(`the index of ${what} is broken and was not searched: run "weft memory reindex"`)
}

async function byMeaning(
  deps: SearchDeps,
  query: MemoryQuery,
  filter: RowFilter,
  warnings: string[],
  signal: AbortSignal,
) {
  const lists: Ranking[] = []
  const vectors: Searched["vectors"] = []
  for (const { set, embedder } of deps.inUse()) {
    try {
      const vector = embedder.is_local
        ? embedder.embedNow([query.text])
        : await embedder.embed([query.text], "query", signal)
      const found = await deps.vectors.search({
        set_id: set.id,
        vector,
        filter: toVectorFilter(deps, filter),
        k: candidates_max,
      })
      const { index, looked_at } = found
      vectors.push({ embedder: set.embedder, index, looked_at })
      const ids = found.hits.map(({ memory_id }) => memory_id)
      const weight = embedder.is_local ? hash_weight : model_weight
      lists.push({ name: "meaning", ids, weight })
    } catch (thrown) {
      signal.throwIfAborted()
      if (thrown instanceof AppError && thrown.code.startsWith("provider_")) {
        warnings.push(`${embedder.id} did not answer (${thrown.code}), so nothing was found by meaning`)
      } else broken(deps, `vectors of ${set.embedder}`, thrown, warnings)
    }
  }
  return { lists, vectors }
}

function toVectorFilter({ db }: SearchDeps, filter: RowFilter): VectorFilter {
  const { owner_ids, session_id, kinds, tags, after_ms, before_ms } = filter
  return {
    owner_ids,
    ...(session_id !== undefined && { session_id }),
    ...(kinds && { kinds }),
    ...(tags && tags.length > 0 && { memory_ids: listTagged(db, tags) }),
    ...(after_ms !== undefined && { after_ms }),
    ...(before_ms !== undefined && { before_ms }),
  }
}

function rank(
  { db, now_ms }: SearchDeps,
  query: MemoryQuery,
  filter: RowFilter,
  lists: Ranking[],
): MemoryHit[] {
  // Vectors know nothing of facts that hold no more.
  const candidates = rankedRows(db, [...new Set(lists.flatMap(({ ids }) => [...ids]))], filter)
  const rows = new Map(candidates.map((row) => [row.id, row]))
  const ranked = fuse(lists, { about: (id) => rows.get(id), now_ms: now_ms(), limit: query.limit })
  // Texts are read of those only that are answered.
  const found = getMemories(
    db,
    ranked.map(({ id }) => id),
  )
  const items = new Map(toItems(db, found).map((item) => [item.id, item]))
  return ranked.flatMap(({ id, score, why }) => {
    const item = items.get(id)
    return item ? [{ ...item, score, why }] : []
  })
}
