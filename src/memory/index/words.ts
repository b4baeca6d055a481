/** The index of words made anew. */
import { foldAway } from "../../store/forget.ts"
import {
  clearWords,
  hasGoneWords,
  hasManyParts,
  listTexts,
  mergeParts,
  mergeWords,
  progressOf,
  putWords,
  setProgress,
} from "../../store/memory-index.ts"
import type { Store } from "../../store/open.ts"
import { toWords } from "../text/fold.ts"

const batch_rows = 256
/** One more than the last row whose words are there again; 0 where nothing is to be done. */
const progress_name = "words"

/** While it goes on a search by words finds what is in it already; a search by vectors finds everything. */
export async function reindexWords(store: Store): Promise<void> {
  await store.commit((db) => {
    clearWords(db)
    setProgress(db, progress_name, 1)
  })
  while (await stepWords(store)) await new Promise((resolve) => setImmediate(resolve))
}

/** Whether words of rows are still missing: it goes on after a crash. */
export const isReindexing = (db: Store["db"]): boolean => progressOf(db, progress_name) > 0

/** The words of the next rows; answers whether there were any. */
export async function stepWords(store: Store): Promise<boolean> {
  if (!isReindexing(store.db)) return false
  return store.commit((db) => {
    const rows = listTexts(db, progressOf(db, progress_name) - 1, batch_rows)
    for (const { id, owner_id, text } of rows) putWords(db, id, owner_id, toWords(text))
    const last = rows.at(-1)
    setProgress(db, progress_name, last ? last.id + 1 : 0)
    return last !== undefined
  })
}

/** Takes out of the indexes of words what is of no row any more; answers whether there was anything to do. */
export async function stepGone(store: Store): Promise<boolean> {
  if (!hasGoneWords(store.db)) return false
  await store.commit(mergeWords)
  // Before that the file has the pages as they were.
  if (!hasGoneWords(store.db)) foldAway(store.db)
  return true
}

/** Merges what the indexer has added in batches; answers whether there was anything to do. */
export const stepParts = async (store: Store): Promise<boolean> =>
  hasManyParts(store.db) && (await store.commit(mergeParts))
