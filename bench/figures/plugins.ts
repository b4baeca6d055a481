import { join } from "node:path"
import createPlugin from "@extism/extism"
import { buildPlugins, plugins_folder } from "../../scripts/plugins.ts"
import { readManifest } from "../../src/plugins/description/manifest.ts"
import { type CallRequest, type Module, PluginFailed, type Pool } from "../../src/plugins/module.ts"
import { openPool } from "../../src/plugins/pool/pool.ts"
import { residentBytes } from "../../src/plugins/pool/proc.ts"
import { prepare } from "../../src/plugins/wasm/prepare.ts"
import { ask, guest, isRunning, moduleOf } from "../../test/plugins/pool/guests.ts"
import { type Bench, type Figure, interleave, median, pssKilobytes, quantile } from "../measure.ts"
import { extismEcho } from "../reference/extism-echo.ts"
import { executables } from "../servers.ts"

const input = '{"name":"echo","input":{"text":"What is to be said again, in a sentence of some length."}}'
const echo = () => ask("handle_tool_call", { input })

/** Runners are what a gateway starts: the executable. */
const open = (processes_max: number) =>
  openPool({ processes_max, idle_ms: 600_000, command: [executables.weft, "runner"] })

/** Calls of plugins in processes of their own, each in a fresh instance; and plugins that do harm. */
export const plugins: Bench = {
  name: "plugins",
  async measure({ quick }) {
    // First, as what is measured later would be in it.
    const memory = await measureMemory(quick ? 1000 : 10_000)
    const module = await shippedEcho()
    const calls = await measureCalls(module, quick ? 5 : 20)
    const rate = await measureRate(module, quick ? 2000 : 20_000)
    const first = await measureFirst(module, quick ? 5 : 30)
    const stopped = await measureLoops(quick ? 12 : 100)
    // Last, as it leaves workers and gigabytes of addresses behind in our own process.
    const peer = await measurePeer(quick ? 5 : 20)
    return [...calls, first, rate, ...stopped, memory, ...peer]
  },
}

async function shippedEcho(): Promise<Module> {
  await buildPlugins(["echo"])
  const text = await Bun.file(join(plugins_folder, "echo.toml")).text()
  const { limits } = await readManifest(text, "echo.toml")
  const bytes = await Bun.file(join(plugins_folder, "echo.wasm")).bytes()
  const { memory_pages_max } = limits
  const read = async () => prepare(bytes, { engine: "reactor", kind: "tool", memory_pages_max })
  return { plugin: "echo", engine: "reactor", sha256: "echo", limits, read }
}

async function measureCalls(module: Module, rounds: number): Promise<Figure[]> {
  await using pool = open(2)
  const round = () => times(500, () => pool.call(module, echo()))
  await times(3000, () => pool.call(module, echo()))
  const all: number[][] = []
  for (let i = 0; i < rounds; i++) all.push(await round())
  const { pid } = pool.runners().find(({ plugin }) => plugin === module.plugin)!
  return [
    {
      ...{ name: "plugin_runner", unit: "MB", value: pssKilobytes(pid) / 1000 },
      title: "memory (PSS) of the process that ran all of these",
      note: `${((residentBytes(pid) ?? 0) / 1e6).toFixed(1)} MB resident with what it shares with others`,
    },
    {
      ...{ name: "plugin_p50", unit: "ms", value: median(all.flat()) },
      title: "a call of the shipped echo in a warm process, in a fresh instance: p50",
    },
    {
      ...{ name: "plugin_p99", unit: "ms", value: median(all.map((taken) => quantile(taken, 0.99))) },
      title: "the same: p99",
      note: `median of ${rounds} rounds of 500; of all calls ${quantile(all.flat(), 0.99).toFixed(2)} ms`,
    },
  ]
}

