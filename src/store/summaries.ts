/** Older stretches of a session in few words, and which stretches still have none. */
import type { Database } from "bun:sqlite"
import type { Part, Role } from "../base/parts.ts"
import { stand_in } from "./messages.ts"
import type { Session } from "./sessions.ts"

export type SummaryRange = {
  memory_id: number
  first_message: number
  last_message: number
  /** An estimate. */
  tokens: number
  made_by: string
}

export type SummaryRow = SummaryRange & { text: string; created_ms: number }

export function addSummary(db: Database, summary: SummaryRange & { session_id: number }): void {
  db.query(
    `INSERT INTO summary (memory_id, session_id, first_message, last_message, tokens, made_by)
     VALUES ($memory_id, $session_id, $first_message, $last_message, $tokens, $made_by)`,
  ).run(summary)
}

/**
 * The session's summaries after its last reset that no wider one covers, oldest first. They do not overlap where the
 * summariser made them; of two that do the wider one counts.
 */
export function currentSummaries(
  db: Database,
  { id, context_after }: Pick<Session, "id" | "context_after">,
): SummaryRange[] {
  const query = db.query(
    `SELECT memory_id, first_message, last_message, tokens, made_by FROM summary
     WHERE session_id = $id AND first_message > $covered
     ORDER BY first_message, last_message DESC, memory_id DESC LIMIT 1`,
  )
  const current: SummaryRange[] = []
  for (let covered = context_after; ; covered = current.at(-1)!.last_message) {
    const next = query.get({ id, covered }) as SummaryRange | null
    if (!next) return current
    current.push(next)
  }
}

/** With their texts, in the order given. */
export function readSummaries(db: Database, ranges: readonly SummaryRange[]): SummaryRow[] {
  const rows = db
    .query("SELECT id, text, created_ms FROM memory WHERE id IN (SELECT value FROM json_each(?))")
    .all(JSON.stringify(ranges.map(({ memory_id }) => memory_id))) as {
    id: number
    text: string | null
    created_ms: number
  }[]
  const by_id = new Map(rows.map((row) => [row.id, row]))
  return ranges.flatMap((range) => {
    const row = by_id.get(range.memory_id)
    return row?.text ? [{ ...range, text: row.text, created_ms: row.created_ms }] : []
  })
}

/** Where these summaries begin, by their rows. */
export function summaryStarts(db: Database, memory_ids: readonly number[]): Map<number, number> {
  const rows = db
    .query("SELECT memory_id, first_message FROM summary WHERE memory_id IN (SELECT value FROM json_each(?))")
    .all(JSON.stringify(memory_ids)) as { memory_id: number; first_message: number }[]
  return new Map(rows.map(({ memory_id, first_message }) => [memory_id, first_message]))
}

/** The user's messages after `after` and up to `upto`, newest first: each begins a turn. */
export const latestTurns = (
  db: Database,
  session_id: number,
  { after, upto, limit }: { after: number; upto: number; limit: number },
): number[] =>
  (
    db
      .query(
        `SELECT id FROM message WHERE session_id = $session_id AND id > $after AND id <= $upto AND role = 'user'
         ORDER BY id DESC LIMIT $limit`,
      )
      .all({ session_id, after, upto, limit }) as { id: number }[]
  ).map(({ id }) => id)

/** The same, oldest first. */
export const earliestTurns = (
  db: Database,
  session_id: number,
  { after, before, limit }: { after: number; before: number; limit: number },
): number[] =>
  (
    db
      .query(
        `SELECT id FROM message WHERE session_id = $session_id AND id > $after AND id < $before AND role = 'user'
         ORDER BY id LIMIT $limit`,
      )
      .all({ session_id, after, before, limit }) as { id: number }[]
  ).map(({ id }) => id)

export const countTurns = (
  db: Database,
  session_id: number,
  { after, before }: { after: number; before: number },
): number =>
  (
    db
      .query(
        `SELECT count(*) AS n FROM message
         WHERE session_id = $session_id AND id > $after AND id < $before AND role = 'user'`,
      )
      .get({ session_id, after, before }) as { n: number }
  ).n

export type StretchMessage = {
  id: number
  role: Role
  parts: Part[]
  provider?: string
  created_ms: number
}

/** In place of what the stand-in said: a model that comes later should not take it for its own. */
const no_answer: Part[] = [{ type: "text", text: "(There was no model to answer.)" }]

/** The messages from `first` to `last`, both among them, oldest first. */
export function readStretch(
  db: Database,
  session_id: number,
  { first, last }: { first: number; last: number },
): StretchMessage[] {
  const rows = db
    .query(
      `SELECT id, role, parts, provider, created_ms FROM message
       WHERE session_id = $session_id AND id >= $first AND id <= $last ORDER BY id`,
    )
    .all({ session_id, first, last }) as (Omit<StretchMessage, "parts" | "provider"> & {
    parts: string
    provider: string | null
  })[]
  return rows.map(({ parts, provider, ...row }) => ({
    ...row,
    parts: toSaid(JSON.parse(parts) as Part[], provider),
    ...(provider !== null && { provider }),
  }))
}

/** A call stays: its result is the next message. */
const toSaid = (parts: Part[], provider: string | null): Part[] =>
  provider === stand_in && parts.every(({ type }) => type === "text") ? no_answer : parts

/** The last message of a session before `before`; undefined where there is none after `after`. */
export const lastBefore = (
  db: Database,
  session_id: number,
  { after, before }: { after: number; before: number },
): number | undefined =>
  (
    db
      .query(
        "SELECT max(id) AS id FROM message WHERE session_id = $session_id AND id > $after AND id < $before",
      )
      .get({ session_id, after, before }) as { id: number | null }
  ).id ?? undefined

/** Sessions with messages after `after` and up to `upto`. */
export const sessionsSince = (db: Database, after: number, upto: number): number[] =>
  (
    db
      .query("SELECT DISTINCT session_id AS id FROM message WHERE id > ? AND id <= ? ORDER BY 1")
      .all(after, upto) as { id: number }[]
  ).map(({ id }) => id)

export const newestMessage = (db: Database): number =>
  (db.query("SELECT coalesce(max(id), 0) AS id FROM message").get() as { id: number }).id

export const sessionById = (db: Database, id: number): Session | undefined =>
  (db.query("SELECT * FROM session WHERE id = ?").get(id) as Session | null) ?? undefined

/** Who wrote these messages, and in which session. */
export const writersOf = (
  db: Database,
  ids: readonly number[],
): Map<number, { role: Role; session_id: number }> =>
  new Map(
    (
      db
        .query("SELECT id, role, session_id FROM message WHERE id IN (SELECT value FROM json_each(?))")
        .all(JSON.stringify(ids)) as { id: number; role: Role; session_id: number }[]
    ).map(({ id, ...row }) => [id, row]),
  )

/** What the user said last before a message of the same session; undefined where nobody did after `after`. */
export const questionBefore = (
  db: Database,
  session_id: number,
  { after, before }: { after: number; before: number },
): { id: number; text: string; created_ms: number } | undefined =>
  (db
    .query(
      `SELECT id, text, created_ms FROM message
       WHERE session_id = $session_id AND id > $after AND id < $before AND role = 'user' ORDER BY id DESC LIMIT 1`,
    )
    .get({ session_id, after, before }) as { id: number; text: string; created_ms: number } | null) ??
  undefined
