import type { Database } from "bun:sqlite"
import { AppError } from "../base/errors.ts"
import type { SessionParts } from "../base/session-key.ts"
import { removeScope } from "./plugin-values.ts"

export type Session = SessionParts & {
  id: number
  key: string
  title: string | null
  model: string | null
  context_after: number
  created_ms: number
  updated_ms: number
}

export type SessionRow = Session & { message_count: number }

/** The session of that key, made if it is new, with its `updated_ms` moved on. */
export function touchSession(db: Database, key: string, parts: SessionParts, now_ms: number): Session {
  return db
    .query(
      `INSERT INTO session (key, agent, channel, account, peer, created_ms, updated_ms)
       VALUES ($key, $agent, $channel, $account, $peer, $now_ms, $now_ms)
       ON CONFLICT (key) DO UPDATE SET updated_ms = max(updated_ms, $now_ms) RETURNING *`,
    )
    .get({ key, ...parts, now_ms }) as Session
}

const counted = `SELECT session.*, (SELECT count(*) FROM message WHERE session_id = session.id) AS message_count
  FROM session`

export const findSession = (db: Database, key: string): SessionRow | undefined =>
  (db.query(`${counted} WHERE key = ?`).get(key) as SessionRow | null) ?? undefined

export function getSession(db: Database, key: string): SessionRow {
  const session = findSession(db, key)
  if (!session) throw new AppError("not_found", { what: "session", session_key: key })
  return session
}

export type SessionFilter = {
  /** Only these agents' sessions; undefined for all. */
  agents?: string[] | undefined
  channel?: string | undefined
  /** Sessions older than this place in the list. */
  before?: { updated_ms: number; id: number } | undefined
  limit: number
}

/** Latest first. */
export function listSessions(db: Database, { agents, channel, before, limit }: SessionFilter): SessionRow[] {
  return db
    .query(
      `${counted}
       WHERE ($agents IS NULL OR agent IN (SELECT value FROM json_each($agents)))
         AND ($channel IS NULL OR channel = $channel)
         AND ($updated_ms IS NULL OR (updated_ms, id) < ($updated_ms, $id))
       ORDER BY updated_ms DESC, id DESC LIMIT $limit`,
    )
    .all({
      agents: agents ? JSON.stringify(agents) : null,
      channel: channel ?? null,
      updated_ms: before?.updated_ms ?? null,
      id: before?.id ?? null,
      limit,
    }) as SessionRow[]
}

/** Starts the model's context anew after the last message. Nothing is deleted. */
export function resetSession(db: Database, id: number): void {
  db.query(
    `UPDATE session SET context_after = coalesce((SELECT max(id) FROM message WHERE session_id = $id), 0)
     WHERE id = $id`,
  ).run({ id })
}

/** With their rows of memory, words and vectors mostly 18 ms of the processor; with a merge of the words up to 350. */
const deleted_at_once = 256

/** Deletes the session's first messages; answers whether there were any. All of a large session at once take seconds. */
export function deleteMessagesStep(db: Database, session_id: number): boolean {
  const { changes } = db
    .query(
      `DELETE FROM message WHERE id IN
         (SELECT id FROM message WHERE session_id = $session_id ORDER BY id LIMIT $limit)`,
    )
    .run({ session_id, limit: deleted_at_once })
  return changes > 0
}

/** Deletes the session with its messages, turns, search entries and what plugins kept for it. What it cost stays in the usage table. */
export function deleteSession(db: Database, session: Session): void {
  db.query("DELETE FROM idempotency WHERE session_key = ?").run(session.key)
  db.query("DELETE FROM tool_grant WHERE session_key = ?").run(session.key)
  db.query("DELETE FROM tool_result WHERE scope = ?").run(session.key)
  removeScope(db, session.key)
  db.query("DELETE FROM session WHERE id = ?").run(session.id)
}

export function patchSession(
  db: Database,
  id: number,
  { title, model }: { title: string | null; model: string | null },
): void {
  db.query("UPDATE session SET title = $title, model = $model WHERE id = $id").run({ id, title, model })
}

/** How many sessions there are; with `agents` only theirs. */
export const countSessions = (db: Database, agents?: string[]): number =>
  (
    db
      .query(
        `SELECT count(*) AS n FROM session
         WHERE $agents IS NULL OR agent IN (SELECT value FROM json_each($agents))`,
      )
      .get({ agents: agents ? JSON.stringify(agents) : null }) as { n: number }
  ).n
