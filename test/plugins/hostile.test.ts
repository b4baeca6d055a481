/** Every module that does harm is stopped, in time, and nothing of it is left. */
import { expect, test } from "bun:test"
import { residentBytes } from "../../src/plugins/pool/proc.ts"
import { ask, failureOf, guest, isRunning, moduleOf, poolOf, until } from "./pool/guests.ts"

/** What a machine that is busy with other things may add; the figures of an idle one are the benchmarks'. */
const late_ms_max = 2000

const loops: [string, string, string][] = [
  [
    "in its code",
    guest(`(func (export "run") (param i32 i32) (result i64) (loop $l (br $l)) unreachable)`),
    "run",
  ],
  ["as it is instantiated", guest("(func $start (loop $l (br $l))) (start $start)"), "handle_tool_call"],
  ["in _initialize", guest(`(func (export "_initialize") (loop $l (br $l)))`), "handle_tool_call"],
  ["in weft_alloc", guest("", "(loop $l (br $l)) unreachable"), "handle_tool_call"],
  [
    "that calls the host",
    guest(
      `(func (export "run") (param i32 i32) (result i64)
         (loop $l (drop (call $log (i32.const 0) (i32.const 1))) (br $l)) unreachable)`,
    ),
    "run",
  ],
]

test.each(loops)("a loop without end %s is stopped at its deadline", async (_, text, name) => {
  await using pool = poolOf()
  const module = moduleOf("loops", text, { timeout_ms: 100 })
  const started = performance.now()
  // A loop of host calls would otherwise be stopped for their number.
  const host = () => new Promise<never>((_, reject) => setTimeout(reject, 60_000).unref())
  const failure = await failureOf(pool.call(module, ask(name, { host })))
  expect(failure).toMatchObject({
    kind: "time",
    message: 'The plugin "loops" did not answer within 100 ms and was stopped.',
  })
  expect(performance.now() - started).toBeLessThan(100 + late_ms_max)
})

test("twenty loops in a row leave no process, and the pool serves on", async () => {
  const pids = new Set<number>()
  {
    await using pool = poolOf()
    const looping = moduleOf("loops", undefined, { timeout_ms: 20 })
    for (let i = 0; i < 20; i++) {
      let is_over = false
      const call = failureOf(pool.call(looping, ask("loop"))).finally(() => {
        is_over = true
      })
      await until(() => {
        for (const { pid } of pool.runners()) pids.add(pid)
        return is_over
      })
      expect((await call).kind).toBe("time")
    }
    const { output } = await pool.call(moduleOf("loops"), ask("count"))
    expect(new TextDecoder().decode(output)).toBe("1")
    for (const { pid } of pool.runners()) pids.add(pid)
  }
  expect(pids.size).toBeGreaterThanOrEqual(20)
  expect([...pids].filter(isRunning)).toEqual([])
}, 60_000)

test("a plugin whose calls all loop does not have the processes of the others", async () => {
  await using pool = poolOf({ processes_max: 3 })
  const aborting = new AbortController()
  const looping = moduleOf("loops", undefined, { timeout_ms: 60_000 })
  const loops = Array.from({ length: 5 }, () =>
    failureOf(pool.call(looping, ask("loop", { signal: aborting.signal }))),
  )
  await until(() => pool.runners().filter(({ busy }) => busy).length === 2)
  for (const other of ["one", "another"]) {
    const { output } = await pool.call(moduleOf(other), ask("count"))
    expect(new TextDecoder().decode(output)).toBe("1")
  }
  aborting.abort(new Error("enough"))
  expect((await Promise.all(loops)).map(({ message }) => message)).toEqual(Array(5).fill("enough"))
}, 60_000)

test("too many calls of the host end the runner", async () => {
  await using pool = poolOf()
  let count = 0
  const host = async () => {
    count++
    return { bytes: new Uint8Array() }
  }
  const module = moduleOf("loops", undefined, { timeout_ms: 60_000 })
  const failure = await failureOf(pool.call(module, ask("host_loop", { host })))
  expect(failure).toMatchObject({
    kind: "host_calls",
    message: 'The plugin "loops" called the host more than 10000 times and was stopped.',
  })
  expect(count).toBe(10_000)
}, 60_000)

test("a loop of host calls leaves the gateway its turns", async () => {
  await using pool = poolOf()
  const lags: number[] = []
  let last = performance.now()
  const timer = setInterval(() => {
    lags.push(performance.now() - last - 5)
    last = performance.now()
  }, 5)
  const module = moduleOf("loops", undefined, { timeout_ms: 60_000 })
  const host = async () => ({ bytes: new Uint8Array() })
  await failureOf(pool.call(module, ask("host_loop", { host })))
  clearInterval(timer)
  expect(lags.length).toBeGreaterThan(5)
  expect(lags.toSorted((a, b) => a - b).at(Math.floor(lags.length / 2))!).toBeLessThan(50)
}, 60_000)

