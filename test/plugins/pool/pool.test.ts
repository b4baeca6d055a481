import { expect, test } from "bun:test"
import type { HostCalls } from "../../../src/plugins/module.ts"
import { needs } from "../../needs.ts"
import { ask, failureOf, guest, isRunning, moduleOf, poolOf, until } from "./guests.ts"

const textOf = ({ output }: { output: Uint8Array }) => new TextDecoder().decode(output)

/** A host function that lets its calls go on when the test says so. */
function openGate() {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const host: HostCalls = async () => {
    count++
    await gate.promise
    return { bytes: new Uint8Array() }
  }
  return { host, open: gate.resolve, count: () => count }
}

test("a call is answered with what the export returns, and its time", async () => {
  await using pool = poolOf()
  const result = await pool.call(moduleOf("echo"), ask("handle_tool_call", { input: '{"name":"echo"}' }))
  expect(result).toMatchObject({ stdout: "", stderr: "" })
  expect(textOf(result)).toBe('{"name":"echo"}')
  expect(result.duration_ms).toBeGreaterThan(0)
  expect(pool.missing()).toBeArray()
})

/** As Linux gives it for a process that has died and was not waited for. */
const dead = "Name:\tweft\nState:\tZ (zombie)\n"

test.each([
  ["nothing, as where /proc has hidepid", true, undefined],
  ["nothing of its memory", true, "Name:\tweft\nState:\tS (sleeping)\n"],
  ["that it is dead", false, dead],
  ["how much it holds", false, "State:\tS (sleeping)\nVmRSS:\t  100 kB\n"],
] as const)(
  "where the system says %s, the watch over memory is a missing wall: %p",
  async (_, missing, status) => {
    await using pool = poolOf({ read: () => status, idle_ms: 0 })
    expect(textOf(await pool.call(moduleOf("echo"), ask("handle_tool_call", { input: "{}" })))).toBe("{}")
    expect(pool.missing()!.some((wall) => wall.startsWith("memory: "))).toBe(missing)
  },
)

needs({ platform: "linux" })("where the system says it, that wall stands", async () => {
  await using pool = poolOf({ idle_ms: 0 })
  await pool.call(moduleOf("echo"), ask("handle_tool_call"))
  expect(pool.missing()!.filter((wall) => wall.startsWith("memory: "))).toEqual([])
})

test("outputs up to the limit and frames in many pieces arrive whole", async () => {
  await using pool = poolOf()
  const module = moduleOf("echo", undefined, { output_bytes_max: 120_000 })
  for (const length of [0, 1, 4096, 65_536, 119_999, 120_000]) {
    const input = "é".repeat(length / 2) + "x".repeat(length % 2)
    expect(textOf(await pool.call(module, ask("handle_tool_call", { input })))).toBe(input)
  }
  const failure = await failureOf(pool.call(module, ask("handle_tool_call", { input: "x".repeat(120_001) })))
  expect(failure.kind).toBe("output")
})

test("what a host function answers reaches the guest, its errors as numbers", async () => {
  await using pool = poolOf()
  const asked: string[] = []
  const host: HostCalls = async (name, argument) => {
    asked.push(`${name} ${new TextDecoder().decode(argument)}`)
    return asked.length === 1 ? { bytes: Buffer.from("the value") } : { error: "not_found" }
  }
  const call = () => pool.call(moduleOf("echo"), ask("fetch", { input: "the key", host }))
  expect(textOf(await call())).toBe("the value")
  expect(textOf(await call())).toBe("-2")
  expect(asked).toEqual(["store_get the key", "store_get the key"])
})

test("a host function that throws ends the call with what it threw, and the runner with it", async () => {
  await using pool = poolOf()
  const host = async () => {
    throw new Error("a bug")
  }
  const called = pool.call(moduleOf("echo"), ask("ask", { host }))
  expect(await failureOf(called)).toEqual(new Error("a bug") as never)
  expect(textOf(await pool.call(moduleOf("echo"), ask("count")))).toBe("1")
})

