/** The index of words made anew. */
import { clearWords, listTexts, putWords } from "../../store/memory-index.ts"
import type { Store } from "../../store/open.ts"
import { toWords } from "../text/fold.ts"

const batch_rows = 256

/** While it goes on a search by words finds what is in it already; a search by vectors finds everything. */
export async function reindexWords(store: Store): Promise<void> {
  await store.commit(clearWords)
  let after = 0
  for (;;) {
    const rows = listTexts(store.db, after, batch_rows)
    const last = rows.at(-1)
    if (!last) return
    await store.commit((db) => {
      for (const { id, owner_id, text } of rows) putWords(db, id, owner_id, toWords(text))
    })
    after = last.id
    await new Promise((resolve) => setImmediate(resolve))
  }
}
