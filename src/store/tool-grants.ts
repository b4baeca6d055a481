import type { Database } from "bun:sqlite"

export type GrantRow = {
  id: string
  agent: string
  /** null: for every session. */
  session_key: string | null
  tool: string
  /** Of the targets. */
  hash: string
  summary: string
  given_by: string
  created_ms: number
}

export function addGrant(db: Database, grant: GrantRow): void {
  db.query(
    `INSERT INTO tool_grant (id, agent, session_key, tool, hash, summary, given_by, created_ms)
     VALUES ($id, $agent, $session_key, $tool, $hash, $summary, $given_by, $created_ms)`,
  ).run(grant)
}

export const findGrant = (
  db: Database,
  { agent, session_key, tool, hash }: Pick<GrantRow, "agent" | "session_key" | "tool" | "hash">,
): GrantRow | undefined =>
  (db
    .query(
      `SELECT * FROM tool_grant WHERE hash = $hash AND agent = $agent AND tool = $tool
         AND (session_key IS NULL OR session_key = $session_key) LIMIT 1`,
    )
    .get({ agent, session_key, tool, hash }) as GrantRow | null) ?? undefined

export const getGrant = (db: Database, id: string): GrantRow | undefined =>
  (db.query("SELECT * FROM tool_grant WHERE id = ?").get(id) as GrantRow | null) ?? undefined

/** Oldest first. */
export const listGrants = (db: Database): GrantRow[] =>
  db.query("SELECT * FROM tool_grant ORDER BY id").all() as GrantRow[]

export function removeGrant(db: Database, id: string): void {
  db.query("DELETE FROM tool_grant WHERE id = ?").run(id)
}
