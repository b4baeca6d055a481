/** The host functions of one call: every grant is checked here, on every call of one. */
import type { Log } from "../base/log.ts"
import type { Capability } from "../config/capability.ts"
import type { Store } from "../store/open.ts"
import type { HostCalls } from "./module.ts"
import type { PluginCall } from "./plugin.ts"

export type HostContext = Omit<PluginCall, "agent"> & {
  plugin: string
  /** undefined for a channel's adapter, which works for no agent. */
  agent: string | undefined
  capabilities: readonly Capability[]
  /** A value of [secrets]. */
  findSecret(name: string): string | undefined
  store: Store
  log: Pick<Log, "info" | "warn">
  now_ms(): number
}

/** For one call of a plugin; keeps count of what it may use up. */
export type OpenHost = (context: HostContext) => HostCalls
