import { memory_kinds } from "../store/memory.ts"
import { countFacts, countKinds } from "../store/memory-index.ts"
import type { Store } from "../store/open.ts"
import type { MemoryStats } from "./memory.ts"
import type { Vectors } from "./vectors/set.ts"

/** Counts of an agent's rows, or of everybody's; what is said of vectors is of everybody's. */
export function statsOf(
  db: Store["db"],
  agent: string | undefined,
  { vectors, embedder, pending }: { vectors: Vectors; embedder: string; pending: number },
): MemoryStats {
  const counts = new Map(countKinds(db, agent).map(({ kind, n }) => [kind, n]))
  const rows = Object.fromEntries(memory_kinds.map((kind) => [kind, counts.get(kind) ?? 0]))
  const { kernel, sets } = vectors.state()
  return {
    rows: rows as MemoryStats["rows"],
    facts: countFacts(db, agent),
    pending,
    embedder,
    vectors: sets.map((set) => ({
      embedder: set.embedder,
      state: set.state,
      dim: set.dim,
      ...set.rows,
      missing: set.missing,
      index: set.graph.state === "ready" ? `hnsw (recall ${set.graph.recall.toFixed(3)})` : "exact",
      work: set.work,
      progress: set.progress,
      kept_in: set.kept_in,
      disk_bytes: set.bytes,
    })),
    kernel,
  }
}
