import type { Database } from "bun:sqlite"
import { type Part, type Role, textOf } from "../base/parts.ts"
import type { SessionParts } from "../base/session-key.ts"

/** The provider that answers where there is no model. It only repeats: what it says is nothing to remember, or to go by. */
export const stand_in = "offline"

export type Message = {
  id: number
  turn_id: string
  role: Role
  parts: Part[]
  /** The provider that made an assistant's message. */
  provider?: string
  metadata?: Record<string, unknown>
  created_ms: number
}

export type NewMessage = Omit<Message, "id">

type Row = Omit<Message, "parts" | "provider" | "metadata"> & {
  parts: string
  provider: string | null
  metadata: string | null
}

/** Appends and answers the message's id. */
export function addMessage(db: Database, session_id: number, message: NewMessage): number {
  const { lastInsertRowid } = db
    .query(
      `INSERT INTO message (session_id, turn_id, role, parts, text, provider, metadata, created_ms)
       VALUES ($session_id, $turn_id, $role, $parts, $text, $provider, $metadata, $created_ms)`,
    )
    .run({
      session_id,
      turn_id: message.turn_id,
      role: message.role,
      parts: JSON.stringify(message.parts),
      text: textOf(message.parts),
      provider: message.provider ?? null,
      metadata: message.metadata ? JSON.stringify(message.metadata) : null,
      created_ms: message.created_ms,
    })
  return Number(lastInsertRowid)
}

const columns = "id, turn_id, role, parts, provider, metadata, created_ms"

export type MessagePage = {
  before?: number | undefined
  limit: number
  /** After the first message a page weighs no more than this. */
  bytes_max?: number
}

/** The newest `limit` messages before `before`, oldest first. */
export function listMessages(
  db: Database,
  session_id: number,
  { before = Number.MAX_SAFE_INTEGER, limit, bytes_max = Number.POSITIVE_INFINITY }: MessagePage,
): Message[] {
  const query = db.query(
    `SELECT ${columns} FROM message WHERE session_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  )
  return takeWithin(query.iterate(session_id, before, limit) as Iterable<Row>, bytes_max).reverse()
}

/** The messages of the last `turns` turns after `context_after`, oldest first. A turn starts with a user's message. */
export function listRecentTurns(
  db: Database,
  { id, context_after }: { id: number; context_after: number },
  turns: number,
): Message[] {
  const rows = db
    .query(
      `SELECT ${columns} FROM message WHERE session_id = $id AND id >= (
         SELECT min(id) FROM (SELECT id FROM message
           WHERE session_id = $id AND id > $context_after AND role = 'user' ORDER BY id DESC LIMIT $turns))
       ORDER BY id`,
    )
    .all({ id, context_after, turns }) as Row[]
  return rows.map(toMessage)
}

/** The next messages after `after`, oldest first: at most `limit`, and after the first no more than `bytes_max`. */
export function listMessagesAfter(
  db: Database,
  session_id: number,
  { after, limit, bytes_max }: { after: number; limit: number; bytes_max: number },
): Message[] {
  const query = db.query(`SELECT ${columns} FROM message WHERE session_id = ? AND id > ? ORDER BY id LIMIT ?`)
  return takeWithin(query.iterate(session_id, after, limit) as Iterable<Row>, bytes_max)
}

function takeWithin(rows: Iterable<Row>, bytes_max: number): Message[] {
  const page: Message[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += Buffer.byteLength(row.parts)
    if (page.length > 0 && bytes > bytes_max) break
    page.push(toMessage(row))
  }
  return page
}

const toMessage = ({ parts, provider, metadata, ...row }: Row): Message => ({
  ...row,
  parts: JSON.parse(parts) as Part[],
  ...(provider !== null && { provider }),
  ...(metadata !== null && { metadata: JSON.parse(metadata) as Record<string, unknown> }),
})

export type Hit = {
  session_key: string
  agent: string
  message_id: number
  role: Role
  created_ms: number
  snippet: string
}

export type MessageQuery = {
  query: string
  agents?: readonly string[] | undefined
  /** Only sessions with him. */
  sender?: Pick<SessionParts, "channel" | "account" | "peer"> | undefined
  limit: number
}

/** Full-text search, best first. The words are searched for as words: operators of the index have no meaning. */
export function searchMessages(db: Database, { query, agents, sender, limit }: MessageQuery): Hit[] {
  const words = query.match(/[\p{L}\p{N}\p{M}_]+/gu)
  if (!words) return []
  return db
    .query(
      `SELECT session.key AS session_key, session.agent AS agent, message.id AS message_id, message.role AS role,
         message.created_ms AS created_ms, snippet(message_fts, 0, '[', ']', '…', 24) AS snippet
       FROM message_fts JOIN message ON message.id = message_fts.rowid
         JOIN session ON session.id = message.session_id
       WHERE message_fts MATCH $match
         AND ($agents IS NULL OR session.agent IN (SELECT value FROM json_each($agents)))
         AND ($channel IS NULL OR (session.channel = $channel AND session.account = $account AND session.peer = $peer))
       ORDER BY bm25(message_fts), message.id DESC LIMIT $limit`,
    )
    .all({
      match: words.map((word) => `"${word}"`).join(" "),
      agents: agents ? JSON.stringify(agents) : null,
      channel: sender?.channel ?? null,
      account: sender?.account ?? null,
      peer: sender?.peer ?? null,
      limit,
    }) as Hit[]
}

/** Who said these messages. */
export function rolesOf(db: Database, ids: readonly number[]): Map<number, Role> {
  const rows = db
    .query("SELECT id, role FROM message WHERE id IN (SELECT value FROM json_each(?))")
    .all(JSON.stringify(ids)) as { id: number; role: Role }[]
  return new Map(rows.map(({ id, role }) => [id, role]))
}
