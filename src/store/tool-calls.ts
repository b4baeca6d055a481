import type { Database } from "bun:sqlite"

export type CallOutcome = "ok" | "error" | "denied" | "aborted"

export type ToolCallRow = {
  id: string
  turn_id: string | null
  session_key: string | null
  agent: string
  tool: string
  /** A JSON list. */
  targets: string
  verdict: "allow" | "deny"
  decided_by: string
  outcome: CallOutcome | null
  duration_ms: number | null
  output_bytes: number | null
  created_ms: number
}

/** Before the effect, or after it for a call without one. The same row again changes nothing but how it ended. */
export function putToolCall(db: Database, call: ToolCallRow): void {
  db.query(
    `INSERT INTO tool_call (id, turn_id, session_key, agent, tool, targets, verdict, decided_by, outcome, duration_ms,
       output_bytes, created_ms)
     VALUES ($id, $turn_id, $session_key, $agent, $tool, $targets, $verdict, $decided_by, $outcome, $duration_ms,
       $output_bytes, $created_ms)
     ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, duration_ms = excluded.duration_ms,
       output_bytes = excluded.output_bytes`,
  ).run(call)
}

export type ToolCallFilter = {
  agents?: string[] | undefined
  session_key?: string | undefined
  /** Ids are in the order of time. */
  before?: string | undefined
  limit: number
}

/** Newest first. */
export const listToolCalls = (
  db: Database,
  { agents, session_key, before, limit }: ToolCallFilter,
): ToolCallRow[] =>
  db
    .query(
      `SELECT * FROM tool_call
       WHERE ($before IS NULL OR id < $before)
         AND ($agents IS NULL OR agent IN (SELECT value FROM json_each($agents)))
         AND ($session_key IS NULL OR session_key = $session_key)
       ORDER BY id DESC LIMIT $limit`,
    )
    .all({
      before: before ?? null,
      agents: agents ? JSON.stringify(agents) : null,
      session_key: session_key ?? null,
      limit,
    }) as ToolCallRow[]
