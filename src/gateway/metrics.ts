/** What the gateway counts. Plain numbers, so that counting costs nothing; `/metrics` gives them their form. */
export type Metrics = {
  connections: number
  connections_total: number
  unauthenticated: number
  requests_total: number
  turns_total: Map<string, number>
  turn_seconds_total: number
  tokens_total: { input: number; output: number }
  slow_readers_total: number
  /** By tool and outcome, with a space between them. */
  tool_calls_total: Map<string, number>
  tool_seconds_total: number
  /** By plugin and outcome, with a space between them. */
  plugin_calls_total: Map<string, number>
  /** By channel and outcome, with a space between them. */
  webhooks_total: Map<string, number>
}

export const openMetrics = (): Metrics => ({
  connections: 0,
  connections_total: 0,
  unauthenticated: 0,
  requests_total: 0,
  turns_total: new Map(),
  turn_seconds_total: 0,
  tokens_total: { input: 0, output: 0 },
  slow_readers_total: 0,
  tool_calls_total: new Map(),
  tool_seconds_total: 0,
  plugin_calls_total: new Map(),
  webhooks_total: new Map(),
})

/** Counts a turn that is over. */
export function countTurn(metrics: Metrics, stop_reason: string, outcome: object, duration_ms: number): void {
  metrics.turns_total.set(stop_reason, (metrics.turns_total.get(stop_reason) ?? 0) + 1)
  metrics.turn_seconds_total += duration_ms / 1000
  const { usage } =
    (outcome as { result?: { usage: { input_tokens: number; output_tokens: number } } }).result ?? {}
  metrics.tokens_total.input += usage?.input_tokens ?? 0
  metrics.tokens_total.output += usage?.output_tokens ?? 0
}
