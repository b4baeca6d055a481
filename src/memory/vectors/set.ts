/** What the collections of vectors offer. SQLite has the truth; flat files beside it are what the kernel reads. */

import type { KernelName } from "../../kernel/vectors/kernel.ts"
import type { MemoryKind } from "../../store/memory.ts"
import type { Store } from "../../store/open.ts"

/** One embedder's vectors. The vectors of two sets cannot be compared: each is asked with its own embedder's. */
export type VectorSet = {
  id: number
  /** `Embedder.id`. */
  embedder: string
  dim: number
  /** A set that is being filled is searched beside the one that serves. */
  state: "filling" | "serving"
}

export type NewVector = {
  /** Whose, of what session, of what kind and when is taken from the row of `memory`. */
  memory_id: number
  /** `dim` long, of length 1 (or zero, where there was nothing to embed), without NaN and infinities. */
  vector: Float32Array
}

/** All of it must hold. It is exact: what it leaves out is not looked at. */
export type VectorFilter = {
  /** Nothing is found where this is empty. */
  owner_ids: readonly number[]
  session_id?: number
  kinds?: readonly MemoryKind[]
  /** Only these rows of `memory`: what SQL has found by tags, say. */
  memory_ids?: readonly number[]
  /** after_ms <= created_ms < before_ms */
  after_ms?: number
  before_ms?: number
}

/** At most 1,000 hits are asked for at once. */
export type VectorQuery = { set_id: number; vector: Float32Array; filter: VectorFilter; k: number }

export type VectorHits = {
  /** Best first; the score is the dot product of the vectors themselves. Of equals the older row comes first. */
  hits: { memory_id: number; score: number }[]
  /** Rows whose scores were computed: all that the filter allows, or with a graph those on the way. */
  looked_at: number
  /** Rows that the set has. */
  rows: number
  /** How: "exact", "hnsw", "hnsw + 120 exact", "exact (rebuilding 40 %)". For people. */
  index: string
}

export type RowCounts = { hot: number; warm: number; cold: number }

export type GraphState = {
  state: "none" | "building" | "ready" | "refused"
  /** Of 1, while it is built. */
  progress: number
  nodes: number
  /** Rows that it has not yet; they are searched exactly. */
  unlinked: number
  breadth: number
  /** Of the ten nearest, on a sample, when it was built or opened last. */
  recall: number
  /** Why there is none although it is wished. */
  reason: string | undefined
}

export type SetState = VectorSet & {
  rows: RowCounts
  /** Rows of `memory` that have no vector in it. */
  missing: number
  /** "files", or "memory" where the folder cannot be written, and why. */
  kept_in: "files" | "memory"
  reason: string | undefined
  /** Of its files, graph and all. */
  bytes: number
  /** Of what the kernel reads, in maps or in memory. */
  mapped_bytes: number
  /** How the files were found when they were opened. */
  opened: "clean" | "unclean" | "new"
  /** What is going on. Search is exact all the while. */
  work: "none" | "checking" | "rebuilding" | "moving" | "linking"
  /** Of 1, of that work. */
  progress: number
  /** How often the files were made anew since the start, and why last. */
  rebuilds: number
  rebuilt_because: string | undefined
  graph: GraphState
}

export type VectorsState = { kernel: KernelName; sets: SetState[] }

export type SetCheck = {
  set_id: number
  embedder: string
  /** Rows in SQLite and in the files. */
  rows: number
  rows_in_files: number
  /** Whether the files are what SQLite says they are. */
  digest_agrees: boolean
  /** Of the ten nearest that an exact search by float32 finds, what a search as usual finds; 1 where there are no rows. */
  recall: number
  sampled: number
}

/** Rows of `memory` without a vector, lowest first; below `upto` there are no others. */
export type Missing = { ids: number[]; upto: number }

/** A number of a set that is gone gives no hits, no missing rows and takes no vectors. */
export type Vectors = {
  /** Serving first. */
  sets(): readonly VectorSet[]
  /**
   * The set of this embedder, found or made: it serves where it is the first; otherwise it is to be filled beside the one
   * that serves, and then `finish`ed. What other embedders were filling is given up.
   */
  use(embedder: string, dim: number): Promise<VectorSet>
  /** From now on this set serves; the others' rows and files are removed in the background. */
  finish(set_id: number): Promise<void>
  /**
   * Rows of `memory` above a number, that have no vector in the set. To look through a million takes most of a second,
   * in which others have their turn: who asks again begins with `upto`.
   */
  missing(set_id: number, after_id: number, limit: number): Promise<Missing>

  /**
   * Within `store.commit`. Returns how many were added: a row that is gone meanwhile, or that has a vector in the set, is
   * left out. They can be found once it is committed; nothing else needs to be called.
   */
  add(db: Store["db"], set_id: number, rows: readonly NewVector[]): number
  /**
   * Takes what was committed over into the files: what was added, and what was deleted by whomever, whose bytes are then
   * gone from the files and the graph, in steps between which others have their turn. Every search begins with it. Not
   * within `store.commit`.
   */
  settle(): Promise<void>
  search(query: VectorQuery): Promise<VectorHits>

  state(): VectorsState
  /** Compares the files with SQLite and, for `sample` rows, a usual search with an exact one. For `weft doctor`. */
  check(sample: number): Promise<SetCheck[]>
  /** Makes the files and the graph anew in the background; `idle` waits for it. */
  rebuild(): void
  /** Moves rows between the tiers by their use, in the background. To be called now and then. */
  tend(): void
  /** When nothing goes on in the background. */
  idle(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
