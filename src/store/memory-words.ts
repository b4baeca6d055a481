/** Finding rows of the memory by their words, in a time that does not grow with how often those were said. */
import type { Database } from "bun:sqlite"
import { type RowFilter, toParams, whereOf } from "./memory-search.ts"

/** `matched`: how many rows there are; at least, where there are more than are worth being ranked. */
export type Matched = { ids: number[]; matched: number }

const nothing: Matched = { ids: [], matched: 0 }

/** So many are ranked in some 2 ms. That it is no more changes no figure of bench/retrieval.ts. */
const ranked_rows = 400

/**
 * The rows with any of the words, best first by BM25. The words are folded and are only words: the operators of the index
 * have no meaning. Where more rows have them than are worth being ranked, the rarest words rank; a word that by itself so
 * many rows have tells nothing, and of such words the newest rows are found.
 */
export function matchWords(
  db: Database,
  words: readonly string[],
  filter: RowFilter,
  limit: number,
): Matched {
  if (words.length === 0 || filter.owner_ids.length === 0) return nothing
  const last = lastRow(db)
  const owners = last >= sampled_from && isFewRows(db, filter, last) ? ownersOf(filter) : ""
  if (last < ranked_rows || countWith(db, words) < ranked_rows) return rank(db, words, owners, filter, limit)
  const telling = rarest(db, words)
  const ranked = telling.length > 0 ? rank(db, telling, owners, filter, limit) : nothing
  // Of one sender, or of what else is asked for, the only rows may be those with words that everybody says.
  if (ranked.ids.length > (owners === "" ? 0 : limit - 1)) return ranked
  const known = new Set(ranked.ids)
  const newest = newestOf(db, words, owners, { ...filter, last }, limit).filter((id) => !known.has(id))
  const ids = [...ranked.ids, ...newest].slice(0, limit)
  return { ids, matched: Math.max(ranked.matched, ids.length) }
}

const quoted = (word: string) => `"${word.replaceAll('"', '""')}"`

const bodyOf = (words: readonly string[], operator: "AND" | "OR") =>
  `body : (${words.map(quoted).join(` ${operator} `)})`

const anyOf = (words: readonly string[]) => bodyOf(words, "OR")

function rank(
  db: Database,
  words: readonly string[],
  owners: string,
  filter: RowFilter,
  limit: number,
): Matched {
  const rows = db
    .query(
      // The rank is computed where the rows are matched: beside a window function SQLite refuses to.
      `WITH found AS MATERIALIZED (
         SELECT memory.id AS id, bm25(memory_fts, 0.0, 1.0) AS rank
         FROM memory_fts JOIN memory ON memory.id = memory_fts.rowid
         WHERE memory_fts MATCH $match AND ${whereOf(filter)})
       SELECT id, count(*) OVER () AS matched FROM found ORDER BY rank, id DESC LIMIT $limit`,
    )
    .all({ match: `${owners}${anyOf(words)}`, ...toParams(filter), limit }) as {
    id: number
    matched: number
  }[]
  return { ids: rows.map(({ id }) => id), matched: rows[0]?.matched ?? 0 }
}

/** Everybody's rows with any of the words, counted as far as it matters. */
const countWith = (db: Database, words: readonly string[]): number =>
  (
    db
      .query("SELECT count(*) AS n FROM (SELECT 1 FROM memory_fts WHERE memory_fts MATCH ? LIMIT ?)")
      .get(anyOf(words), ranked_rows) as { n: number }
  ).n

/** The rarest of the words, of which together so many rows are ranked; none where each has more. */
function rarest(db: Database, words: readonly string[]): string[] {
  const counted = words.map((word) => ({ word, rows: countWith(db, [word]) }))
  let left = ranked_rows
  return counted
    .filter(({ rows }) => rows > 0)
    .toSorted((a, b) => a.rows - b.rows)
    .filter(({ rows }) => {
      left -= rows
      return left > 0
    })
    .map(({ word }) => word)
}

/** In older ones not all of the words are looked for: of words that every row has, none may have all. */
const looked_at_rows = 20_000

/** Rows with all of the words, then rows with any of them, the newest first. */
function newestOf(
  db: Database,
  words: readonly string[],
  owners: string,
  { last, ...filter }: RowFilter & { last: number },
  limit: number,
): number[] {
  const find = (operator: "AND" | "OR", after: number) =>
    db
      .query(
        // The index answers in this order, and goes no further than to the limit.
        `SELECT memory.id AS id FROM memory_fts CROSS JOIN memory ON memory.id = memory_fts.rowid
         WHERE memory_fts MATCH $match AND memory_fts.rowid > $after AND ${whereOf(filter)}
         ORDER BY memory_fts.rowid DESC LIMIT $limit`,
      )
      .values({
        ...{ match: `${owners}${bodyOf(words, operator)}`, after, limit },
        ...toParams(filter),
      })
      .flat() as number[]
  const all = find("AND", last - looked_at_rows)
  return all.length >= limit ? all : [...new Set([...all, ...find("OR", 0)])].slice(0, limit)
}

const lastRow = (db: Database): number =>
  (db.query("SELECT max(id) AS last FROM memory").get() as { last: number | null }).last ?? 0

/** With more owners than this the index reads everybody's words, and the rows say whose they are. */
const owner_terms_max = 64
const sampled_rows = 32
/** Everybody's words of fewer rows are read faster than it is found out whose they are. */
const sampled_from = 2_000

const ownersOf = ({ owner_ids }: RowFilter) =>
  `owner : (${owner_ids.map((id) => `o${id}`).join(" OR ")}) AND `

/**
 * Whether the index should be asked for the owners as well, which then reads all that it has of them: not where they have
 * more than a quarter of the rows, as a few of all rows tell. The rows found and their ranks are the same.
 */
function isFewRows(db: Database, { owner_ids }: RowFilter, last: number): boolean {
  if (owner_ids.length > owner_terms_max) return false
  const ids = Array.from({ length: sampled_rows }, (_, i) => Math.ceil((last * (i + 1)) / sampled_rows))
  const { own, others } = db
    .query(
      `SELECT count(*) FILTER (WHERE is_own) AS own, count(*) FILTER (WHERE NOT is_own) AS others FROM (
         SELECT owner_id IN (SELECT value FROM json_each($owner_ids)) AS is_own FROM memory
         WHERE id IN (SELECT value FROM json_each($ids)))`,
    )
    .get({ owner_ids: JSON.stringify(owner_ids), ids: JSON.stringify(ids) }) as {
    own: number
    others: number
  }
  return own < others / 3
}
