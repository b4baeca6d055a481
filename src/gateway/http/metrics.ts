import type { App } from "../app.ts"

type Sample = { labels?: Record<string, string>; value: number }

/** The counters in the Prometheus text format, version 0.0.4. */
export function metricsText(app: App): string {
  const { metrics, turns } = app
  const { running, waiting } = turns.counts()
  const { heapUsed } = process.memoryUsage()
  const families: [name: string, type: "gauge" | "counter", help: string, samples: Sample[]][] = [
    ["weft_info", "gauge", "The running version.", [{ labels: { version: app.version }, value: 1 }]],
    ["weft_uptime_seconds", "gauge", "Since the start.", [{ value: (app.now_ms() - app.started_ms) / 1000 }]],
    ["weft_connections", "gauge", "Open sockets.", [{ value: metrics.connections }]],
    ["weft_connections_total", "counter", "Sockets since the start.", [{ value: metrics.connections_total }]],
    ["weft_unauthenticated", "gauge", "Sockets without a token yet.", [{ value: metrics.unauthenticated }]],
    ["weft_frames_total", "counter", "Frames received.", [{ value: metrics.requests_total }]],
    [
      "weft_slow_readers_total",
      "counter",
      "Sockets closed with 4008.",
      [{ value: metrics.slow_readers_total }],
    ],
    ["weft_turns_running", "gauge", "Turns being worked on.", [{ value: running }]],
    ["weft_turns_waiting", "gauge", "Turns in a session's queue.", [{ value: waiting }]],
    [
      "weft_turns_total",
      "counter",
      "Ended turns by how they ended.",
      [...metrics.turns_total].map(([stop_reason, value]) => ({ labels: { stop_reason }, value })),
    ],
    ["weft_turn_seconds_total", "counter", "Time that turns took.", [{ value: metrics.turn_seconds_total }]],
    [
      "weft_tokens_total",
      "counter",
      "Tokens that models read and wrote.",
      Object.entries(metrics.tokens_total).map(([direction, value]) => ({ labels: { direction }, value })),
    ],
    [
      "weft_tool_calls_total",
      "counter",
      "Calls of tools by how they ended.",
      [...metrics.tool_calls_total].map(([key, value]) => {
        const [tool = "", outcome = ""] = key.split(" ")
        return { labels: { tool, outcome }, value }
      }),
    ],
    [
      "weft_tool_seconds_total",
      "counter",
      "Time that calls of tools took.",
      [{ value: metrics.tool_seconds_total }],
    ],
    ["weft_plugins", "gauge", "Configured plugins by how they stand.", pluginsByState(app)],
    [
      "weft_plugin_calls_total",
      "counter",
      "Calls that reached a plugin by how they ended.",
      [...metrics.plugin_calls_total].map(([key, value]) => {
        const [plugin = "", outcome = ""] = key.split(" ")
        return { labels: { plugin, outcome }, value }
      }),
    ],
    [
      "weft_webhooks_total",
      "counter",
      "Requests of platforms by what became of them.",
      [...metrics.webhooks_total].map(([key, value]) => {
        const [channel = "", outcome = ""] = key.split(" ")
        return { labels: { channel, outcome }, value }
      }),
    ],
    ["weft_resident_bytes", "gauge", "Resident memory.", [{ value: process.memoryUsage.rss() }]],
    ["weft_heap_bytes", "gauge", "JavaScript heap in use.", [{ value: heapUsed }]],
  ]
  return families
    .map(([name, type, help, samples]) => {
      const lines = samples.map(({ labels, value }) => `${name}${toLabels(labels)} ${value}`)
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n")
    })
    .join("")
}

function pluginsByState({ plugins }: App): Sample[] {
  const states = Map.groupBy(plugins.list(), ({ state }) => state)
  return [...states].map(([state, list]) => ({ labels: { state }, value: list.length }))
}

function toLabels(labels: Record<string, string> | undefined): string {
  if (!labels) return ""
  const list = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `{${list.join(",")}}`
}
