import { expect } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { ownCommand } from "../../../src/kernel/launcher.ts"
import { needs } from "../../needs.ts"
import { isRunning, until } from "../pool/guests.ts"
import { wat } from "../wat.ts"
import { startRunner } from "./runner.ts"

const linux = needs({ platform: "linux" })
const empty = wat('(module (memory (export "memory") 1))')

linux("a runner in an endless loop ends with a gateway that is killed", async () => {
  const gateway = Bun.spawn([process.execPath, join(import.meta.dir, "orphan.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  })
  const { value } = await gateway.stdout.getReader().read()
  const runner = Number(Buffer.from(value ?? []).toString())
  expect(readFileSync(`/proc/${runner}/cmdline`, "utf8")).toContain("runner\0reactor")
  const killed_at = performance.now()
  gateway.kill("SIGKILL")
  expect(await new Response(gateway.stderr).text()).toBe("")
  expect(performance.now() - killed_at).toBeLessThan(1000)
})

linux(
  "a runner that does not come to its walls ends with a gateway that is killed",
  async () => {
    const gateway = Bun.spawn([process.execPath, join(import.meta.dir, "starting.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 20_000,
      killSignal: "SIGKILL",
    })
    const { value } = await gateway.stdout.getReader().read()
    const runner = Number(Buffer.from(value ?? []).toString())
    expect(isRunning(runner)).toBe(true)
    gateway.kill("SIGKILL")
    await gateway.exited
    try {
      await until(() => !isRunning(runner))
    } finally {
      if (isRunning(runner)) process.kill(runner, "SIGKILL")
    }
  },
  30_000,
)

linux("a runner that was started by somebody else than it is told says nothing and ends", async () => {
  const child = Bun.spawn([...ownCommand("runner"), "reactor", "--parent", "1"], {
    stdio: ["pipe", "pipe", "ignore"],
  })
  expect(await new Response(child.stdout).text()).toBe("")
  expect(await child.exited).toBe(1)
})

linux("a runner has put up all its walls before it says that it is ready", async () => {
  await using runner = await startRunner()
  expect(runner.missing).toEqual([])
  const status = readFileSync(`/proc/${runner.pid}/status`, "utf8")
  expect(status).toContain("\nSeccomp:\t2\n")
  expect(status).toContain("\nNoNewPrivs:\t1\n")
  expect(status).toContain("\nCapEff:\t0000000000000000\n")
  expect(await runner.load(empty)).toBe("loaded")
})

/** Long enough for the compilers of every tier and for many collections; each guest does what takes the engine's threads. */
linux(
  "a runner lives through calls of every kind behind its walls",
  async () => {
    const module = wat(`(module
    (memory (export "memory") 1 24) (table 10 1000 funcref)
    (func (export "weft_alloc") (param i32) (result i32) (i32.const 1024))
    (func $fib (param i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
    (func (export "compute") (param i32 i32) (result i64) (drop (call $fib (i32.const 22))) (i64.const 0))
    (func (export "grow") (param i32 i32) (result i64)
      (loop $more
        (memory.fill (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536)) (i32.const 1) (i32.const 65536))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (drop (table.grow (ref.null func) (i32.const 500)))
      (i64.const 0))
    (func (export "trap") (param i32 i32) (result i64) unreachable)
    (func (export "overflow") (param i32 i32) (result i64) (i64.extend_i32_u (call $deep (i32.const 0)))))`)
    await using runner = await startRunner(module)
    const ends = new Map<string, number>()
    for (let call = 0; call < 600; call++) {
      const name = call % 100 === 99 ? "overflow" : ["compute", "grow", "trap"][call % 3]!
      const answered = await runner.call(name)
      const end = `${name} ${"failed" in answered ? answered.failed : "done"}`
      ends.set(end, (ends.get(end) ?? 0) + 1)
    }
    expect([...ends.keys()].sort()).toEqual(["compute done", "grow done", "overflow trap", "trap trap"])
    const resident_bytes = Number(readFileSync(`/proc/${runner.pid}/statm`, "utf8").split(" ")[1]) * 4096
    expect(resident_bytes).toBeLessThan(400 << 20)
  },
  60_000,
)
