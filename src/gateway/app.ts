import type { TSchema } from "@sinclair/typebox"
import type { Agents } from "../agent/agents.ts"
import type { Approvals } from "../agent/approvals.ts"
import type { CallDeps } from "../agent/call.ts"
import type { ModelChoice, Models } from "../agent/model.ts"
import type { Turns } from "../agent/turns.ts"
import type { Log } from "../base/log.ts"
import type { Channels } from "../channels/channel.ts"
import type { MemoryConfig } from "../memory/config.ts"
import type { MemoryEngine, OpenedMemory } from "../memory/open.ts"
import type { MemorySettings } from "../memory/service.ts"
import type { Plugins, PluginTool } from "../plugins/plugin.ts"
import type { RetentionConfig } from "../store/config.ts"
import type { Store } from "../store/open.ts"
import type { AnyTool } from "../tools/tool.ts"
import type { Auth } from "./auth.ts"
import type { Router } from "./bindings.ts"
import type { GatewayConfig } from "./config.ts"
import type { Files } from "./files.ts"
import type { Hub } from "./hub.ts"
import type { Metrics } from "./metrics.ts"
import type { Webhooks } from "./webhooks.ts"

/** What follows from the configuration; replaced as a whole when that changes. */
export type Live = {
  gateway: GatewayConfig
  retention: RetentionConfig
  memory: MemoryConfig
  /** What the memory needs of all this; `deps` is what outlives a change of the configuration. */
  toMemorySettings(deps: { store: Store; log: Log; now_ms(): number }, engine: MemoryEngine): MemorySettings
  /** The configuration as it may be shown: without any secret. */
  shown: Record<string, unknown>
  agents: Agents
  default_agent: string
  route: Router
  models: Models
  providers(): { id: string; state: string }[]
  /** Whether a model that an agent may use has the key that it needs. */
  isReady(choice: ModelChoice): boolean
  /** The built-in ones, and those of plugins. */
  tools: readonly AnyTool[]
  approval_timeout_ms: number
  channels: Channels
  /** A value of [secrets]. */
  findSecret(name: string): string | undefined
  /** The same with agents that have other plugins' tools to choose from. */
  withPlugins(tools: readonly PluginTool[]): Live
}

/** What a method says of itself. */
export type MethodInfo = { name: string; summary: string; scope: string; params: TSchema; result: TSchema }

/** What every method can reach. Built once, at the start. */
export type App = {
  version: string
  started_ms: number
  log: Log
  now_ms(): number
  store: Store
  memory: OpenedMemory
  auth: Auth
  turns: Turns
  approvals: Approvals
  /** For a tool that is called without a turn. */
  calls: CallDeps
  hub: Hub
  files: Files
  plugins: Plugins
  webhooks: Webhooks
  metrics: Metrics
  methods: readonly MethodInfo[]
  live(): Live
}
