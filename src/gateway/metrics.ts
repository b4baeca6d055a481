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
})