/** The same small module by either interface: it gives back what it is given. */
async function measurePeer(rounds: number): Promise<Figure[]> {
  await using pool = open(2)
  const module = moduleOf("echo", guest(""))
  const peer = await WebAssembly.compile(extismEcho() as Uint8Array<ArrayBuffer>)
  const bytes = Buffer.from(input)
  const ours = () => times(100, () => pool.call(module, echo()))
  const fresh = (runInWorker: boolean) => async () => {
    const plugin = await createPlugin(peer, { useWasi: true, runInWorker })
    const output = await plugin.call("echo", bytes)
    if (output?.text() !== input) throw new Error("the peer does not echo")
    await plugin.close()
  }
  await Promise.all([times(2000, () => pool.call(module, echo())), times(50, fresh(false))])
  const compare = async (name: string, title: string, theirs: () => Promise<number[]>, note?: string) => {
    const [our_rounds, their_rounds] = await interleave(rounds, ours, theirs)
    const [value, reference] = [median(our_rounds.flat()), median(their_rounds.flat())]
    return { name, title, unit: "ms", value, reference, ratio: reference / value, ...(note && { note }) }
  }
  return [
    await compare(
      "plugin_extism",
      "a call in a fresh instance, against a new plugin of @extism/extism 1.0.3, compiled before",
      () => times(20, fresh(false)),
      "as it is by default, in the process that calls, where nothing can stop it",
    ),
    await compare("plugin_extism_worker", "the same, against one in its worker (runInWorker)", () =>
      times(2, fresh(true)),
    ),
  ]
}

/** Of a runner that has compiled the module and called nothing. */
async function measureFirst(module: Module, rounds: number): Promise<Figure> {
  await using pool = open(2)
  const firsts: number[] = []
  for (let i = 0; i < rounds; i++) {
    firsts.push((await pool.call(module, echo())).duration_ms)
    pool.retire(module.plugin)
    while (pool.runners().some(({ plugin }) => plugin)) await Bun.sleep(1)
  }
  return {
    ...{ name: "plugin_first", unit: "ms", value: median(firsts) },
    title: "the first call of a module that is compiled, in a process that is warm",
    note: `p99 ${quantile(firsts, 0.99).toFixed(2)} ms`,
  }
}

async function measureRate(module: Module, count: number): Promise<Figure> {
  await using pool = open(2)
  const run = async () => {
    let left = count
    const started = performance.now()
    const caller = async () => {
      while (left-- > 0) await pool.call(module, echo())
    }
    await Promise.all(Array.from({ length: 8 }, caller))
    return (count / (performance.now() - started)) * 1000
  }
  const rates = [await run(), await run(), await run(), await run(), await run()].slice(1)
  return {
    ...{ name: "plugin_rate", unit: "/s", value: median(rates) },
    title: "calls of it a second, with two processes and eight callers",
  }
}

const timeout_ms = 50

const loops: Record<string, [Module, CallRequest]> = {
  "in code": [
    moduleOf(
      "code",
      guest('(func (export "run") (param i32 i32) (result i64) (loop $l (br $l)) unreachable)'),
      {
        timeout_ms,
      },
    ),
    ask("run"),
  ],
  "at instantiation": [
    moduleOf("start", guest("(func $start (loop $l (br $l))) (start $start)"), { timeout_ms }),
    ask("handle_tool_call"),
  ],
  "of host calls": [
    moduleOf(
      "calls",
      guest(
        `(func (export "run") (param i32 i32) (result i64)
           (loop $l (drop (call $log (i32.const 0) (i32.const 1))) (br $l)) unreachable)`,
      ),
      { timeout_ms },
    ),
    ask("run", { host: async () => ({ bytes: new Uint8Array() }) }),
  ],
}

