/** Puts a gateway together from the registry and a home, and takes it apart again. */
import { chmodSync, rmSync } from "node:fs"
import { join } from "node:path"
import { version } from "../package.json"
import { openApprovals } from "./agent/approvals.ts"
import type { CallDeps } from "./agent/call.ts"
import { nameOf } from "./agent/model.ts"
import { openTurns } from "./agent/turns.ts"
import { checkWalls } from "./agent/walls-check.ts"
import { toTrace } from "./base/errors.ts"
import { type Log, openLog, writeStandardError } from "./base/log.ts"
import type { GatewayOptions as AskedFor, Gateway } from "./cli/deps.ts"
import { findHome, type Home, makeHome, writeState } from "./config/home.ts"
import type { Environment } from "./config/overrides.ts"
import type { App, Live } from "./gateway/app.ts"
import { openAuth } from "./gateway/auth.ts"
import { openFiles } from "./gateway/files.ts"
import { operatorToken, takeHome } from "./gateway/home.ts"
import { type Hub, openHub } from "./gateway/hub.ts"
import { type Limits, limits } from "./gateway/limits.ts"
import { countTurn, type Metrics, openMetrics } from "./gateway/metrics.ts"
import { type AnyMethod, openDispatcher } from "./gateway/rpc.ts"
import { startServer } from "./gateway/server.ts"
import { openSockets, type Sockets } from "./gateway/sockets.ts"
import { openWebhooks } from "./gateway/webhooks.ts"
import { type Following, followConfig, type Loaded, openLive, readLoaded, startPlugins } from "./live.ts"
import { type OpenedMemory, openMemory } from "./memory/open.ts"
import type { Plugins } from "./plugins/plugin.ts"
import { methods } from "./registry.ts"
import { removeLeftovers } from "./security/sandbox/remove.ts"
import { openStore, type Store } from "./store/open.ts"
import { purge, purgeMessagesStep } from "./store/retention.ts"
import { hasRunningTurns, interruptTurns } from "./store/turns.ts"

export type { Gateway }

export type GatewayOptions = AskedFor & {
  env?: Environment
  /** Instead of the registry's. */
  methods?: readonly AnyMethod[]
  /** Instead of the usual ones. */
  limits?: Partial<Limits>
}

const tidy_every_ms = 3_600_000
/** What can wait does so, that the first clients are answered first. */
const settle_ms = 500

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const env = options.env ?? process.env
  const home = findHome({ home: options.home, config: options.config_path }, env)
  const load = () => readLoaded(home, options.flags.gateway ?? {}, env)
  const loaded = await load()
  // Whatever is written from here on is for the owner only.
  process.umask(0o077)
  makeHome(home.home)
  await using stack = new AsyncDisposableStack()
  stack.use(await takeHome(home.home))
  // What a killed gateway left there would send others to an address that is no longer ours.
  const state_path = join(home.home, "gateway.json")
  stack.defer(() => rmSync(state_path, { force: true }))
  const told = { pid: process.pid, version, started_ms: Date.now() }
  writeState(state_path, `${JSON.stringify(told)}\n`)

  const log = openLog(options.log_level, writeStandardError)
  const now_ms = Date.now
  const store = stack.use(await openHomeStore(home.home, log, now_ms))
  const [hub, metrics] = [openHub(), openMetrics()]
  const holder: { live: Live } = { live: await openLive(loaded, home, env) }
  const plugins = stack.use(
    await startPlugins({ holder, home, env, loaded, hub, metrics, store, log, now_ms }),
  )
  const memory = stack.use(
    openMemory({
      ...{ store, log, now_ms },
      folder: join(home.home, "vectors"),
      kernel: env.WEFT_KERNEL,
      settings: (kernel) => holder.live.toMemorySettings({ store, log, now_ms }, kernel),
    }),
  )
  const { app, sockets, dispatcher } = openApp({
    ...{ holder, hub, metrics, plugins, memory },
    home,
    store,
    log,
    now_ms,
    loaded,
    methods: options.methods ?? methods,
    limits: { ...limits, ...options.limits },
  })
  const token = await operatorToken(app.auth, home.home, env.WEFT_TOKEN)
  stack.use(startTidying(app))
  stack.use(app.webhooks)

  const server = await startServer(app, dispatcher, sockets, loaded.config.gateway)
  stack.defer(() => server.stop())
  stack.defer(() => sockets.closeAll())
  if (!options.private) writeState(state_path, `${JSON.stringify({ ...told, url: server.url })}\n`)
  if (!options.private) stack.use(startFollowing({ home, loaded, load, holder, env, app }))
  stack.use(startCheckingWalls(app, join(home.home, "run")))

  const { bind } = loaded.config.gateway
  log.info("the gateway listens", { url: server.url, bind, home: home.home })
  const { agents, default_agent } = holder.live
  const model = nameOf(agents.get(default_agent)!.chain[0]!)
  const told_once = { url: server.url, token, home: home.home, model, warnings: loaded.warnings }
  return { ...told_once, ...untilStopped(app, stack.move()) }
}

/** The home's database, with what a crash left running marked as interrupted. */
async function openHomeStore(home: string, log: Log, now_ms: () => number): Promise<Store> {
  const path = join(home, "weft.db")
  const store = openStore(path)
  chmodSync(path, 0o600)
  const count = hasRunningTurns(store.db) ? await store.commit((db) => interruptTurns(db, now_ms())) : 0
  if (count > 0) log.warn("turns were running when the gateway last ended", { count })
  return store
}

