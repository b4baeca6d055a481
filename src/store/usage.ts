import type { Database } from "bun:sqlite"

export type UsageRecord = {
  turn_id: string
  session_key: string | null
  agent: string
  provider: string
  model: string
  input_tokens: number
  output_tokens: number
  cached_tokens: number
  /** null where the model's price is not known. */
  cost_usd: number | null
  created_ms: number
}

export function addUsage(db: Database, record: UsageRecord): void {
  db.query(
    `INSERT INTO usage (turn_id, session_key, agent, provider, model, input_tokens, output_tokens, cached_tokens,
       cost_usd, created_ms)
     VALUES ($turn_id, $session_key, $agent, $provider, $model, $input_tokens, $output_tokens, $cached_tokens,
       $cost_usd, $created_ms)`,
  ).run(record)
}

export const groupings = {
  none: "'all'",
  day: "strftime('%Y-%m-%d', created_ms / 1000, 'unixepoch')",
  agent: "agent",
  model: "provider || '/' || model",
  session: "coalesce(session_key, '')",
} as const

export type UsageGroup = {
  group: string
  calls: number
  input_tokens: number
  output_tokens: number
  cached_tokens: number
  cost_usd: number
  /** Calls of models whose price is not known; their cost is not in `cost_usd`. */
  unpriced_calls: number
}

export type UsageFilter = {
  by: keyof typeof groupings
  since_ms: number
  until_ms: number
  agents?: string[] | undefined
  session_key?: string | undefined
}

export function sumUsage(
  db: Database,
  { by, since_ms, until_ms, agents, session_key }: UsageFilter,
): UsageGroup[] {
  return db
    .query(
      `SELECT ${groupings[by]} AS "group", count(*) AS calls, sum(input_tokens) AS input_tokens,
         sum(output_tokens) AS output_tokens, sum(cached_tokens) AS cached_tokens,
         coalesce(sum(cost_usd), 0.0) AS cost_usd, sum(cost_usd IS NULL) AS unpriced_calls
       FROM usage WHERE created_ms >= $since_ms AND created_ms < $until_ms
         AND ($agents IS NULL OR agent IN (SELECT value FROM json_each($agents)))
         AND ($session_key IS NULL OR session_key = $session_key)
       GROUP BY 1 ORDER BY 1`,
    )
    .all({
      since_ms,
      until_ms,
      agents: agents ? JSON.stringify(agents) : null,
      session_key: session_key ?? null,
    }) as UsageGroup[]
}