test("calls of one module run at the same time, in as many runners as there may be but one", async () => {
  await using pool = poolOf({ processes_max: 4 })
  const gate = openGate()
  const calls = Array.from({ length: 5 }, () => pool.call(moduleOf("echo"), ask("ask", { host: gate.host })))
  await until(() => gate.count() === 3)
  expect(pool.runners().filter(({ busy }) => busy)).toHaveLength(3)
  gate.open()
  await Promise.all(calls)
  expect(gate.count()).toBe(5)
  expect(pool.runners().filter(({ plugin }) => plugin === "echo")).toHaveLength(3)
})

test("two hundred calls at once are all answered, each with its own answer", async () => {
  await using pool = poolOf({ processes_max: 2 })
  const modules = ["a", "b", "c"].map((name) => moduleOf(name, undefined, { timeout_ms: 30_000 }))
  const inputs = Array.from({ length: 200 }, (_, i) => `input ${i}`)
  const outputs = await Promise.all(
    inputs.map((input, i) => pool.call(modules[i % 3]!, ask("handle_tool_call", { input }))),
  )
  expect(outputs.map(textOf)).toEqual(inputs)
}, 60_000)

test("a plugin never gets a process that another has used", async () => {
  await using pool = poolOf({ processes_max: 2 })
  const users = new Map<number, Set<string>>()
  for (let i = 0; i < 12; i++) {
    const plugin = `plugin-${i % 3}`
    await pool.call(moduleOf(plugin), ask("count"))
    for (const { pid, plugin: user } of pool.runners()) {
      if (user) users.set(pid, (users.get(pid) ?? new Set()).add(user))
    }
  }
  expect([...users.values()].filter(({ size }) => size !== 1)).toEqual([])
  expect(users.size).toBeGreaterThan(3)
}, 30_000)

test("another file of the same plugin gets another process", async () => {
  await using pool = poolOf({ processes_max: 1 })
  await pool.call(moduleOf("echo"), ask("count"))
  const { pid } = pool.runners()[0]!
  const other = guest('(func (export "count") (param i32 i32) (result i64) (i64.const 0))')
  expect(textOf(await pool.call(moduleOf("echo", other), ask("count")))).toBe("")
  expect(pool.runners()[0]!.pid).not.toBe(pid)
})

test("who waits gets the place of another once that has had its turn", async () => {
  await using pool = poolOf({ processes_max: 1 })
  const gate = openGate()
  const first = pool.call(moduleOf("a"), ask("ask", { host: gate.host }))
  await until(() => gate.count() === 1)
  const order: string[] = []
  const calls = ["b", "a", "b"].map((name, i) =>
    pool.call(moduleOf(name), ask("count")).then(() => order.push(`${name}${i}`)),
  )
  gate.open()
  await Promise.all([first, ...calls])
  expect(order.toSorted()).toEqual(["a1", "b0", "b2"])
  // Each has been started once.
  expect(order.indexOf("b2") - order.indexOf("b0")).toBe(1)
})

test("a plugin that is called without a pause does not keep all runners from another", async () => {
  await using pool = poolOf({ processes_max: 2 })
  const over = new AbortController()
  const busy = Array.from({ length: 8 }, async () => {
    let count = 0
    while (!over.signal.aborted) {
      await pool.call(moduleOf("busy"), ask("count"))
      count++
    }
    return count
  })
  await until(() => pool.runners().filter(({ plugin }) => plugin === "busy").length === 2)
  for (let i = 0; i < 3; i++) expect(textOf(await pool.call(moduleOf("other"), ask("count")))).toBe("1")
  over.abort()
  expect((await Promise.all(busy)).every((count) => count > 0)).toBeTrue()
}, 30_000)

test("who waits for a runner longer than its call may take is told so", async () => {
  await using pool = poolOf({ processes_max: 1 })
  const gate = openGate()
  const first = pool.call(moduleOf("a"), ask("ask", { host: gate.host }))
  await until(() => gate.count() === 1)
  const failure = await failureOf(pool.call(moduleOf("b", undefined, { timeout_ms: 50 }), ask("count")))
  expect(failure).toMatchObject({
    kind: "time",
    message: "No process was free for the plugin within 50 ms.",
  })
  gate.open()
  await first
})

