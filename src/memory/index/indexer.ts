/** Follows the messages and makes of them what can be found: rows, words and vectors. In the background, in batches. */
import { toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import { forgotten_text } from "../../store/forget.ts"
import { addMemory, type NewMemory } from "../../store/memory.ts"
import {
  countUnindexed,
  hasManyParts,
  listUnindexed,
  mergeParts,
  progressOf,
  setProgress,
  textsOf,
  type Unindexed,
} from "../../store/memory-index.ts"
import { stand_in } from "../../store/messages.ts"
import type { Store } from "../../store/open.ts"
import type { Embedder } from "../embed/embedder.ts"
import { takeSessionOwner } from "../owners.ts"
import { toWords } from "../text/fold.ts"
import type { NewVector, VectorSet, Vectors } from "../vectors/set.ts"
import { hashText } from "./hash.ts"
import { toPieces } from "./pieces.ts"
import { vectorsByHash } from "./reuse.ts"

/** Of one commit. At about 60 µs a row a batch holds the others up for some 10 ms. */
const batch_rows = 128
const progress_name = "indexed"

export type IndexerDeps = { store: Store; vectors: Vectors; log: Log; now_ms(): number; signal: AbortSignal }

export type Indexer = {
  /** Messages that are not indexed. */
  pending(): number
  /** Indexes the next messages; answers how many there were. Throws nothing of the embedder's: see `trouble`. */
  step(): Promise<number>
  /** Embeds rows that have no vector in a set; answers how many there were. */
  fill(set: VectorSet, embedder: Embedder): Promise<number>
  /** The next `fill` of the set begins with its first row again. */
  refill(set: VectorSet): void
  /** Why vectors are missing, for people; undefined while all is well. */
  trouble(): string | undefined
  /** Begins anew with the first message, whose rows are gone by then. */
  restart(): Promise<void>
}

export function openIndexer(
  deps: IndexerDeps,
  inUse: () => { set: VectorSet; embedder: Embedder }[],
): Indexer {
  const { store } = deps
  /** By set: up to which row none is without a vector, as each search asks, and among a million it takes a while. */
  const filled_to = new Map<number, number>()
  /** Of the embedder that did not answer last. */
  let trouble: { id: string; said: string } | undefined
  const pending = () => countUnindexed(store.db, progressOf(store.db, progress_name))
  const attempt = async (set: VectorSet, embedder: Embedder, rows: { id: number; text: string }[]) => {
    try {
      const found = await embedRows(deps, set, embedder, rows)
      if (trouble?.id === embedder.id) trouble = undefined
      return found
    } catch (thrown) {
      deps.signal.throwIfAborted()
      const said = `${embedder.id} does not answer: ${thrown instanceof Error ? thrown.message : thrown}`
      trouble = { id: embedder.id, said }
      deps.log.warn("vectors could not be made; what is new is found by its words", {
        cause: toTrace(thrown),
      })
      return undefined
    }
  }
  return {
    pending,
    trouble: () => (inUse().some(({ embedder }) => embedder.id === trouble?.id) ? trouble?.said : undefined),
    async step() {
      if (pending() === 0) return 0
      const { count, made } = await store.commit((db) => {
        // Read here: what was forgotten or deleted since is not made of what it was.
        const messages = listUnindexed(db, progressOf(db, progress_name), batch_rows)
        const last = messages.at(-1)
        if (!last) return { count: 0, made: [] }
        const rows = messages.flatMap((message) => toRows(db, message))
        setProgress(db, progress_name, last.id)
        const ids = rows.map(({ row, text }) => ({ id: addMemory(db, row), text }))
        // Where it is never quiet nothing else would, and a search of many parts takes several times as long.
        if (messages.length < batch_rows && hasManyParts(db)) mergeParts(db)
        // What is local is in the same commit, so that no row is ever without its vector.
        for (const { set, embedder } of inUse())
          if (embedder.is_local) deps.vectors.add(db, set.id, embedLocally(db, set, embedder, ids))
        return { count: messages.length, made: ids }
      })
      for (const { set, embedder } of inUse()) {
        if (embedder.is_local) continue
        const found = await attempt(set, embedder, made)
        if (found) await store.commit((db) => deps.vectors.add(db, set.id, found))
      }
      return count
    },
    async fill(set, embedder) {
      const { ids, upto } = await deps.vectors.missing(set.id, filled_to.get(set.id) ?? 0, batch_rows)
      if (ids.length === 0) {
        filled_to.set(set.id, upto)
        return 0
      }
      const found = await attempt(set, embedder, textsOf(store.db, ids))
      if (!found) return 0
      await store.commit((db) => deps.vectors.add(db, set.id, found))
      filled_to.set(set.id, upto)
      return ids.length
    },
    refill: ({ id }) => void filled_to.delete(id),
    restart: () => store.commit((db) => setProgress(db, progress_name, 0)),
  }
}

type Row = { row: NewMemory; text: string }

function toRows(db: Store["db"], message: Unindexed): Row[] {
  const { id, session_id, role, parts, provider, created_ms } = message
  if (provider === stand_in) return []
  const pieces = toPieces(role, parts).filter(({ text }) => text !== forgotten_text)
  if (pieces.length === 0) return []
  const owner_id = takeSessionOwner(db, message)
  return pieces.map(({ kind, text, is_whole }) => ({
    text,
    row: {
      owner_id,
      kind,
      session_id,
      message_id: id,
      text: is_whole ? null : text,
      hash: hashText(text),
      importance: 0.5,
      source: "conversation",
      created_ms,
      tags: [],
      words: toWords(text),
    },
  }))
}

type Text = { id: number; text: string }

function embedLocally(db: Store["db"], set: VectorSet, embedder: Embedder, rows: Text[]): NewVector[] {
  const known = vectorsByHash(db, set, rows)
  const left = rows.filter(({ id }) => !known.has(id))
  const made = embedder.embedNow?.(left.map(({ text }) => text)) ?? new Float32Array()
  return joined(rows, known, left, made, set.dim)
}

async function embedRows(
  { store, signal }: IndexerDeps,
  set: VectorSet,
  embedder: Embedder,
  rows: Text[],
): Promise<NewVector[]> {
  if (embedder.is_local) return embedLocally(store.db, set, embedder, rows)
  const known = vectorsByHash(store.db, set, rows)
  const left = rows.filter(({ id }) => !known.has(id))
  const texts = left.map(({ text }) => text)
  const made = texts.length === 0 ? new Float32Array() : await embedder.embed(texts, "document", signal)
  if (made.length !== texts.length * set.dim) throw new Error(`its vectors have no longer ${set.dim} numbers`)
  return joined(rows, known, left, made, set.dim)
}

function joined(
  rows: Text[],
  known: Map<number, Float32Array>,
  left: Text[],
  made: Float32Array,
  dim: number,
): NewVector[] {
  const place = new Map(left.map(({ id }, i) => [id, i]))
  return rows.map(({ id }) => {
    const i = place.get(id)
    return {
      memory_id: id,
      vector: i === undefined ? known.get(id)! : made.subarray(i * dim, (i + 1) * dim),
    }
  })
}
