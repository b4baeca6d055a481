import { AppError } from "../base/errors.ts"
import type { Log } from "../base/log.ts"
import type { Store } from "../store/open.ts"
import type { RunnersConfig } from "./config.ts"
import type { Plugins, PluginsSettings } from "./plugin.ts"
import type { PluginEvent } from "./service/transition.ts"

export type PluginsOptions = {
  /** Those of the start hold until a restart. */
  runners: RunnersConfig
  /** What relative paths of grants start from: the configuration's own. */
  folder: string
  /** The gateway's own; a plugin gets what it is granted of it. */
  env: Readonly<Record<string, string | undefined>>
  store: Store
  log: Log
  now_ms(): number
  /** Names that no tool of a plugin may have. */
  reserved: readonly string[]
  onEvent(event: PluginEvent): void
  /** Told after the tools or adapters have become others. */
  onChanged(): void
  /** Told of every call that reached a plugin: "ok", or the kind of its failure. */
  onCalled(plugin: string, outcome: string): void
}

/** Loads nothing and does nothing before there is a plugin in the configuration. */
export async function openPlugins(options: PluginsOptions, settings: PluginsSettings): Promise<Plugins> {
  const stop = new AbortController()
  let service: Plugins | undefined
  const configure = async (changed: PluginsSettings) => {
    if (!service && changed.plugins.length === 0) return
    const { openService } = await import("./service/service.ts")
    // A service that is opened behind an end would look at files for ever.
    if (stop.signal.aborted) return
    service ??= openService(options)
    await service.configure(changed)
  }
  const found = (name: string) => {
    if (service) return service
    throw new AppError("not_found", { plugin: name })
  }
  await configure(settings)
  return {
    list: () => service?.list() ?? [],
    tools: () => service?.tools() ?? [],
    adapter: (plugin) => service?.adapter(plugin),
    load: async (name, by, sha256) => await found(name).load(name, by, sha256),
    unload: async (name) => await found(name).unload(name),
    configure,
    warm: () => service?.warm(),
    missing: () => service?.missing(),
    runners: () => service?.runners() ?? [],
    async [Symbol.asyncDispose]() {
      stop.abort(new AppError("shutting_down"))
      await service?.[Symbol.asyncDispose]()
    },
  }
}