test.each(["waits", "loads", "runs", "asks the host"])(
  "an abort while a call %s ends it at once",
  async (when) => {
    await using pool = poolOf({ processes_max: 1 })
    const gate = openGate()
    const abort = new AbortController()
    const reason = new Error("the turn was aborted")
    if (when !== "loads") await pool.call(moduleOf("a"), ask("count"))
    const holder = when === "waits" && pool.call(moduleOf("a"), ask("ask", { host: gate.host }))
    if (holder) await until(() => gate.count() === 1)
    const pid = pool.runners()[0]?.pid
    const name = when === "asks the host" ? "ask" : "loop"
    const called = failureOf(pool.call(moduleOf("a"), ask(name, { signal: abort.signal, host: gate.host })))
    if (when === "runs") await until(() => pool.runners()[0]?.busy === true)
    if (when === "asks the host") await until(() => gate.count() === 1)
    abort.abort(reason)
    expect(await called).toBe(reason as never)
    if (when === "runs" || when === "asks the host") await until(() => !isRunning(pid!))
    gate.open()
    await holder
    expect(textOf(await pool.call(moduleOf("a"), ask("count")))).toBe("1")
  },
)

test("a signal that was aborted before runs nothing", async () => {
  await using pool = poolOf()
  const signal = AbortSignal.abort(new Error("too late"))
  expect(await failureOf(pool.call(moduleOf("a"), ask("count", { signal })))).toEqual(
    new Error("too late") as never,
  )
  expect(pool.runners()).toEqual([])
})

test("a runner that is killed in the middle of a call is a failure, and the next call is answered", async () => {
  await using pool = poolOf()
  const called = pool.call(moduleOf("a"), ask("loop"))
  await until(() => pool.runners().some(({ busy }) => busy))
  process.kill(pool.runners().find(({ busy }) => busy)!.pid, "SIGKILL")
  expect(await failureOf(called)).toMatchObject({
    kind: "crash",
    message: "The plugin's process ended before it answered (SIGKILL).",
  })
  expect(textOf(await pool.call(moduleOf("a"), ask("count")))).toBe("1")
})

test("a runner that is killed between two calls is no failure", async () => {
  await using pool = poolOf()
  await pool.call(moduleOf("a"), ask("count"))
  const { pid } = pool.runners().find(({ plugin }) => plugin === "a")!
  process.kill(pid, "SIGKILL")
  await until(() => !pool.runners().some((runner) => runner.pid === pid))
  expect(textOf(await pool.call(moduleOf("a"), ask("count")))).toBe("1")
})

test("a module that cannot be compiled, or no longer read, fails every call that waits for it", async () => {
  await using pool = poolOf()
  const broken = { ...moduleOf("broken"), read: async () => Uint8Array.of(0, 1, 2, 3) }
  const failures = await Promise.all([1, 2, 3].map(() => failureOf(pool.call(broken, ask("count")))))
  expect(failures.map(({ kind }) => kind)).toEqual(["compile", "compile", "compile"])
  const gone = { ...moduleOf("gone"), read: () => Promise.reject(new Error("the file has changed")) }
  expect(await failureOf(pool.call(gone, ask("count")))).toEqual(new Error("the file has changed") as never)
  expect(textOf(await pool.call(moduleOf("a"), ask("count")))).toBe("1")
})

test("a program that does not start, and one that ends at once, are a failure", async () => {
  for (const command of [["/nonexistent/program"], ["/bin/true"], ["/bin/cat"]]) {
    await using pool = poolOf({ command, processes_max: 1 })
    const module = moduleOf("a", undefined, { timeout_ms: 200 })
    const failure = await failureOf(pool.call(module, ask("count")))
    expect([command, failure.name]).toEqual([command, "PluginFailed"])
    expect(failure.kind).toBe("crash")
  }
})

