/** Taking out what somebody wants forgotten: from its row, its message and whatever repeats that message's bytes. */
import type { Database } from "bun:sqlite"
import type { Part } from "../base/parts.ts"
import { textOf } from "../base/parts.ts"
import { type SessionParts, toSender } from "../base/session-key.ts"
import { removeMemories } from "./memory.ts"
import { stand_in } from "./messages.ts"

export const forgotten_text = "[forgotten]"

/**
 * Removes the rows, in whose place nothing stays. A row that is a message's, and a fact that was said in one, take that
 * message's text with them: the message stays, saying that something was forgotten, as later ones answer it. What else was
 * made of the message (its pieces, summaries of its stretch) goes, too; other facts that were said in it stay. Answers how many
 * rows were asked for and there, and whose text went. What is deleted is overwritten (PRAGMA secure_delete, store/open.ts).
 */
export function forgetRows(
  db: Database,
  ids: readonly number[],
): { forgotten: number; message_ids: number[] } {
  const wanted = JSON.stringify(ids)
  const message_ids = (
    db
      .query(
        `SELECT message_id AS id FROM memory
           WHERE id IN (SELECT value FROM json_each($wanted)) AND kind <> 'fact' AND message_id IS NOT NULL
         UNION SELECT said_in FROM fact
           WHERE memory_id IN (SELECT value FROM json_each($wanted)) AND said_in IS NOT NULL`,
      )
      .all({ wanted }) as { id: number }[]
  ).map(({ id }) => id)
  const forgotten = (
    db.query("SELECT count(*) AS n FROM memory WHERE id IN (SELECT value FROM json_each(?))").get(wanted) as {
      n: number
    }
  ).n
  blankMessages(db, message_ids)
  removeMemories(db, ids)
  return { forgotten, message_ids }
}

/** What the stand-in for a model answered in the owners' sessions: it repeats, and has no rows that could be shown. */
export function listRepetitions(db: Database, owner_ids: readonly number[]): { id: number; text: string }[] {
  const messages = db
    .query(
      `SELECT message.id AS id, text, agent, channel, account, peer
       FROM message JOIN session ON session.id = session_id WHERE provider = ? AND text NOT IN ('', ?)`,
    )
    .all(stand_in, forgotten_text) as (SessionParts & { id: number; text: string })[]
  return ofOwners(db, owner_ids, messages)
}

function ofOwners<T extends SessionParts>(db: Database, owner_ids: readonly number[], messages: T[]): T[] {
  const owners = db
    .query("SELECT agent, sender FROM memory_owner WHERE id IN (SELECT value FROM json_each(?))")
    .all(JSON.stringify(owner_ids)) as { agent: string; sender: string }[]
  const seen = new Set(owners.map(({ agent, sender }) => `${agent} ${sender}`))
  return messages.filter(({ agent, ...session }) => seen.has(`${agent} ${toSender(session)}`))
}

/** Whose results show rows, each as a line that begins with its number in brackets. */
const showing = ["memory_search", "memory_add", "memory_forget"]

/** Results of tools in conversations of these owners that show one of these rows, and the calls: what was added is in them. */
export function listShown(db: Database, owner_ids: readonly number[], ids: readonly number[]): number[] {
  const messages = db
    .query(
      `WITH shown AS MATERIALIZED (
         SELECT message.id AS id, session_id, turn_id, part.value ->> 'id' AS call_id
         FROM message, json_each(message.parts) AS part, json_each($ids) AS row
         WHERE role = 'tool' AND part.value ->> 'name' IN (SELECT value FROM json_each($showing))
           AND instr(part.value ->> 'content', '[' || row.value || '] ') > 0)
       SELECT told.id AS id, agent, channel, account, peer FROM (
         SELECT id, session_id FROM shown
         UNION SELECT message.id, message.session_id FROM shown JOIN message
             ON message.session_id = shown.session_id AND message.turn_id = shown.turn_id AND role = 'assistant'
               AND message.id < shown.id, json_each(message.parts) AS part
           WHERE part.value ->> 'type' = 'tool_use' AND part.value ->> 'id' = call_id) AS told
         JOIN session ON session.id = told.session_id`,
    )
    .all({ ids: JSON.stringify(ids), showing: JSON.stringify(showing) }) as (SessionParts & { id: number })[]
  return ofOwners(db, owner_ids, messages).map(({ id }) => id)
}

export function blankMessages(db: Database, ids: readonly number[]): void {
  for (const id of ids) blankMessage(db, id)
}

/** Facts that were said in these messages. */
export const listSaidIn = (
  db: Database,
  message_ids: readonly number[],
): { id: number; owner_id: number; text: string }[] =>
  db
    .query(
      `SELECT memory.id AS id, owner_id, coalesce(text, '') AS text FROM fact JOIN memory ON memory.id = memory_id
       WHERE said_in IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(message_ids)) as { id: number; owner_id: number; text: string }[]

function blankMessage(db: Database, id: number): void {
  const row = db.query("SELECT session_id, turn_id, parts FROM message WHERE id = ?").get(id) as {
    session_id: number
    turn_id: string
    parts: string
  } | null
  if (!row) return
  const parts = blank(JSON.parse(row.parts) as Part[])
  db.query("UPDATE message SET parts = $parts, text = $text, metadata = NULL WHERE id = $id").run({
    id,
    parts: JSON.stringify(parts),
    text: textOf(parts),
  })
  // Its events and what its request was answered say it all again; a turn that still runs would write them at its end.
  db.query(
    `UPDATE turn SET events = iif(state = 'running', '[]', NULL), outcome = json_replace(outcome, '$.result.text', $text) WHERE id = $turn_id`,
  ).run({ turn_id: row.turn_id, text: forgotten_text })
  db.query(
    "DELETE FROM tool_result WHERE scope = (SELECT key FROM session WHERE id = ?) AND created_ms >= (SELECT created_ms FROM message WHERE id = ?) - 600000",
  ).run(row.session_id, id)
  const made = db
    .query(
      `SELECT id FROM memory WHERE message_id = $id AND kind <> 'fact'
       UNION SELECT memory_id FROM summary
         WHERE session_id = $session_id AND first_message <= $id AND last_message >= $id`,
    )
    .all({ id, session_id: row.session_id }) as { id: number }[]
  removeMemories(
    db,
    made.map((one) => one.id),
  )
}

/** The same parts with nothing in them; calls and results keep their ids, without which no provider takes them. */
function blank(parts: Part[]): Part[] {
  const kept = parts.flatMap((part): Part[] => {
    if (part.type === "tool_use") return [{ type: "tool_use", id: part.id, name: part.name, input: {} }]
    if (part.type !== "tool_result") return []
    const { type, id, name, is_error } = part
    return [{ type, id, name, is_error, content: forgotten_text }]
  })
  const had_text = parts.some(({ type }) => type === "text" || type === "image" || type === "file")
  return had_text || kept.length === 0 ? [{ type: "text", text: forgotten_text }, ...kept] : kept
}

/** What the log of the database still has of before is folded in and cut off. */
export function foldAway(db: Database): void {
  db.run("PRAGMA wal_checkpoint(TRUNCATE)")
}
