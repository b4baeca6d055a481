/** What somebody wants remembered. */

import { addMemory, addTags, getMemories, takeOwner } from "../store/memory.ts"
import type { Store } from "../store/open.ts"
import { learnFacts } from "./facts/learn.ts"
import { hashText } from "./index/hash.ts"
import { toItems } from "./items.ts"
import type { MemoryItem, NewNote } from "./memory.ts"
import { ownerOf, type Sharing } from "./owners.ts"
import { toWords } from "./text/fold.ts"

/** So sure is a model of what it adds: as of weight, not more than what a user said in his own words. */
const agent_confidence = 0.8

/** Durable, and found by its words, when this is over; by its meaning as soon as it is embedded. */
export async function addNote(
  { store, now_ms }: { store: Store; now_ms(): number },
  note: NewNote,
  sharing: Sharing,
): Promise<MemoryItem> {
  const owner = ownerOf(note.reader, note.audience, sharing)
  const id = await store.commit((db) => {
    const owner_id = takeOwner(db, owner)
    const { fact, text, tags, importance, source } = note
    if (fact) {
      // A model may have been talked into it by what it read: what contradicts a user's own words is asked about.
      const is_change = source !== "agent"
      const confidence = is_change ? 1 : agent_confidence
      const found = { type: "fact" as const, ...fact, confidence, is_change, start: 0, end: 0, said: text }
      const told = { owner_id, session_id: null, message_id: null, source, now_ms: now_ms() }
      const { memory_id } = learnFacts(db, { ...told, found: [found] })[0]!
      addTags(db, memory_id, tags)
      return memory_id
    }
    return addMemory(db, {
      ...{ owner_id, text, tags, importance, source },
      kind: "note",
      session_id: null,
      message_id: null,
      hash: hashText(text),
      created_ms: now_ms(),
      words: toWords(text),
    })
  })
  return toItems(store.db, getMemories(store.db, [id]))[0]!
}
