/** Rows as readers see them. */

import type { MemoryRow } from "../store/memory.ts"
import { factsOfRows } from "../store/memory-facts.ts"
import { tagsOf } from "../store/memory-search.ts"
import type { Store } from "../store/open.ts"
import type { MemoryItem } from "./memory.ts"

export function toItems(db: Store["db"], rows: readonly MemoryRow[]): MemoryItem[] {
  const ids = rows.map(({ id }) => id)
  const tags = tagsOf(db, ids)
  const fact_ids = rows.filter(({ kind }) => kind === "fact").map(({ id }) => id)
  const facts = factsOfRows(db, fact_ids)
  return rows.map(({ owner_id: _owner, session_id: _session, agent, sender, namespace, ...row }) => {
    const fact = facts.get(row.id)
    return {
      ...row,
      owner: { agent, sender, namespace },
      tags: tags.get(row.id) ?? [],
      ...(fact && { fact }),
    }
  })
}
