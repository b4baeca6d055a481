/** Puts a gateway together from the registry and a home, and takes it apart again. */
import { randomBytes } from "node:crypto"
import { chmod, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { version } from "../package.json"
import { openAgents } from "./agent/agents.ts"
import { openTurns } from "./agent/turns.ts"
import { AppError } from "./base/errors.ts"
import { type Level, type Log, openLog } from "./base/log.ts"
import { findHome, type Home, makeHome } from "./config/home.ts"
import type { Environment, Flag } from "./config/overrides.ts"
import { files as configFiles, readConfig } from "./config/read.ts"
import { changesNeedingRestart } from "./config/restart.ts"
import { providerKey } from "./config/secrets.ts"
import { watchConfig } from "./config/watch.ts"
import type { App, Live } from "./gateway/app.ts"
import { type Auth, openAuth } from "./gateway/auth.ts"
import { openRouter } from "./gateway/bindings.ts"
import { openFiles } from "./gateway/files.ts"
import { openHub } from "./gateway/hub.ts"
import { type Metrics, openMetrics } from "./gateway/metrics.ts"
import { type AnyMethod, openDispatcher } from "./gateway/rpc.ts"
import { startServer } from "./gateway/server.ts"
import { openSockets, type Sockets } from "./gateway/sockets.ts"
import { openProviders } from "./providers/providers.ts"
import { type Config, methods, names, providers, sections, tools } from "./registry.ts"
import { lockHome } from "./store/lock.ts"
import { openStore, type Store } from "./store/open.ts"
import { purge } from "./store/retention.ts"
import { interruptTurns } from "./store/turns.ts"

export type GatewayOptions = {
  home: string
  config_path?: string
  flags: { gateway?: { port?: number; bind?: string; auth?: string } }
  log_level: Level
  /** For one command only: nobody else is told where it listens, and it waits for its turn on the home. */
  private?: boolean
  env?: Environment
  /** Instead of the registry's. */
  methods?: readonly AnyMethod[]
}

export type Gateway = {
  url: string
  token: string
  home: string
  warnings: string[]
  closed: Promise<void>
  stop(how: "drain" | "now"): Promise<void>
}

type Loaded = { config: Config; shown: Record<string, unknown>; warnings: string[]; text: string }

const lock_wait_ms = 5000
const purge_every_ms = 3_600_000
const token_chars_min = 32

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const env = options.env ?? process.env
  const home = findHome({ home: options.home, config: options.config_path }, env)
  const load = () => readLoaded(home, options, env)
  const loaded = await load()
  // Whatever is written from here on is for the owner only.
  process.umask(0o077)
  await makeHome(home.home)
  await using stack = new AsyncDisposableStack()
  stack.use(await takeHome(home.home, options.private ? lock_wait_ms : 0))

  const log = openLog(options.log_level, (line) => process.stderr.write(line))
  const store = stack.use(openStore(join(home.home, "weft.db")))
  await chmod(join(home.home, "weft.db"), 0o600)
  const now_ms = Date.now
  const interrupted = await store.commit((db) => interruptTurns(db, now_ms()))
  if (interrupted > 0) log.warn("turns were running when the gateway last ended", { count: interrupted })

  const holder: { live: Live } = { live: await openLive(loaded, home, env) }
  const { app, sockets, dispatcher } = openApp({
    holder,
    home,
    store,
    log,
    now_ms,
    loaded,
    methods: options.methods ?? methods,
  })
  const token = await operatorToken(app.auth, home.home, env)
  const purging = startPurging(app)
  stack.defer(() => clearInterval(purging))

  const server = await startServer(app, dispatcher, sockets, loaded.config.gateway)
  stack.defer(() => server.stop())
  stack.defer(() => sockets.closeAll())
  const state_path = join(home.home, "gateway.json")
  const told = {
    pid: process.pid,
    ...(!options.private && { url: server.url }),
    version,
    started_ms: app.started_ms,
  }
  await writeFile(state_path, `${JSON.stringify(told)}\n`, { mode: 0o600 })
  stack.defer(() => rm(state_path, { force: true }))
  const watching = new AbortController()
  stack.defer(() => watching.abort())
  if (!options.private) void followConfig({ home, loaded, load, holder, env, app, signal: watching.signal })

  log.info("the gateway listens", { url: server.url, home: home.home })
  return running({
    app,
    stack: stack.move(),
    url: server.url,
    token,
    home: home.home,
    warnings: loaded.warnings,
  })
}

