/** Which sets there are: one that serves, one that is filled beside it, and those that are given up. */
import type { Store } from "../../store/open.ts"
import { addSet, changeSet, getSet, listSets, removeSetStep } from "../../store/vectors.ts"
import { breathe } from "./background.ts"

const rows_at_once = 256

/** Answers the number of the embedder's set. */
export function useEmbedder(db: Store["db"], embedder: string, dim: number, created_ms: number): number {
  const sets = listSets(db)
  const known = sets.find((set) => set.embedder === embedder && set.dim === dim)
  for (const { id, state } of sets) if (state === "filling" && id !== known?.id) changeSet(db, id, "retired")
  const state = sets.some((set) => set.state === "serving") ? "filling" : "serving"
  if (!known) return addSet(db, { embedder, dim, state, created_ms })
  if (known.state === "retired") changeSet(db, known.id, state)
  return known.id
}

/** This set serves; all others are given up. Nothing changes where it was given up itself. */
export function serveSet(db: Store["db"], set_id: number): void {
  const state = getSet(db, set_id)?.state
  if (state === undefined || state === "retired") return
  for (const { id, state } of listSets(db)) {
    if (id === set_id) changeSet(db, id, "serving")
    else if (state !== "retired") changeSet(db, id, "retired")
  }
}

/** Removes the rows of a set that was given up, step by step, and then the set. */
export async function removeSet(
  store: Store,
  id: number,
  settle: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const step = () =>
    store.commit((db) => {
      // It may be wanted again.
      if (getSet(db, id)?.state !== "retired") return true
      return removeSetStep(db, id, rows_at_once)
    })
  while (!(await step())) {
    // Nobody else may take these changes over for days, and then all at once.
    await settle()
    await breathe(signal)
  }
}