test.each([
  ["recurse", "trap"],
  ["trap", "trap"],
  ["divide", "trap"],
  ["outside", "trap"],
  ["flood", "output"],
  ["long", "output"],
  ["beyond", "abi"],
  ["negative", "output"],
  ["absent", "abi"],
  ["memory", "abi"],
] as const)("%s fails as %s, and the next call of the same runner is answered", async (name, kind) => {
  await using pool = poolOf({ processes_max: 1 })
  const module = moduleOf("hostile")
  await pool.call(module, ask("count"))
  const [runner] = pool.runners()
  const called = pool.call(module, ask(name))
  expect(await failureOf(called)).toMatchObject({ kind, name: "PluginFailed" })
  expect(new TextDecoder().decode((await pool.call(module, ask("count"))).output)).toBe("1")
  expect(pool.runners()).toEqual([runner!])
})

test("an input that was given no room, or room elsewhere, is not written", async () => {
  await using pool = poolOf()
  for (const [alloc, kind] of [
    ["(i32.const 0)", "memory"],
    ["(i32.const -8)", "abi"],
    ["(i32.const 262140)", "abi"],
    ["unreachable", "trap"],
  ] as const) {
    const module = moduleOf(`alloc ${alloc}`, guest("", alloc))
    const failure = await failureOf(pool.call(module, ask("handle_tool_call", { input: "eight bytes" })))
    expect([alloc, failure.kind]).toEqual([alloc, kind])
  }
})

test("pointers that lead elsewhere reach no host function, and are given no result", async () => {
  await using pool = poolOf()
  expect((await pool.call(moduleOf("hostile"), ask("nowhere"))).output).toHaveLength(0)
  let count = 0
  const host = async () => {
    count++
    return { bytes: new Uint8Array() }
  }
  await pool.call(moduleOf("hostile"), ask("wild", { host }))
  expect(count).toBe(0)
})

test("an argument that is longer than an output may be reaches no host function", async () => {
  await using pool = poolOf()
  let count = 0
  const host = async () => {
    count++
    return { bytes: new Uint8Array() }
  }
  const module = moduleOf("hostile", undefined, { output_bytes_max: 1000 })
  const { output } = await pool.call(module, ask("fetch", { input: "x".repeat(1001), host }))
  expect([new TextDecoder().decode(output), count]).toEqual(["-4", 0])
})

test("a guest that takes all the memory it can gets no more than its limit, call after call", async () => {
  await using pool = poolOf({ processes_max: 1 })
  const module = moduleOf("hog", undefined, { memory_pages_max: 256, timeout_ms: 20_000 })
  await pool.call(module, ask("count"))
  const { pid } = pool.runners()[0]!
  const before = residentBytes(pid)!
  let most = 0
  for (let i = 0; i < 150; i++) {
    expect((await pool.call(module, ask("hog"))).output).toHaveLength(0)
    most = Math.max(most, residentBytes(pid)!)
  }
  // Without collecting it would be more than 120 by now, and go on.
  expect((most - before) / 1_048_576).toBeLessThan(110)
  expect(pool.runners().map((runner) => runner.pid)).toEqual([pid])
}, 60_000)

test("nothing of a call is there in the next, after a failure neither", async () => {
  await using pool = poolOf({ processes_max: 1 })
  const module = moduleOf("state")
  for (const name of ["count", "mark", "trap", "mark", "recurse", "count", "mark"]) {
    const called = pool.call(module, ask(name))
    if (name === "trap" || name === "recurse") await failureOf(called)
    else {
      const text = new TextDecoder().decode((await called).output)
      expect([name, text]).toEqual([name, name === "count" ? "1" : "0"])
    }
  }
  expect(pool.runners()).toHaveLength(1)
})

test("five hundred hostile calls leave the gateway as large as it was", async () => {
  await using pool = poolOf({ processes_max: 1 })
  const module = moduleOf("hostile")
  const kinds = ["recurse", "trap", "flood", "long", "beyond", "wild", "outside", "hog", "count"]
  const round = async (calls: number) => {
    for (let i = 0; i < calls; i++) {
      const called = pool.call(module, ask(kinds[i % kinds.length]!, { input: "x".repeat(10_000) }))
      await called.catch((thrown) => expect(thrown.name).toBe("PluginFailed"))
    }
    Bun.gc(true)
    return residentBytes(process.pid)!
  }
  const before = await round(200)
  expect(((await round(500)) - before) / 1_048_576).toBeLessThan(32)
}, 60_000)
