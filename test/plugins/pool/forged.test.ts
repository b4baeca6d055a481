import { expect, test } from "bun:test"
import { join } from "node:path"
import type { HostCalls, Module } from "../../../src/plugins/module.ts"
import type { PoolOptions } from "../../../src/plugins/pool/pool.ts"
import { residentBytes, usedMs } from "../../../src/plugins/pool/proc.ts"
import { needs } from "../../needs.ts"
import { ask, failureOf, isRunning, moduleOf, poolOf, until } from "./guests.ts"

/** A pool whose runners are an impostor that does one thing. */
const forgedBy = (forgery: string, options: Partial<PoolOptions> = {}) =>
  poolOf({
    processes_max: 1,
    ...options,
    command: [process.execPath, join(import.meta.dir, "forger.ts"), forgery],
  })

const module = moduleOf("forged")
const programOf = (plugin: string): Module => ({ ...moduleOf(plugin), engine: "wasmer" })

test("an impostor that says what a runner says is believed", async () => {
  await using pool = forgedBy("none")
  expect(new TextDecoder().decode((await pool.call(module, ask("echo"))).output)).toBe("fine")
})

test.each([
  "a length of four gigabytes",
  "a length of nothing",
  "an unknown kind",
  "a kind of the gateway's",
  "a header longer than its frame",
  "a header of two megabytes",
  "a header that is no JSON",
  "a header that is no text",
  "a header that is a list",
  "a header nested a hundred thousand times",
  "a header of a hundred thousand lists",
  "a call of the host with a long header",
  "an argument that is too long",
  "a file where there are no folders",
  "ready once more",
  "loaded once more",
  "two answers",
  "an answer while the host works",
  "two calls of the host at once",
  "a function without a name",
  "a function with a long name",
  "an output that is too long",
  "text that is a number",
  "text that is too long",
  "a status that is none",
  "folders that are none",
  "folders of numbers",
  "a failure of no kind",
  "a failure that is the gateway's to say",
  "a failure without a message",
  "bytes without end",
  "walls that are none",
  "nothing but noise",
  "a result of its load",
  "loaded twice",
])("%s: the runner is ended for it", async (forgery) => {
  await using pool = forgedBy(forgery)
  const called = pool.call(module, ask("echo"))
  await until(() => pool.runners().length === 1)
  const { pid } = pool.runners()[0]!
  const failure = await failureOf(called)
  expect(failure.kind).toBe("protocol")
  expect(failure.message).toStartWith("The plugin's process broke the protocol: ")
  await until(() => !isRunning(pid))
})

const folders = [{ path: "data", writable: true, files: {} }]

test("the files of a folder are what follows the output", async () => {
  await using pool = forgedBy("a folder and its files")
  const { output, folders: got } = await pool.call(programOf("forged"), ask("", { folders }))
  expect(`${Buffer.from(output)}`).toBe("f")
  expect(Object.entries(got![0]!.files).map(([path, bytes]) => `${path} ${Buffer.from(bytes)}`)).toEqual([
    "a i",
    "b/c ",
    "d ne",
  ])
})

test.each([
  "folders that are none",
  "folders of numbers",
  "files that say nothing of their size",
  "files without an output before them",
  "an output that is longer than its frame",
  "a file that is longer than its frame",
  "a file that is shorter than its frame",
  "a file of less than nothing",
  "a file of half a byte",
  "files of 16 EiB",
  "more files than there may be",
  "more in its files than there may be",
  "a path that is too long",
  "paths that are too long together",
  "more folders than it was given",
  "a header of two megabytes",
])("%s, from one that may write files: the runner is ended for it", async (forgery) => {
  await using pool = forgedBy(forgery)
  const failure = await failureOf(pool.call(programOf("forged"), ask("", { folders })))
  expect(failure).toMatchObject({ kind: "protocol" })
  expect(pool.runners()).toEqual([])
})

test("an answer while the host still works ends the runner, and does not wait for the host", async () => {
  await using pool = forgedBy("an answer while the host still works")
  const host = () => new Promise<never>((_, reject) => setTimeout(reject, 60_000).unref())
  expect((await failureOf(pool.call(module, ask("echo", { host })))).kind).toBe("protocol")
})

