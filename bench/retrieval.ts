/**
 * How often a search finds what answers a question, by words, by vectors and by both: hit@5, and the mean of 1 / rank of the
 * first answer among ten (MRR). Questions with even numbers were there to choose weights by; those with odd ones were not.
 */
import { Database } from "bun:sqlite"
import type { VectorKernel } from "../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../src/kernel/vectors/load.ts"
import { openHashEmbedder } from "../src/memory/embed/hash.ts"
import { fuse, hash_weight, words_weight } from "../src/memory/search/fuse.ts"
import { toMatch, toWords } from "../src/memory/text/fold.ts"
import { loadRetrieval, type Message, type Question } from "./data/retrieval/retrieval.ts"

export type Quality = { hit_at_5: number; mrr: number; questions: number }
export type Ways = { words: Quality; vectors: Quality; fused: Quality }
export type Retrieval = { all: Ways; tuned_on: Ways; untouched: Ways; by_kind: Record<string, Ways> }

/** How far down each ranking is read. */
const depth = 100

type Found = { question: Question } & Record<keyof Ways, readonly string[]>

export function measureRetrieval(kernel: VectorKernel = loadVectorKernel()): Retrieval {
  const { messages, questions } = loadRetrieval()
  using words = openWords(messages)
  const byVectors = openVectors(messages, questions, kernel)
  const now_ms = messages.at(-1)!.created_ms
  const about = (id: number) => ({ created_ms: messages[id]!.created_ms, importance: 0.5 })
  const found = questions.map((question, i): Found => {
    const rankings = [
      { name: "words", ids: words.find(question.text), weight: words_weight },
      { name: "meaning", ids: byVectors(i), weight: hash_weight },
    ]
    const fused = fuse(rankings, { about, now_ms, limit: depth }).map(({ id }) => id)
    const [words_found, vectors_found, all] = [rankings[0]!.ids, rankings[1]!.ids, fused].map((ids) =>
      ids.map((id) => messages[id]!.id),
    )
    return { question, words: words_found!, vectors: vectors_found!, fused: all! }
  })
  const isEven = ({ question }: Found) => Number(question.id.slice(1)) % 2 === 0
  return {
    all: waysOf(found),
    tuned_on: waysOf(found.filter(isEven)),
    untouched: waysOf(found.filter((each) => !isEven(each))),
    by_kind: Object.fromEntries(
      [...new Set(questions.map(({ kind }) => kind))].map((kind) => [
        kind,
        waysOf(found.filter(({ question }) => question.kind === kind)),
      ]),
    ),
  }
}

const waysOf = (found: Found[]): Ways => ({
  words: qualityOf(found, "words"),
  vectors: qualityOf(found, "vectors"),
  fused: qualityOf(found, "fused"),
})

function qualityOf(found: Found[], way: keyof Ways): Quality {
  let hits = 0
  let ranks = 0
  for (const each of found) {
    const index = each[way].findIndex((id) => each.question.relevant.includes(id))
    if (index >= 0 && index < 5) hits++
    if (index >= 0 && index < 10) ranks += 1 / (index + 1)
  }
  return { hit_at_5: hits / found.length, mrr: ranks / found.length, questions: found.length }
}

/** The index as the migration makes it. */
function openWords(messages: Message[]): Disposable & { find(query: string): number[] } {
  const db = new Database(":memory:", { strict: true })
  db.run(
    "CREATE VIRTUAL TABLE f USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0')",
  )
  const insert = db.query("INSERT INTO f (rowid, body) VALUES (?, ?)")
  db.transaction(() => {
    for (const [i, { text }] of messages.entries()) insert.run(i, toWords(text))
  })()
  const select = db.query("SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f), rowid DESC LIMIT ?")
  return {
    find(query) {
      const match = toMatch(query)
        .map((word) => `"${word}"`)
        .join(" OR ")
      return match === "" ? [] : select.values(match, depth).map(([id]) => Number(id))
    },
    [Symbol.dispose]: () => db.close(),
  }
}

/** Exact: every message is compared. */
function openVectors(
  messages: Message[],
  questions: Question[],
  kernel: VectorKernel,
): (question: number) => number[] {
  const embedder = openHashEmbedder(kernel)
  const dim = embedder.dim()!
  const rows = embedder.embedNow(messages.map(({ text }) => text))
  const region = kernel.allocate(rows.byteLength)
  new Float32Array(region.bytes.buffer, region.bytes.byteOffset, rows.length).set(rows)
  const queries = embedder.embedNow(questions.map(({ text }) => text))
  return (question) => {
    const query = queries.slice(question * dim, (question + 1) * dim)
    const { ids, scores } = kernel.scanF32(query, region, messages.length, undefined, depth)
    return [...ids].filter((_, i) => scores[i]! > 0)
  }
}

if (import.meta.main) console.log(JSON.stringify(measureRetrieval(), undefined, 2))