test("retired runners end after their call, and the next call has another", async () => {
  await using pool = poolOf({ processes_max: 2 })
  const gate = openGate()
  await pool.call(moduleOf("idle"), ask("count"))
  const idle = pool.runners().find(({ plugin }) => plugin === "idle")!.pid
  const called = pool.call(moduleOf("busy"), ask("ask", { host: gate.host }))
  await until(() => gate.count() === 1)
  const busy = pool.runners().find(({ plugin }) => plugin === "busy")!.pid
  pool.retire("idle")
  pool.retire("busy")
  await until(() => !isRunning(idle))
  expect(isRunning(busy)).toBeTrue()
  gate.open()
  await called
  await until(() => !isRunning(busy))
  expect(textOf(await pool.call(moduleOf("busy"), ask("count")))).toBe("1")
  expect(pool.runners().some(({ pid }) => pid === busy)).toBeFalse()
})

test("one spare is warm from the first call on, and takes the place of a runner that was stopped", async () => {
  await using pool = poolOf({ processes_max: 3 })
  expect(pool.runners()).toEqual([])
  pool.warm()
  pool.warm()
  expect(pool.runners()).toHaveLength(1)
  const { pid: warm } = pool.runners()[0]!
  await pool.call(moduleOf("a"), ask("count"))
  expect(pool.runners()).toContainEqual({ pid: warm, plugin: "a", busy: false })
  await until(() => pool.runners().length === 2)
  const spare = pool.runners().find(({ plugin }) => plugin === undefined)!.pid
  await failureOf(pool.call(moduleOf("a", undefined, { timeout_ms: 20 }), ask("loop")))
  expect(textOf(await pool.call(moduleOf("a"), ask("count")))).toBe("1")
  expect(pool.runners()).toContainEqual({ pid: spare, plugin: "a", busy: false })
  await until(() => pool.runners().some(({ plugin }) => plugin === undefined))
})

test("there are never more runners than there may be", async () => {
  await using pool = poolOf({ processes_max: 2 })
  let most = 0
  const pids = new Set<number>()
  const counting = setInterval(() => {
    for (const { pid } of pool.runners()) pids.add(pid)
    for (const pid of pids) if (!isRunning(pid)) pids.delete(pid)
    most = Math.max(most, pids.size)
  }, 0)
  const calls = Array.from({ length: 30 }, (_, i) => {
    const module = moduleOf(`plugin-${i % 4}`, undefined, { timeout_ms: i % 5 === 0 ? 30 : 20_000 })
    return pool.call(module, ask(i % 5 === 0 ? "loop" : "count")).catch(({ kind }) => kind)
  })
  const results = await Promise.all(calls)
  clearInterval(counting)
  expect(most).toBeLessThanOrEqual(2)
  expect(results.filter((result) => typeof result !== "string")).toHaveLength(24)
}, 60_000)

test("runners without a call are ended after their time, the spare one too", async () => {
  await using pool = poolOf({ idle_ms: 100 })
  await pool.call(moduleOf("a"), ask("count"))
  const pids = pool.runners().map(({ pid }) => pid)
  await until(() => pool.runners().length === 0)
  await until(() => !pids.some(isRunning))
  expect(textOf(await pool.call(moduleOf("a"), ask("count")))).toBe("1")
})

test("none is kept where none is to be", async () => {
  await using pool = poolOf({ idle_ms: 0 })
  await pool.call(moduleOf("a"), ask("count"))
  await until(() => pool.runners().length === 0)
})

test("disposing ends every process and every call", async () => {
  const pool = poolOf({ processes_max: 2 })
  const calls = [1, 2, 3].map(() => failureOf(pool.call(moduleOf("a"), ask("loop"))))
  await until(() => pool.runners().filter(({ busy }) => busy).length === 2)
  const pids = pool.runners().map(({ pid }) => pid)
  await pool[Symbol.asyncDispose]()
  expect(pids.filter(isRunning)).toEqual([])
  expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(["aborted", "aborted", "aborted"])
  expect((await failureOf(pool.call(moduleOf("a"), ask("count")))).kind).toBe("aborted")
})