async function measureLoops(count: number): Promise<Figure[]> {
  const overruns: number[] = []
  const pids = new Set<number>()
  const lags = await lagsDuring(async () => {
    await using pool = open(2)
    const kinds = Object.values(loops)
    for (let i = 0; i < count; i++) overruns.push(await overrunOf(pool, ...kinds[i % kinds.length]!, pids))
  })
  const left = [...pids].filter(isRunning).length
  if (left > 0) throw new Error(`${left} processes of ${pids.size} are left`)
  return [
    {
      ...{ name: "plugin_stop", unit: "ms", value: Math.max(...overruns) },
      title: `endless loops, ${count} in a row (${Object.keys(loops).join(", ")}): the latest dead after its limit`,
      note: `of ${timeout_ms} ms; median ${median(overruns).toFixed(1)} ms; no process of ${pids.size} is left`,
    },
    {
      ...{ name: "plugin_lag", unit: "ms", value: quantile(lags, 0.99) },
      title: "the gateway's event loop meanwhile: p99 of its lag",
      note: `worst ${Math.max(...lags).toFixed(1)} ms`,
    },
  ]
}

/** From the end of its limit until the process is dead; its start and its loading are not its call. */
async function overrunOf(
  pool: Pool,
  module: Module,
  request: CallRequest,
  pids: Set<number>,
): Promise<number> {
  let is_over = false
  const called = pool
    .call(module, request)
    .then(
      () => Promise.reject(new Error("a loop ended by itself")),
      (thrown) => thrown,
    )
    .finally(() => {
      is_over = true
    })
  const begun = performance.now()
  let sent: number | undefined
  let pid = 0
  // On a machine that stands still for longer than the limit its end may be all that is seen of it.
  while (sent === undefined && !is_over) {
    for (const runner of pool.runners()) {
      pids.add(runner.pid)
      if (!runner.busy) continue
      sent = performance.now()
      pid = runner.pid
    }
    if (sent === undefined) await new Promise((resolve) => setImmediate(resolve))
  }
  const failure = await called
  while (pid > 0 && isRunning(pid)) await new Promise((resolve) => setImmediate(resolve))
  const overrun_ms = performance.now() - (sent ?? begun) - timeout_ms
  if (failure.kind === "host_calls") return 0
  if (failure.kind !== "time") throw failure
  return Math.max(0, overrun_ms)
}

async function lagsDuring(work: () => Promise<void>): Promise<number[]> {
  const [lags, every_ms]: [number[], number] = [[], 5]
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lags.push(Math.max(0, now - last - every_ms))
    last = now
  }, every_ms)
  await work()
  clearInterval(timer)
  return lags
}

const harms = ["recurse", "trap", "divide", "outside", "flood", "long", "beyond", "wild", "hog", "host_loop"]

async function measureMemory(count: number): Promise<Figure> {
  await using pool = open(2)
  const [module, killed] = [moduleOf("harm"), moduleOf("harm", undefined, { timeout_ms: 20 })]
  const host = async () => ({ bytes: new Uint8Array(1000) })
  let kills = 0
  const run = async (calls: number) => {
    for (let i = 0; i < calls; i++) {
      // Most are over before they are stopped; of those that must be killed there is one in a hundred.
      const is_killed = i % 100 === 99
      if (is_killed) kills++
      const name = is_killed ? "loop" : harms[i % (harms.length - 1)]!
      const called = pool.call(is_killed ? killed : module, ask(name, { host, input: "x".repeat(20_000) }))
      await called.catch((thrown) => {
        if (!(thrown instanceof PluginFailed)) throw thrown
      })
    }
    Bun.gc(true)
    return residentBytes(process.pid)!
  }
  const before = await run(Math.min(1000, count))
  kills = 0
  const grown = (await run(count)) - before
  return {
    ...{ name: "plugin_memory", unit: "MiB", value: grown / 1_048_576 },
    title: `resident memory of the gateway over ${count.toLocaleString("en")} calls that do harm: growth`,
    note: `${kills} of them killed; traps, recursion, floods, hostile pointers, memory`,
  }
}

async function times(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    await work()
    taken.push(performance.now() - started)
  }
  return taken
}
