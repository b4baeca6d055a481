/** What follows from the configuration: read, put together, and put together anew when the file changes. */
import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { openAgents } from "./agent/agents.ts"
import { toMemorySettings } from "./agent/memory-settings.ts"
import { toTool } from "./agent/plugin-tool.ts"
import { toTrace } from "./base/errors.ts"
import { openChannels, weakSecrets } from "./channels/channel.ts"
import type { GatewayFlags } from "./cli/deps.ts"
import { own_channels } from "./config/check.ts"
import type { Home } from "./config/home.ts"
import type { Environment, Flag } from "./config/overrides.ts"
import { describeProblem } from "./config/problem.ts"
import { files, readConfig } from "./config/read.ts"
import { changesNeedingRestart } from "./config/restart.ts"
import { credentialPath, providerKey } from "./config/secrets.ts"
import type { App, Live } from "./gateway/app.ts"
import { openRouter } from "./gateway/bindings.ts"
import type { Hub } from "./gateway/hub.ts"
import type { Metrics } from "./gateway/metrics.ts"
import type { Plugins, PluginsSettings } from "./plugins/plugin.ts"
import { openPlugins, type PluginsOptions } from "./plugins/plugins.ts"
import { openProviders } from "./providers/providers.ts"
import { type Config, names, providers, reserved_names, sections, tools } from "./registry.ts"
import type { AnyTool } from "./tools/tool.ts"

export type Loaded = { config: Config; shown: Record<string, unknown>; warnings: string[]; text: string }

export async function readLoaded(home: Home, flags: GatewayFlags, env: Environment): Promise<Loaded> {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined)
  const list: Flag[] = given.map(([name, value]) => ({
    flag: `--${name}`,
    key: `gateway.${name}`,
    value: value!,
  }))
  const { config, shown, warnings, text } = await readConfig({ home, sections, names, env, flags: list })
  const told = warnings.map(describeProblem)
  return { config, shown, warnings: [...told, ...weakSecrets(config.channels), ...notYet(config)], text }
}

/** What may be configured by now but is acted on by later versions only; nobody should rely on it unaware. */
function notYet({ budgets }: Config): string[] {
  const idle: [set: boolean, what: string][] = [
    [Object.keys(budgets).length > 0, "budgets: this version counts usage but does not enforce budgets yet"],
  ]
  return idle.filter(([set]) => set).map(([, what]) => what)
}

export async function openLive(
  { config, shown }: Pick<Loaded, "config" | "shown">,
  home: Home,
  env: Environment,
): Promise<Live> {
  // A home without a folder of keys need not be asked for each of them.
  const has_keys = existsSync(dirname(credentialPath(home.home, "any")))
  const readSecretFile = has_keys ? files.readSecretFile : async () => undefined
  const models = await openProviders({
    providers: config.providers,
    declarations: providers,
    findKey: async (name, variables) =>
      (await providerKey(name, variables, { env, home: home.home, readSecretFile }))?.key,
  })
  const { agent, agents, bindings, gateway, retention, memory, tools: tools_config } = config
  const { channels, secrets } = config
  const withTools = (all: readonly AnyTool[]): Pick<Live, "tools" | "agents"> => ({
    tools: all,
    agents: openAgents({
      ...{ agent, agents, models, tools: all, tools_config, env },
      home: home.home,
      config_path: home.config_path,
      folder: dirname(home.config_path),
      isReached: (id) =>
        (id === agent.id && Object.keys(channels).length > 0) ||
        bindings.some(({ agent_id, channel }) => agent_id === id && !own_channels.includes(channel ?? "")),
    }),
  })
  const live: Live = {
    ...withTools(tools),
    gateway,
    retention,
    memory,
    toMemorySettings: (deps, engine) =>
      toMemorySettings(
        { ...deps, memory, configured: [agent, ...agents], agents: live.agents, models, home: home.home },
        engine,
      ),
    shown,
    default_agent: agent.id,
    route: openRouter(bindings, agent.id),
    models,
    providers: () => models.state(),
    isReady: models.isReady,
    approval_timeout_ms: tools_config.approval_timeout_ms,
    channels: openChannels(channels),
    findSecret: (name) => (Object.hasOwn(secrets, name) ? secrets[name] : undefined),
    withPlugins: (list) => ({ ...live, ...withTools([...tools, ...list.map(toTool)]) }),
  }
  return live
}

