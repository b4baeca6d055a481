/** Counts what was given to a model, and writes it when there is time: a commit of its own would cost each turn a dozen pages. */
import { addUses } from "../store/memory-search.ts"
import type { Store } from "../store/open.ts"

export type Uses = {
  /** These rows were given to a model just now. What a crash loses of it makes a row count as used less often. */
  add(ids: readonly number[]): void
  /** Writes some of it; answers whether there was anything to write. */
  step(): Promise<boolean>
}

/** Of one commit: a few milliseconds. */
const batch_rows = 256

export function openUses({ store, now_ms }: { store: Store; now_ms(): number }): Uses {
  const waiting = new Map<number, { used_ms: number; uses: number }>()
  return {
    add(ids) {
      const used_ms = now_ms()
      for (const id of ids) waiting.set(id, { used_ms, uses: (waiting.get(id)?.uses ?? 0) + 1 })
    },
    async step() {
      const batch = [...waiting.entries().take(batch_rows)]
      if (batch.length === 0) return false
      // Taken out before the commit: what is used meanwhile counts again.
      for (const [id] of batch) waiting.delete(id)
      await store.commit((db) => addUses(db, batch))
      return true
    },
  }
}
