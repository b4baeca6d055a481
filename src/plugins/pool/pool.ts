import { type CallRequest, type CallResult, type Module, PluginFailed, type Pool } from "../module.ts"
import { runCall } from "./call.ts"
import { awaitReady, runLoad } from "./load.ts"
import type { ReadProc } from "./proc.ts"
import { startProcess } from "./process.ts"
import { openQueue, type Waiting } from "./queue.ts"
import {
  countTaken,
  findIdle,
  findSpare,
  findVictim,
  isOf,
  memoryFor,
  newRunner,
  type Runner,
  shareOf,
} from "./runner.ts"
import { openWatch } from "./watch.ts"

export type PoolOptions = {
  /** All of them together, the spare one included. */
  processes_max: number
  /** How long one without a call is kept. 0 keeps none, and no spare either. */
  idle_ms: number
  /** Of compiling one module. */
  load_ms_max?: number
  /** What a runner is started by, unless it is this program; the engine and the parent are put behind it. */
  command?: readonly string[]
  /** What the system says of a runner, unless it is asked itself. */
  read?: ReadProc
}

const spare_after_ms = 20

export function openPool({ processes_max, idle_ms, load_ms_max = 10_000, command, read }: PoolOptions): Pool {
  const runners = new Set<Runner>()
  const queue = openQueue((key) => [...runners].some((runner) => isOf(runner, key, "loading")))
  const watch = openWatch(read)
  let missing: string[] | undefined
  let sweeper: NodeJS.Timeout | undefined
  let spare_timer: NodeJS.Timeout | undefined
  let last_call_ms = performance.now()
  let disposed = false

  /** Gives whoever waits what there is, the oldest first, and starts what there is not. */
  function dispatch(): void {
    if (disposed) return
    const coming = new Map<string, number>()
    for (const waiting of queue.all()) {
      const { key } = waiting
      const idle = findIdle(runners, key)
      if (idle) {
        take(idle)
        queue.give(waiting, idle)
        continue
      }
      const [others, loading] = [coming.get(key) ?? 0, countLoading(key)]
      coming.set(key, others + 1)
      if (others >= loading) grow(waiting)
    }
  }

  function countLoading(key: string): number {
    let count = 0
    for (const runner of runners) if (isOf(runner, key, "loading")) count++
    return count
  }

  /** One more runner for who waits, where there is room or room can be made. */
  function grow(waiting: Waiting): void {
    const { module, key } = waiting
    if (countTaken(runners, module.plugin) >= shareOf(processes_max)) return
    const spare = findSpare(runners, module.engine)
    if (spare) return void bind(spare, waiting)
    const isCalled = (other: string | undefined) => queue.all().some((call) => call.key === other)
    const victim = runners.size < processes_max ? undefined : findVictim(runners, key, isCalled)
    if (runners.size >= processes_max && !victim) return
    if (victim) end(victim)
    const runner = newRunner(module.engine)
    runners.add(runner)
    void bind(runner, waiting, victim?.process?.exited)
  }

  /** Makes a runner that of a module. Never rejects: who waits for it is told. */
  async function bind(runner: Runner, { module, key }: Waiting, room?: Promise<void>): Promise<void> {
    Object.assign(runner, { state: "loading", plugin: module.plugin, key })
    try {
      await room
      if (!runner.process) start(runner)
      await runner.ready
      const process = runner.process!
      watch.add(process.pid, memoryFor(process.pid, module, read), () => process.kill(outOfMemory(runner)))
      await runLoad(process, module, load_ms_max)
      runner.loaded_ms = performance.now()
      rest(runner)
    } catch (thrown) {
      end(runner, thrown)
      queue.fail(key, thrown)
    }
    dispatch()
    if (module.engine === "reactor") keepSpareSoon()
  }

  /** Throws where no process can be started. */
  function start(runner: Runner): void {
    if (disposed || runner.state === "ended") throw stopping()
    const process = startProcess(runner.engine, command)
    runner.process = process
    runner.ready = awaitReady(process, read).then((walls) => {
      missing = walls
    })
    // Of a spare there is nobody who waits for it.
    runner.ready.catch((thrown) => end(runner, thrown))
    void process.exited.then(() => {
      runners.delete(runner)
      const { key } = runner
      end(runner)
      dispatch()
      // One that never had a plugin would perhaps not live any longer the next time.
      if (key !== undefined && runner.engine === "reactor") keepSpareSoon()
    })
  }

  const isSpareWanted = (): boolean =>
    !disposed &&
    idle_ms > 0 &&
    runners.size < processes_max &&
    queue.all().length === 0 &&
    !findSpare(runners, "reactor")

  /** Not at once: what is called now is not to share its processor with the start of what nobody waits for. */
  function keepSpareSoon(): void {
    if (isSpareWanted()) spare_timer ??= setTimeout(keepSpare, spare_after_ms).unref()
  }

  function keepSpare(): void {
    clearTimeout(spare_timer)
    spare_timer = undefined
    if (!isSpareWanted()) return
    const runner = newRunner("reactor")
    runners.add(runner)
    try {
      start(runner)
    } catch (thrown) {
      // It is not needed yet; who needs one is told why there is none.
      end(runner, thrown)
    }
    rest(runner)
  }

  function take(runner: Runner): void {
    runner.state = "busy"
    watch.mark(runner.process!.pid, true)
  }

  /** After a load or a call, and of a spare from the start. */
  function rest(runner: Runner): void {
    last_call_ms = runner.idle_since_ms = performance.now()
    if (runner.state === "loading" || runner.state === "busy") {
      watch.mark(runner.process!.pid, false)
      runner.state = "idle"
      if (runner.retired || !runner.process?.is_alive) end(runner)
    }
    if (!disposed) sweeper ??= setTimeout(sweep, idle_ms).unref()
  }

  /** Ends what has been idle for too long. */
  function sweep(): void {
    sweeper = undefined
    const now_ms = performance.now()
    let next_ms = Number.POSITIVE_INFINITY
    for (const runner of runners) {
      if (runner.state !== "idle" && runner.state !== "spare") continue
      // The spare one is for all of them.
      const since_ms = runner.state === "spare" ? last_call_ms : runner.idle_since_ms
      const left_ms = since_ms + idle_ms - now_ms
      if (left_ms <= 0) end(runner)
      else next_ms = Math.min(next_ms, left_ms)
    }
    if (next_ms < Number.POSITIVE_INFINITY) sweeper = setTimeout(sweep, Math.max(1, next_ms)).unref()
  }

  function end(runner: Runner, reason: unknown = stopping()): void {
    runner.state = "ended"
    const { process } = runner
    if (!process) return void runners.delete(runner)
    watch.remove(process.pid)
    process.kill(reason)
  }

  return {
    async call(module: Module, request: CallRequest): Promise<CallResult> {
      request.signal.throwIfAborted()
      if (disposed) throw stopping()
      const key = keyOf(module)
      const idle = findIdle(runners, key)
      if (idle) take(idle)
      const waited = idle ? undefined : queue.add(module, key, request.signal)
      if (waited) dispatch()
      const runner = idle ?? (await waited!)
      try {
        return await runCall(runner.process!, module, request)
      } finally {
        rest(runner)
        dispatch()
        if (module.engine === "reactor") keepSpareSoon()
      }
    },
    warm: keepSpare,
    retire(plugin) {
      for (const runner of runners) {
        if (runner.plugin !== plugin) continue
        runner.retired = true
        if (runner.state === "idle") end(runner)
      }
    },
    missing: () => missing,
    runners: () =>
      [...runners]
        .filter(({ process, state }) => process && state !== "ended")
        .map(({ process, plugin, state }) => ({ pid: process!.pid, plugin, busy: state === "busy" })),
    async [Symbol.asyncDispose]() {
      disposed = true
      clearTimeout(sweeper)
      clearTimeout(spare_timer)
      watch[Symbol.dispose]()
      queue.failAll(stopping())
      const ends = [...runners].map(({ process }) => process?.exited)
      for (const runner of runners) end(runner)
      await Promise.all(ends)
    },
  }
}

/** What differs in any of these is loaded anew. */
const keyOf = ({ plugin, engine, sha256, limits }: Module): string =>
  `${plugin} ${engine} ${sha256} ${limits.memory_pages_max} ${limits.output_bytes_max}`

const stopping = (): PluginFailed => new PluginFailed("aborted", "The gateway stops its plugins.")

const outOfMemory = ({ plugin }: Runner): PluginFailed =>
  new PluginFailed("memory", `The plugin "${plugin}" took more memory than it may and was stopped.`)