async function readLoaded(home: Home, { flags }: GatewayOptions, env: Environment): Promise<Loaded> {
  const given = Object.entries(flags.gateway ?? {}).filter(([, value]) => value !== undefined)
  const list: Flag[] = given.map(([name, value]) => ({
    flag: `--${name}`,
    key: `gateway.${name}`,
    value: value!,
  }))
  const { config, shown, warnings, text } = await readConfig({ home, sections, names, env, flags: list })
  const told = warnings.map(({ file, line, column, key, expected }) => {
    const place = line === undefined ? file : `${file}:${line}:${column}`
    return `${place}: ${key}: expected ${expected}`
  })
  return { config, shown, warnings: [...told, ...notYet(config)], text }
}

/** What may be configured by now but is acted on by later versions only; nobody should rely on it unaware. */
function notYet({ plugins, channels, budgets, agent, agents, secrets }: Config): string[] {
  const all = [agent, ...agents]
  const idle: [set: boolean, what: string][] = [
    [plugins.length > 0, "plugins: this version does not run plugins yet"],
    [Object.keys(channels).length > 0, "channels: this version has no channels yet but WebSocket and HTTP"],
    [Object.keys(budgets).length > 0, "budgets: this version counts usage but does not enforce budgets yet"],
    [all.some(({ permissions }) => permissions), "permissions: no tool of this version needs any"],
    [all.some(({ sandbox }) => sandbox), "sandbox: no tool of this version executes anything"],
    [Object.keys(secrets).length > 0, "secrets: nothing of this version uses them"],
  ]
  return idle.filter(([set]) => set).map(([, what]) => what)
}

async function takeHome(home: string, wait_ms: number): Promise<Disposable> {
  const until = performance.now() + wait_ms
  for (;;) {
    const lock = lockHome(join(home, "lock"))
    if (lock) return lock
    if (performance.now() >= until) break
    await Bun.sleep(50)
  }
  const file = Bun.file(join(home, "gateway.json"))
  const holder = (await file.exists()) ? ((await file.json()) as { pid?: number; url?: string }) : {}
  throw new AppError("already_running", { home, pid: holder.pid, url: holder.url })
}

async function openLive({ config, shown }: Loaded, home: Home, env: Environment): Promise<Live> {
  const { readSecretFile } = configFiles
  const models = await openProviders({
    providers: config.providers,
    declarations: providers,
    findKey: async (name, variables) =>
      (await providerKey(name, variables, { env, home: home.home, readSecretFile }))?.key,
  })
  const { agent, agents, bindings, gateway, retention, memory } = config
  return {
    gateway,
    retention,
    episodic_window: memory.episodic_window,
    shown,
    agents: openAgents({ agent, agents, models, tools, folder: dirname(home.config_path) }),
    default_agent: agent.id,
    route: openRouter(bindings, agent.id),
    models,
    providers: () => models.state(),
    tools,
  }
}

type AppOptions = {
  holder: { live: Live }
  home: Home
  store: Store
  log: Log
  now_ms(): number
  loaded: Loaded
  methods: readonly AnyMethod[]
}

function openApp({ holder, home, store, log, now_ms, loaded, methods }: AppOptions) {
  const hub = openHub()
  const metrics = openMetrics()
  const files = openFiles(store, join(home.home, "files"), now_ms)
  let sockets: Sockets | undefined
  const auth = openAuth(store, now_ms, (token_id) => {
    sockets?.revoke(token_id)
    hub.publish({ topic: "token.revoked", data: { token_id } })
  })
  const turns = openTurns(
    () => ({
      store,
      models: holder.live.models,
      episodic_window: holder.live.episodic_window,
      readFile: files.read,
      now_ms,
    }),
    {
      queue_max: () => holder.live.gateway.queue_max,
      onStart({ id, agent, session_key }) {
        hub.publish({ topic: "turn.started", data: { turn_id: id, session_key, agent }, agent })
      },
      onEnd({ id, agent, session_key, log: { entries } }, outcome, duration_ms) {
        const last = entries.at(-1)?.event
        const stop_reason = last?.type === "done" ? last.stop_reason : "error"
        count(metrics, stop_reason, outcome, duration_ms)
        hub.publish({ topic: "turn.done", data: { turn_id: id, session_key, agent, stop_reason }, agent })
      },
    },
  )
  const live = () => holder.live
  const app: App = {
    version,
    started_ms: now_ms(),
    log,
    now_ms,
    store,
    auth,
    turns,
    hub,
    files,
    metrics,
    methods,
    live,
  }
  const dispatcher = openDispatcher(methods, app)
  sockets = openSockets(app, dispatcher)
  for (const warning of loaded.warnings) log.warn("configuration", { warning })
  return { app, sockets, dispatcher }
}