test("a runner that ends while the host works for it is a crash, also where that is not known yet", async () => {
  await using pool = forgedBy("a call of the host, and its end")
  const host = async () => {
    Bun.sleepSync(100)
    return { bytes: new Uint8Array() }
  }
  expect(await failureOf(pool.call(module, ask("echo", { host })))).toMatchObject({
    kind: "crash",
    message: "The plugin's process ended before it answered (status 7).",
  })
})

test("a runner that does not hear of the next call is ended in its time, and another takes its place", async () => {
  await using pool = forgedBy("an answer, and no ear for more")
  const short = moduleOf("forged", undefined, { timeout_ms: 200 })
  for (let round = 0; round < 2; round++) {
    expect((await pool.call(short, ask("echo"))).output).toHaveLength(4)
    expect((await failureOf(pool.call(short, ask("echo")))).kind).toBe("time")
  }
})

test("a runner that speaks between two calls is ended", async () => {
  await using pool = forgedBy("an answer that nobody asked for")
  await pool.call(module, ask("echo"))
  const { pid } = pool.runners()[0]!
  await until(() => !isRunning(pid))
})

test("answers that are not read do not pile up in the gateway", async () => {
  await using pool = forgedBy("questions whose answers it does not read")
  const bytes = new Uint8Array(1 << 20)
  const before = residentBytes(process.pid)!
  let count = 0
  const host = async () => {
    count++
    return { bytes }
  }
  const limits = { timeout_ms: 1500 }
  const failure = await failureOf(pool.call(moduleOf("forged", undefined, limits), ask("echo", { host })))
  expect(failure.kind).toMatch(/^(time|protocol)$/)
  expect((residentBytes(process.pid)! - before) / 1_048_576).toBeLessThan(64)
  expect(count).toBeLessThan(4)
})

needs({ platform: "linux" })("files that were written do not pile up in the gateway", async () => {
  await using pool = forgedBy("forty large files, one after the other")
  const before = residentBytes(process.pid)!
  let most = 0
  const host: HostCalls = async (_, argument) => {
    most = Math.max(most, residentBytes(process.pid)! - before)
    return { bytes: argument.subarray(0, 4) }
  }
  await pool.call(moduleOf("forged", undefined, { timeout_ms: 20_000 }), ask("echo", { folders, host }))
  expect(most / 1_048_576).toBeLessThan(64)
})

test("a module that takes too long to be compiled is given up", async () => {
  await using pool = forgedBy("a load without end", { load_ms_max: 50 })
  expect(await failureOf(pool.call(module, ask("echo")))).toMatchObject({
    kind: "compile",
    message: 'The plugin "forged" could not be compiled within 50 ms and was stopped.',
  })
})

needs({ platform: "linux" })(
  "a runner that takes more memory than its plugin may is ended",
  async () => {
    await using pool = forgedBy("memory without end")
    const called = failureOf(pool.call(moduleOf("forged", undefined, { timeout_ms: 20_000 }), ask("echo")))
    await until(() => pool.runners().some(({ busy }) => busy))
    const { pid } = pool.runners()[0]!
    expect(await called).toMatchObject({
      kind: "memory",
      message: 'The plugin "forged" took more memory than it may and was stopped.',
    })
    await until(() => !isRunning(pid))
  },
  30_000,
)

needs({ platform: "linux" })(
  "a runner that takes memory once its call is over is ended, too",
  async () => {
    await using pool = forgedBy("memory once its call is over")
    expect((await pool.call(module, ask("echo"))).output).toHaveLength(4)
    const { pid, busy } = pool.runners()[0]!
    expect(busy).toBe(false)
    await until(() => !isRunning(pid))
  },
  30_000,
)

needs({ platform: "linux" })(
  "a runner that works on once its call is over is ended, too",
  async () => {
    await using pool = forgedBy("work once its call is over")
    await pool.call(module, ask("echo"))
    const { pid } = pool.runners()[0]!
    await until(() => usedMs(pid)! > 1000)
    expect(isRunning(pid)).toBe(true)
    await until(() => (usedMs(pid) ?? 3000) > 2000)
    await until(() => !isRunning(pid))
  },
  60_000,
)
