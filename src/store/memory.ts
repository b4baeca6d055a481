/** Rows that a search can find, whose they are, and their words. */
import type { Database } from "bun:sqlite"

export const memory_kinds = ["message", "tool_result", "summary", "fact", "note"] as const
export type MemoryKind = (typeof memory_kinds)[number]

export type MemorySource = "conversation" | "user" | "agent" | "model" | "import"

/** One sender's memory with an agent; the agent's own (sender ""); or what the agent put into a shared namespace. */
export type Owner = { agent: string; sender: string; namespace: string }

export type NewMemory = {
  owner_id: number
  kind: MemoryKind
  session_id: number | null
  message_id: number | null
  /** Null where it is the whole text of the message. */
  text: string | null
  hash: Uint8Array
  importance: number
  source: MemorySource
  created_ms: number
  tags: readonly string[]
  /** What the index has of it: folded words. */
  words: string
}

export type MemoryRow = Omit<NewMemory, "tags" | "words" | "hash" | "text"> & {
  id: number
  text: string
  agent: string
  sender: string
  namespace: string
  session_key: string | null
  used_ms: number | null
  uses: number
}

/** The owner's number, given at its first use. */
export function takeOwner(db: Database, { agent, sender, namespace }: Owner): number {
  const found = findOwner(db, { agent, sender, namespace })
  if (found !== undefined) return found
  const { lastInsertRowid } = db
    .query("INSERT INTO memory_owner (agent, sender, namespace) VALUES ($agent, $sender, $namespace)")
    .run({ agent, sender, namespace })
  return Number(lastInsertRowid)
}

export function findOwner(db: Database, { agent, sender, namespace }: Owner): number | undefined {
  const row = db
    .query("SELECT id FROM memory_owner WHERE agent = $agent AND sender = $sender AND namespace = $namespace")
    .get({ agent, sender, namespace }) as { id: number } | null
  return row?.id
}

export type OwnerRow = Owner & { id: number }

/** All owners of an agent (its own, its senders', what it shares), or of all agents. */
export const listOwners = (db: Database, agent?: string): OwnerRow[] =>
  db
    .query("SELECT id, agent, sender, namespace FROM memory_owner WHERE $agent IS NULL OR agent = $agent")
    .all({ agent: agent ?? null }) as OwnerRow[]

/** What agents put into these namespaces. */
export const listShared = (db: Database, namespaces: readonly string[]): OwnerRow[] =>
  db
    .query(
      `SELECT id, agent, sender, namespace FROM memory_owner
       WHERE namespace <> '' AND namespace IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(namespaces)) as OwnerRow[]

/** Answers its number. */
export function addMemory(db: Database, { tags, words, ...row }: NewMemory): number {
  const { lastInsertRowid } = db
    .query(
      `INSERT INTO memory (owner_id, kind, session_id, message_id, text, hash, importance, source, created_ms)
       VALUES ($owner_id, $kind, $session_id, $message_id, $text, $hash, $importance, $source, $created_ms)`,
    )
    .run(row)
  const id = Number(lastInsertRowid)
  if (words)
    db.query("INSERT INTO memory_fts (rowid, owner, body) VALUES (?, ?, ?)").run(
      id,
      `o${row.owner_id}`,
      words,
    )
  addTags(db, id, tags)
  return id
}

/** Beside those that it has. */
export function addTags(db: Database, id: number, tags: readonly string[]): void {
  for (const tag of tags) db.query("INSERT OR IGNORE INTO memory_tag VALUES (?, ?)").run(id, tag)
}

/** Removes rows with their words, tags, facts and vectors; answers how many there were. */
export function removeMemories(db: Database, ids: readonly number[]): number {
  return db.query("DELETE FROM memory WHERE id IN (SELECT value FROM json_each(?))").run(JSON.stringify(ids))
    .changes
}

/** Rows by their numbers, in the order of the numbers given; those that are gone are left out. */
export function getMemories(db: Database, ids: readonly number[]): MemoryRow[] {
  const rows = db
    .query(`${memory_columns} WHERE memory.id IN (SELECT value FROM json_each(?))`)
    .all(JSON.stringify(ids)) as MemoryRow[]
  const by_id = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => by_id.get(id) ?? [])
}

export const memory_columns = `SELECT memory.id, owner_id, kind, memory.session_id, message_id, coalesce(memory.text, message.text, '') AS text,
    importance, source, memory.created_ms, used_ms, uses, memory_owner.agent, sender, namespace,
    session.key AS session_key
  FROM memory JOIN memory_owner ON memory_owner.id = owner_id
    LEFT JOIN message ON message.id = message_id LEFT JOIN session ON session.id = memory.session_id`
