/** What the plugins in service offer: tools and adapters, made anew when one of them or its grants change. */
import type { Log } from "../../base/log.ts"
import { PluginFailed } from "../module.ts"
import type { PluginAdapter, PluginTool } from "../plugin.ts"
import { openAdapter } from "./adapter.ts"
import { type Entry, serviceOf } from "./entry.ts"
import { findCollisions } from "./info.ts"
import type { InService } from "./look.ts"
import { callerOfAdapter, type Run, type Serving } from "./running.ts"
import { toTools } from "./tool.ts"
import type { PluginEvent } from "./transition.ts"

export type Offer = {
  /** The same for two offers of the same. */
  key: string
  /** Why one that could be in service is not, by plugin. */
  collisions: Map<string, string>
  tools: PluginTool[]
  adapters: Map<string, PluginAdapter>
}

export type OfferDeps = {
  run: Run
  /** For as long as the plugin is in service as it is now. */
  serve(entry: Entry, service: InService): Serving
  /** Names that no tool of a plugin may have. */
  reserved: readonly string[]
  log: Pick<Log, "warn">
  onEvent(event: PluginEvent): void
  onCalled(plugin: string, outcome: string): void
}

export const no_offer: Offer = { key: "[]", collisions: new Map(), tools: [], adapters: new Map() }

/** Returns what was offered before where nothing is different. */
export function makeOffer(before: Offer, entries: ReadonlyMap<string, Entry>, deps: OfferDeps): Offer {
  const serving = [...entries.values()].flatMap((entry) => {
    const service = serviceOf(entry.standing)
    return service ? [{ entry, service, name: entry.config.name }] : []
  })
  const collisions = findCollisions(
    serving.map(({ name, service }) => [name, service] as const),
    deps.reserved,
    [...entries.keys()],
  )
  const offered = serving.filter(({ name }) => !collisions.has(name))
  const key = JSON.stringify(
    offered.map(({ entry: { config, granted }, service: { module, approved_ms } }) => [
      [config.name, config.path, module.sha256, approved_ms],
      granted,
    ]),
  )
  if (key === before.key) return { ...before, collisions }
  const adapters = offered.flatMap(({ name, entry, service }) => {
    const adapter = adapterOf(entry, service, deps)
    return adapter ? [[name, adapter] as const] : []
  })
  const tools = offered.flatMap(({ entry, service }) => toolsOf(entry, service, deps))
  return { key, collisions, tools, adapters: new Map(adapters) }
}

function toolsOf(entry: Entry, service: InService, deps: OfferDeps): PluginTool[] {
  const { name } = entry.config
  const serving = deps.serve(entry, service)
  const tools = toTools(name, service, entry.granted, {
    run: (capabilities, of, request) => deps.run(serving, capabilities, of, request),
  })
  return tools.map((tool) => ({
    ...tool,
    call: (input, of) => counted(name, tool.name, deps, () => tool.call(input, of)),
  }))
}

function adapterOf(entry: Entry, service: InService, deps: OfferDeps): PluginAdapter | undefined {
  const { described } = service
  if (described.kind !== "channel") return undefined
  const serving = deps.serve(entry, service)
  const { name } = entry.config
  const about = { plugin: name, channel: described.channel, capabilities: entry.granted }
  const adapter = openAdapter(about, async (called, input, signal) => {
    const of = await callerOfAdapter(about.capabilities, signal)
    return (await deps.run(serving, about.capabilities, of, { function: called, input })).output
  })
  return {
    ...adapter,
    parseIncoming: (payload, signal) =>
      counted(name, "parse_incoming", deps, () => adapter.parseIncoming(payload, signal)),
    formatOutgoing: (message, signal) =>
      counted(name, "format_outgoing", deps, () => adapter.formatOutgoing(message, signal)),
  }
}

/** Counts a call, and tells of it where it failed. */
async function counted<T>(
  plugin: string,
  call: string,
  { log, onCalled, onEvent }: OfferDeps,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work()
    onCalled(plugin, "ok")
    return result
  } catch (thrown) {
    if (!(thrown instanceof PluginFailed)) throw thrown
    const { kind, message, stderr } = thrown
    onCalled(plugin, kind)
    log.warn("a call of a plugin failed", { plugin, call, kind, reason: message, stderr })
    onEvent({ topic: "plugin.failed", data: { name: plugin, call, kind }, scope: "admin" })
    throw thrown
  }
}
