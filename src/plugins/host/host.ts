/** The host functions of one call: every grant is checked here, on every call of one. */
import type { Log } from "../../base/log.ts"
import type { Capability } from "../../config/capability.ts"
import type { Store } from "../../store/open.ts"
import type { HostCalls } from "../module.ts"
import type { PluginCall } from "../plugin.ts"

export type HostContext = Omit<PluginCall, "agent"> & {
  plugin: string
  /** undefined for a channel's adapter, which works for no agent. */
  agent: string | undefined
  capabilities: readonly Capability[]
  /** A value of [secrets]. */
  findSecret(name: string): string | undefined
  /** What the plugin is called with, so that nobody's words in it are taken for the plugin's own. */
  input: Uint8Array
  /** Of what one host function answers. */
  output_bytes_max: number
  store: Store
  log: Pick<Log, "info" | "warn">
  now_ms(): number
}

/**
 * For one call of a plugin; keeps count of what it may use up. What it answers to, with JSON as its argument and answer
 * where nothing else is said:
 *
 * - http_fetch `{url, method?, headers?, body? | body_base64?}` → `{status, headers, body | body_base64}`: `body` where it
 *   is UTF-8. "{{secret:NAME}}" is filled in after the host in the URL, in the values of headers and in `body`.
 * - store_get `{store, key}` → the value's bytes; store_put `{store, key, value: string | null}` → nothing, null deletes;
 *   store_list `{store, prefix?, after?}` → a list of at most 1,000 keys in order, those after `after`.
 * - log: text → nothing.
 * - fs_read, fs_write, fs_list, fs_stat as frames.ts has them.
 */
export type OpenHost = (context: HostContext) => HostCalls