/** So that the first turn does not wait for it. */
const warmMemory = ({ memory, log }: App) =>
  memory.ready().catch((thrown) => log.error("the memory cannot be opened", { cause: toTrace(thrown) }))

function startFollowing(following: Omit<Following, "signal">): Disposable {
  const stop = new AbortController()
  const timer = setTimeout(() => {
    following.app.plugins.warm()
    void warmMemory(following.app)
    void followConfig({ ...following, signal: stop.signal })
  }, settle_ms)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      stop.abort()
    },
  }
}

/**
 * Says what the machine cannot put around programs, and removes what programs left when the last gateway was killed. What
 * keeps it from either is told, too.
 */
function startCheckingWalls({ live, log }: App, run_folder: string): AsyncDisposable {
  let checking: Promise<unknown> | undefined
  const tell = (message: string) => (thrown: unknown) => log.error(message, { cause: toTrace(thrown) })
  const timer = setTimeout(() => {
    checking = Promise.all([
      checkWalls(live().agents, log).catch(tell("the walls around programs could not be tried")),
      removeLeftovers(run_folder).catch(tell("what programs left could not be removed")),
    ])
  }, settle_ms)
  return {
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      // It makes a folder in the home, and takes it away.
      await checking
    },
  }
}

type AppOptions = {
  holder: { live: Live }
  hub: Hub
  metrics: Metrics
  plugins: Plugins
  memory: OpenedMemory
  home: Home
  store: Store
  log: Log
  now_ms(): number
  loaded: Loaded
  methods: readonly AnyMethod[]
  limits: Limits
}

function openApp(options: AppOptions) {
  const { holder, hub, metrics, plugins, memory, home, store, log, now_ms, loaded, methods, limits } = options
  const files = openFiles(store, join(home.home, "files"), now_ms)
  let sockets: Sockets | undefined
  const auth = openAuth(store, now_ms, (token_id) => {
    sockets?.revoke(token_id)
    hub.publish({ topic: "token.revoked", data: { token_id }, scope: "admin" })
  })
  const approvals = openApprovals({
    store,
    now_ms,
    timeout_ms: () => holder.live.approval_timeout_ms,
    isHeard: (agent) => hub.isHeard({ topic: "approval.requested", data: {}, agent, scope: "approve" }),
    onRequested(approval) {
      hub.publish({ topic: "approval.requested", data: approval, agent: approval.agent, scope: "approve" })
    },
    onResolved({ approval_id, agent, tool, session_key }, { decision, by, lasts }) {
      const data = { approval_id, tool, session_key, decision, by, lasts }
      hub.publish({ topic: "approval.resolved", data, agent, scope: "approve" })
    },
  })
  // What a tool made belongs to no token: only who reads the conversation comes to it.
  const keepImage: CallDeps["keepImage"] = async (bytes) => {
    const { id, mime } = await files.put({ bytes, name: null, token_id: "" })
    return { file_id: id, mime }
  }
  const onCalled: CallDeps["onCalled"] = (tool, outcome, duration_ms) => {
    const key = `${tool} ${outcome}`
    metrics.tool_calls_total.set(key, (metrics.tool_calls_total.get(key) ?? 0) + 1)
    metrics.tool_seconds_total += duration_ms / 1000
  }
  const senders = () => holder.live.memory.senders
  const calls: CallDeps = { store, approvals, memory, senders, now_ms, keepImage, log, onCalled }
  const turns = openTurns(
    () => ({
      ...calls,
      models: holder.live.models,
      memory,
      readFile: files.read,
    }),
    {
      queue_max: () => holder.live.gateway.queue_max,
      onStart({ id, agent, session_key }) {
        hub.publish({ topic: "turn.started", data: { turn_id: id, session_key, agent }, agent })
      },
      onEnd({ id, agent, session_key, log: { entries } }, outcome, duration_ms) {
        const last = entries.at(-1)?.event
        const stop_reason = last?.type === "done" ? last.stop_reason : "error"
        countTurn(metrics, stop_reason, outcome, duration_ms)
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
    approvals,
    calls,
    hub,
    files,
    plugins,
    memory,
    webhooks: openWebhooks(() => app, limits),
    metrics,
    methods,
    live,
  }
  const dispatcher = openDispatcher(methods, app)
  sockets = openSockets(app, dispatcher, limits)
  for (const warning of loaded.warnings) log.warn("configuration", { warning })
  return { app, sockets, dispatcher }
}

function startTidying(app: App): Disposable {
  const { store, memory, webhooks, log, now_ms } = app
  let is_over = false
  const tidy = async () => {
    const { retention } = app.live()
    while (!is_over && (await store.commit((db) => purgeMessagesStep(db, retention, now_ms()))));
    if (is_over) return
    await store.commit((db) => purge(db, retention, now_ms()))
    await memory.settle()
    // Each time, as the plugin that it needs may have been out of service.
    await webhooks.resume()
  }
  const run = () =>
    void tidy().catch((thrown) => log.error("the store could not be tidied", { cause: toTrace(thrown) }))
  const first = setTimeout(run, settle_ms)
  const timer = setInterval(run, tidy_every_ms)
  return {
    [Symbol.dispose]() {
      is_over = true
      clearTimeout(first)
      clearInterval(timer)
    },
  }
}

/** Takes the gateway apart once, however often and in which way it is asked to stop. */
function untilStopped(app: App, stack: AsyncDisposableStack): Pick<Gateway, "closed" | "stop"> {
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>()
  let stopping = false
  return {
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
