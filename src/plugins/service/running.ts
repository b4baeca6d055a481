/** Runs calls of plugins that are in service, each within what its plugin is granted by now. */
import type { Log } from "../../base/log.ts"
import { once } from "../../base/once.ts"
import type { Capability } from "../../config/capability.ts"
import { type Target, ToolDenied } from "../../security/target.ts"
import type { GuardedFetch } from "../../security/web/fetch.ts"
import type { Store } from "../../store/open.ts"
import { isPlaceGranted, isUrlGranted, secretNames } from "../host/grants.ts"
import type { CallResult, Module, Pool } from "../module.ts"
import type { PluginCall } from "../plugin.ts"
import type { ToolRequest } from "./tool.ts"

/** A plugin as it was when somebody was given its tools or its adapter. */
export type Serving = {
  plugin: string
  module: Module
  /** Throws Error with a sentence for the model where it is not in service any more. */
  check(): Promise<void>
  /** By now, which may be other things than when its tools were made. */
  granted(): readonly Capability[]
}

export type RunningDeps = {
  pool(): Pool
  store: Store
  log: Pick<Log, "info" | "warn">
  now_ms(): number
  env: Readonly<Record<string, string | undefined>>
  secrets(): Readonly<Record<string, string>>
}

/** Whose call it is; an adapter works for no agent. */
export type Caller = Omit<PluginCall, "agent"> & { agent: string | undefined }

export type Run = (
  serving: Serving,
  capabilities: readonly Capability[],
  of: Caller,
  request: ToolRequest,
) => Promise<CallResult>

export function openRun({ pool, store, log, now_ms, env, secrets }: RunningDeps): Run {
  // Most gateways' plugins are not called at once.
  const hostCalls = once(() => import("../host/calls.ts"))
  const warned = new Set<string>()

  const valuesOf = (plugin: string, capabilities: readonly Capability[]): Record<string, string> => {
    const values: Record<string, string> = {}
    for (const grant of capabilities) {
      if (grant.type !== "env") continue
      const { name } = grant
      const value = env[name]
      if (value !== undefined) values[name] = value
      else if (!warned.has(`${plugin} ${name}`)) {
        warned.add(`${plugin} ${name}`)
        log.warn("a plugin is granted a variable that is not set", { plugin, variable: name })
      }
    }
    return values
  }

  return async ({ plugin, module, check, granted }, capabilities, of, request) => {
    await check()
    const { openHost } = await hostCalls()
    const now = granted().map(keyOf)
    // Of what its tools were judged by, what has not been taken away since.
    const allowed = capabilities.filter((grant) => now.includes(keyOf(grant)))
    // What the host does for it ends with the call, also where that is over before the host is.
    const over = new AbortController()
    const host = openHost({
      ...of,
      signal: AbortSignal.any([of.signal, over.signal]),
      ...{ plugin, capabilities: allowed, store, log, now_ms },
      input: request.input,
      output_bytes_max: module.limits.output_bytes_max,
      findSecret: (name) => (secretNames(allowed).includes(name) ? secrets()[name] : undefined),
    })
    const env_values = valuesOf(plugin, allowed)
    const call = { ...request, env: env_values, host, signal: of.signal }
    const result = await pool()
      .call(module, call)
      .finally(() => over.abort(new Error("The call is over.")))
    noteWritten(log, { plugin, ...(of.session_key && { session_key: of.session_key }) }, result)
    return result
  }
}

/** Of each of its streams, the last that it wrote; enough to find a mistake by, and no flood. */
const written_chars_max = 2000

/** What a call that went well wrote besides its answer, for whoever writes or runs the plugin. */
function noteWritten(log: Pick<Log, "info">, fields: object, { stdout, stderr }: CallResult): void {
  const streams = Object.entries({ stdout, stderr }).filter(([, text]) => text !== "")
  if (streams.length === 0) return
  const written = streams.map(([name, text]) => [name, text.slice(-written_chars_max)])
  log.info("a plugin wrote", { ...fields, ...Object.fromEntries(written) })
}

const keyOf = (grant: Capability): string => JSON.stringify(grant)

/** For a channel's adapter, which no agent's rules are asked about: its grants are all that it has. */
export async function callerOfAdapter(
  capabilities: readonly Capability[],
  signal: AbortSignal,
): Promise<Caller> {
  return {
    agent: undefined,
    session_key: "",
    signal,
    fetch: await fetchWithin(capabilities),
    openFolder() {
      throw new ToolDenied("A channel's adapter has no folders.")
    },
  }
}

async function fetchWithin(capabilities: readonly Capability[]): Promise<GuardedFetch> {
  const { openFetch } = await import("../../security/web/fetch.ts")
  // Each redirect asks again, and says no scheme: the guarded client takes none from https down to http.
  const permit = ({ text }: Target) => {
    const urls = ["https", "http"].map((scheme) => new URL(`${scheme}://${text}`))
    if (!urls.some((url) => isUrlGranted(capabilities, url))) throw new ToolDenied(`Not granted: ${text}.`)
  }
  return openFetch({ permit, isOpened: (host, port) => isPlaceGranted(capabilities, host, port) })
}