export type PluginsStart = {
  home: Home
  loaded: Loaded
  env: Environment
  holder: { live: Live }
  hub: Hub
  metrics: Metrics
} & Pick<PluginsOptions, "store" | "log" | "now_ms">

/** Agents are made anew whenever the plugins offer something else. */
export async function startPlugins({
  home,
  loaded,
  env,
  holder,
  hub,
  metrics,
  ...others
}: PluginsStart): Promise<Plugins> {
  let opened: Plugins | undefined
  const choose = () => {
    if (opened) holder.live = holder.live.withPlugins(opened.tools())
  }
  opened = await openPlugins(
    {
      ...others,
      env,
      runners: loaded.config.runners,
      folder: dirname(home.config_path),
      reserved: reserved_names,
      onEvent: (event) => hub.publish(event),
      onChanged: choose,
      onCalled(plugin, outcome) {
        const key = `${plugin} ${outcome}`
        metrics.plugin_calls_total.set(key, (metrics.plugin_calls_total.get(key) ?? 0) + 1)
      },
    },
    pluginsSettings(loaded.config),
  )
  if (opened.tools().length > 0) choose()
  return opened
}

const pluginsSettings = ({ plugins, secrets }: Config): PluginsSettings => ({ plugins, secrets })

export type Following = {
  home: Home
  loaded: Loaded
  load(): Promise<Loaded>
  holder: { live: Live }
  env: Environment
  app: App
  signal: AbortSignal
}

/**
 * Applies each valid change of the file; one that is not valid leaves the old configuration running. So does a file
 * that can be watched no more (the system has a limit of watches): nothing is thrown past this.
 */
export async function followConfig(following: Following): Promise<void> {
  try {
    await follow(following)
  } catch (thrown) {
    const { log } = following.app
    log.error("changes of the configuration are no longer seen until a restart", {
      cause: toTrace(thrown),
    })
  }
}

async function follow({ home, loaded, load, holder, env, app, signal }: Following) {
  const { watchConfig } = await import("./config/watch.ts")
  const loadLive = async () => {
    const { config, shown, warnings } = await load()
    // Against what the process was started with: a second change must not bring the first one into force.
    const needs_restart = changesNeedingRestart(loaded.config, config, sections)
    const gateway = { ...config.gateway, ...pick(loaded.config.gateway, needs_restart) }
    const inForce = {
      ...(shown.gateway as object),
      ...pick(loaded.shown.gateway as Live["gateway"], needs_restart),
    }
    return {
      needs_restart,
      warnings,
      settings: pluginsSettings(config),
      live: await openLive(
        { config: { ...config, gateway }, shown: { ...shown, gateway: inForce } },
        home,
        env,
      ),
    }
  }
  for await (const change of await watchConfig({ home, text: loaded.text, load: loadLive, signal })) {
    if (change.error) {
      app.log.error("the configuration was changed but is not valid; the old one goes on", change.error.data)
      app.hub.publish({ topic: "config.rejected", data: change.error.data, scope: "admin" })
      continue
    }
    const { live, needs_restart, warnings, settings } = change.loaded
    holder.live = live.withPlugins(app.plugins.tools())
    app.memory.configure()
    await app.plugins.configure(settings)
    if (needs_restart.length > 0) {
      app.log.warn("changed, but in force only after a restart", { keys: needs_restart })
    }
    for (const warning of warnings) app.log.warn("configuration", { warning })
    app.log.info("the configuration was reloaded")
    app.hub.publish({ topic: "config.reloaded", data: { needs_restart } })
  }
}

/** Of the gateway's section, the fields that a restart would change. */
const pick = (gateway: Live["gateway"], keys: string[]): Partial<Live["gateway"]> =>
  Object.fromEntries(
    Object.entries(gateway).filter(([name]) => keys.some((key) => key.startsWith(`gateway.${name}`))),
  )
