import {
  blankMessages,
  foldAway,
  forgetRows,
  listRepetitions,
  listSaidIn,
  listShown,
} from "../store/forget.ts"
import { getMemories, type MemoryRow } from "../store/memory.ts"
import { putWords } from "../store/memory-index.ts"
import { keepMatching } from "../store/memory-search.ts"
import { matchWords } from "../store/memory-words.ts"
import type { Store } from "../store/open.ts"
import { stepGone } from "./index/words.ts"
import { toItems } from "./items.ts"
import type { Forgotten } from "./memory.ts"
import { toMatch, toWords, wordsIn } from "./text/fold.ts"

export type ForgetDeps = { store: Store; settle(): Promise<void> }

const related_max = 20

/**
 * Forgets rows that the owners have; with a message's row, or a fact that was said in one, the message's text. The bytes
 * are gone from the database, its log and the files beside it when this is over. Copies of the database that were made
 * before still have them.
 */
export async function forgetItems(
  { store, settle }: ForgetDeps,
  owner_ids: readonly number[],
  ids: readonly number[],
): Promise<Forgotten> {
  const filter = { owner_ids, include_superseded: true }
  const visible = keepMatching(store.db, ids, filter)
  const rows = getMemories(store.db, visible)
  const forgotten = await store.commit((db) => {
    const { forgotten, message_ids } = forgetRows(db, visible)
    // What else was said in it stays, but is no longer found by the words of its sentence.
    for (const { id, owner_id, text } of listSaidIn(db, message_ids))
      putWords(db, id, owner_id, toWords(text))
    blankMessages(db, listShown(db, owner_ids, visible))
    blankMessages(db, repetitionsOf(db, owner_ids, rows))
    return forgotten
  })
  await settle()
  while (await stepGone(store)) await new Promise((resolve) => setImmediate(resolve))
  foldAway(store.db)
  const related = findRelated(store.db, owner_ids, rows)
  return { forgotten, related: toItems(store.db, getMemories(store.db, related)) }
}

const repetitionsOf = (
  db: Store["db"],
  owner_ids: readonly number[],
  rows: readonly MemoryRow[],
): number[] => {
  const told = rows.map(wordsOf).filter((words) => words.length > 0)
  return listRepetitions(db, owner_ids).flatMap(({ id, text }) => {
    const there = wordsIn(text)
    return told.some((words) => isRepeated(words, there)) ? [id] : []
  })
}

/** What still has the telling words of what was forgotten: the assistant may have repeated it. */
function findRelated(db: Store["db"], owner_ids: readonly number[], rows: readonly MemoryRow[]): number[] {
  const found = rows.map(wordsOf).flatMap((words) => {
    if (words.length === 0) return []
    const { ids } = matchWords(db, words, { owner_ids, include_superseded: true }, related_max)
    const rows = getMemories(db, ids)
    return rows.flatMap(({ id, text }) => (isRepeated(words, wordsIn(text)) ? [id] : []))
  })
  return [...new Set(found)].slice(0, related_max)
}

/** Of "user's name: Ana" only Ana is worth looking for. */
const wordsOf = ({ kind, text }: MemoryRow): string[] =>
  toMatch(kind === "fact" ? text.slice(text.indexOf(": ") + 1) : text)

/** At least half of them, all of a few: a passage is seldom repeated word for word. */
function isRepeated(words: readonly string[], there: ReadonlySet<string>): boolean {
  const shared = words.filter((word) => there.has(word)).length
  return words.length <= 3 ? shared === words.length : shared >= words.length / 2
}
