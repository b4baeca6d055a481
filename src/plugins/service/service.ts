/** The configured plugins as they stand: watched on the disk, taken into service and out of it. */
import { AppError } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import { once } from "../../base/once.ts"
import { findPlugin, type PluginRow, putPlugin } from "../../store/plugins.ts"
import type { Pool } from "../module.ts"
import type { Plugins, PluginsSettings } from "../plugin.ts"
import type { PluginsOptions } from "../plugins.ts"
import { openPool } from "../pool/pool.ts"
import { describeWith } from "./described.ts"
import { type Entry, newEntry, serviceOf } from "./entry.ts"
import { toGrants, toInfo } from "./info.ts"
import type { InService, Standing } from "./look.ts"
import { makeOffer, no_offer, type OfferDeps } from "./offer.ts"
import { openRun, type Serving } from "./running.ts"
import { openSettling } from "./settle.ts"
import { type PluginEvent, tellTransition } from "./transition.ts"

/** How long a change of a file may go unnoticed while nobody calls the plugin. */
const watch_every_ms = 500

export function openService(options: PluginsOptions): Plugins {
  const { store, log, now_ms, folder, env, onEvent, onCalled, onChanged, reserved } = options
  let entries = new Map<string, Entry>()
  let secrets: PluginsSettings["secrets"] = {}
  let offer = no_offer
  /** Told once what is offered goes with them. */
  const news: PluginEvent[] = []
  const stop = new AbortController()
  let opened: Pool | undefined
  // Nothing runs before the first call: what was approved once is in service without it.
  const pool = () => {
    opened ??= openPool(options.runners)
    return opened
  }
  const describe = describeWith(pool, options.runners, stop.signal)
  const run = openRun({ pool, store, log, now_ms, env, secrets: () => secrets })
  const offer_deps: OfferDeps = {
    ...{ run, serve, reserved, log, onEvent },
    onCalled(plugin, outcome) {
      onCalled(plugin, outcome)
      // Known from the first runner that started; a call may have failed before there was one.
      if (opened?.missing()?.length) tellWalls()
    },
  }

  const tellWalls = once(() =>
    log.warn("this system does not put every wall around plugins", { missing: opened?.missing() }),
  )

  const { isStale, settle, settleIfStale, settleAll } = openSettling({
    ...{ store, now_ms, describe, log, onStood },
    signal: stop.signal,
  })

  function onStood(entry: Entry, was: Standing): void {
    const { config, standing } = entry
    if (entries.get(config.name) !== entry) return
    if (was.state === "ready") opened?.retire(config.name)
    const event = tellTransition(config.name, was, standing, log)
    if (event) news.push(event)
  }

  /** Says so where something else is offered than before. */
  function renew(): void {
    const { key, collisions } = offer
    offer = makeOffer(offer, entries, offer_deps)
    for (const [plugin, reason] of offer.collisions) {
      if (collisions.get(plugin) !== reason) log.warn("a plugin is not in service", { plugin, reason })
    }
    if (offer.key !== key) onChanged()
    for (const event of news.splice(0)) onEvent(event)
  }

  function serve(entry: Entry, service: InService): Serving {
    const { name } = entry.config
    const isServing = () =>
      entries.get(name) === entry && serviceOf(entry.standing) === service && !offer.collisions.has(name)
    return {
      plugin: name,
      module: service.module,
      granted: () => entry.granted,
      async check() {
        if (isServing() && !isStale(entry)) return
        await settleIfStale(entry)
        renew()
        if (!isServing()) throw new Error(outOfService(entry))
      },
    }
  }

  function outOfService({ config: { name }, standing }: Entry): string {
    if (!entries.has(name)) return `The plugin "${name}" is not configured any more.`
    const state = offer.collisions.has(name) ? "refused" : standing.state
    return state === "ready"
      ? `The plugin "${name}" was replaced meanwhile. What it offers now can be called in the next turn.`
      : `The plugin "${name}" is out of service (${state}); its operator has to look at it.`
  }

  function entryOf(name: string): Entry {
    const entry = entries.get(name)
    if (!entry) throw new AppError("not_found", { plugin: name })
    return entry
  }

  const infoOf = ({ config, standing }: Entry) => toInfo(config, standing, offer.collisions.get(config.name))

  async function configure(settings: PluginsSettings): Promise<void> {
    const before = entries
    secrets = settings.secrets
    entries = new Map(
      settings.plugins.map((config) => {
        const entry = before.get(config.name) ?? newEntry(config)
        return [config.name, Object.assign(entry, { config, granted: toGrants(config, folder) })]
      }),
    )
    for (const [name, { standing }] of before) {
      if (entries.has(name)) continue
      opened?.retire(name)
      if (standing.state === "ready") news.push({ topic: "plugin.unloaded", data: { name } })
    }
    await settleAll([...entries.values()])
    renew()
  }

  async function watch(): Promise<void> {
    const list = [...entries.values()].filter(isStale)
    if (list.length === 0) return
    await settleAll(list, settleIfStale)
    renew()
  }

  const watching = startWatching(watch, log)
  return {
    list: () => [...entries.values()].map(infoOf),
    tools: () => offer.tools,
    adapter: (plugin) => offer.adapters.get(plugin),
    async load(name, by, sha256) {
      const entry = entryOf(name)
      await settle(entry, { by, sha256 })
      renew()
      const info = infoOf(entry)
      if (info.state === "ready") return info
      throw new AppError("plugin_refused", { plugin: name, state: info.state, reason: info.reason })
    },
    async unload(name) {
      const entry = entryOf(name)
      await settle(entry, undefined, async () => {
        await store.commit((db) => {
          const row = findPlugin(db, name) ?? neverApproved(name, now_ms())
          putPlugin(db, { ...row, is_unloaded: true })
        })
      })
      renew()
      return infoOf(entry)
    },
    configure,
    warm() {
      const is_wanted = ({ standing }: Entry) => serviceOf(standing)?.module.engine === "reactor"
      if ([...entries.values()].some(is_wanted)) pool().warm()
    },
    missing: () => opened?.missing(),
    runners: () => opened?.runners() ?? [],
    async [Symbol.asyncDispose]() {
      stop.abort(new AppError("shutting_down"))
      await watching[Symbol.asyncDispose]()
      await Promise.all([...entries.values()].map(({ lane }) => lane))
      await opened?.[Symbol.asyncDispose]()
    },
  }
}

const neverApproved = (name: string, approved_ms: number): PluginRow => ({
  ...{ name, sha256: "", manifest_sha256: "", asks: [], described: null },
  ...{ approved_by: "", approved_ms, is_unloaded: true },
})

/** Looks at times instead of being told: it sees through links and into folders that come later, on any disk. */
function startWatching(look: () => Promise<void>, log: Pick<Log, "error">): AsyncDisposable {
  let looking: Promise<void> | undefined
  const timer = setInterval(() => {
    looking ??= look()
      .catch((thrown) => log.error("plugins could not be looked at", { cause: Bun.inspect(thrown) }))
      .finally(() => {
        looking = undefined
      })
  }, watch_every_ms)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
    },
  }
}