function count(metrics: Metrics, stop_reason: string, outcome: object, duration_ms: number): void {
  metrics.turns_total.set(stop_reason, (metrics.turns_total.get(stop_reason) ?? 0) + 1)
  metrics.turn_seconds_total += duration_ms / 1000
  const { usage } =
    (outcome as { result?: { usage: { input_tokens: number; output_tokens: number } } }).result ?? {}
  metrics.tokens_total.input += usage?.input_tokens ?? 0
  metrics.tokens_total.output += usage?.output_tokens ?? 0
}

/** The token in the home's file, made at the first start, and the one in WEFT_TOKEN. Answers the former. */
async function operatorToken(auth: Auth, home: string, env: Environment): Promise<string> {
  const given = env.WEFT_TOKEN
  if (given !== undefined && given !== "") {
    if (given.length < token_chars_min) {
      throw new AppError("invalid_config", {
        key: "WEFT_TOKEN",
        expected: `at least ${token_chars_min} characters`,
      })
    }
    await auth.adopt(given, "WEFT_TOKEN")
  }
  const path = join(home, "token")
  const file = Bun.file(path)
  const kept = (await file.exists()) ? (await file.text()).trim() : ""
  if (kept.length >= token_chars_min && (await auth.adopt(kept, "operator"))) return kept
  const made = `weft_${randomBytes(32).toString("base64url")}`
  await auth.adopt(made, "operator")
  await writeFile(path, `${made}\n`, { mode: 0o600 })
  return made
}

function startPurging(app: App): Timer {
  const run = () => {
    const { retention } = app.live()
    app.store
      .commit((db) => purge(db, retention, app.now_ms()))
      .catch((thrown) => app.log.error("old rows could not be deleted", { cause: Bun.inspect(thrown) }))
  }
  run()
  const timer = setInterval(run, purge_every_ms)
  timer.unref()
  return timer
}

type Following = {
  home: Home
  loaded: Loaded
  load(): Promise<Loaded>
  holder: { live: Live }
  env: Environment
  app: App
  signal: AbortSignal
}

/** Applies each valid change of the file; one that is not valid leaves the old configuration running. */
async function followConfig({ home, loaded, load, holder, env, app, signal }: Following): Promise<void> {
  let current = loaded
  for await (const change of await watchConfig({ home, text: loaded.text, load, signal })) {
    if (change.error) {
      app.log.error("the configuration was changed but is not valid; the old one goes on", change.error.data)
      app.hub.publish({ topic: "config.rejected", data: change.error.data })
      continue
    }
    const restart = changesNeedingRestart(current.config, change.loaded.config, sections)
    if (restart.length > 0) app.log.warn("changed, but in force only after a restart", { keys: restart })
    // What needs a restart stays as it is until then, in what is shown as well as in what is done.
    const gateway =
      restart.length > 0
        ? { ...change.loaded.config.gateway, ...pick(holder.live.gateway, restart) }
        : change.loaded.config.gateway
    holder.live = await openLive(
      { ...change.loaded, config: { ...change.loaded.config, gateway } },
      home,
      env,
    )
    current = change.loaded
    for (const warning of change.loaded.warnings) app.log.warn("configuration", { warning })
    app.log.info("the configuration was reloaded")
    app.hub.publish({ topic: "config.reloaded", data: { needs_restart: restart } })
  }
}

/** Of the gateway's section, the fields that a restart would change. */
const pick = (gateway: Live["gateway"], keys: string[]): Partial<Live["gateway"]> =>
  Object.fromEntries(
    Object.entries(gateway).filter(([name]) => keys.some((key) => key.startsWith(`gateway.${name}`))),
  )

type Running = {
  app: App
  stack: AsyncDisposableStack
  url: string
  token: string
  home: string
  warnings: string[]
}

function running({ app, stack, url, token, home, warnings }: Running): Gateway {
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>()
  let stopping = false
  return {
    url,
    token,
    home,
    warnings,
    closed,
    async stop(how) {
      const drained = app.turns.drain(how === "drain" ? app.live().gateway.drain_ms : 0)
      if (stopping) return closed
      stopping = true
      await drained
      stack.disposeAsync().then(resolve, reject)
      await closed
      app.log.info("the gateway stopped")
    },
  }
}
