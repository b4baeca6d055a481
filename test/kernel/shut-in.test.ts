import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import { buildRunnerFilter, reactor_calls, wasmer_calls } from "../../src/kernel/own/runner-filter.ts"
import { needs } from "../needs.ts"

const linux = needs({ platform: "linux" })
const { EPERM, ENOSYS } = constants.errno

type Report = { missing: string[]; answers: Record<string, number | string> }

function shutIn(profile: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "shut-in.ts"), profile], {
    env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  })
  return {
    pid: child.pid,
    async report(): Promise<Report> {
      let text = ""
      const decoder = new TextDecoder()
      for await (const chunk of child.stdout) {
        text += decoder.decode(chunk, { stream: true })
        if (text.endsWith("\n")) break
      }
      return JSON.parse(text)
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await child.exited
    },
  }
}

linux("a process that has shut itself in is refused everything but computing", async () => {
  await using child = shutIn("reactor")
  const { missing, answers } = await child.report()
  expect(missing).toEqual([])
  const { clone3, ...others } = answers
  expect(clone3).toBe(ENOSYS)
  expect(Object.keys(others).length).toBeGreaterThan(process.arch === "x64" ? 55 : 45)
  expect(Object.entries(others).filter(([, answer]) => answer !== EPERM)).toEqual([])
})

linux("what a program's runner may do besides reaches no other process and no file", async () => {
  await using child = shutIn("wasmer")
  const { missing, answers } = await child.report()
  expect(missing).toEqual([])
  const { clone3, ...others } = answers
  expect(clone3).toBe(ENOSYS)
  expect(Object.entries(others).filter(([, answer]) => answer !== EPERM)).toEqual([])
})

linux("every thread is shut in, those of the engine too, and all limits hold", async () => {
  await using child = shutIn("reactor")
  await child.report()
  const threads = readdirSync(`/proc/${child.pid}/task`)
  expect(threads.length).toBeGreaterThan(1)
  for (const thread of threads) {
    const status = readFileSync(`/proc/${child.pid}/task/${thread}/status`, "utf8")
    expect(status).toContain("\nSeccomp:\t2\n")
    expect(status).toContain("\nNoNewPrivs:\t1\n")
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"])
      expect(status).toContain(`\n${set}:\t0000000000000000\n`)
    expect(status).not.toContain("\nUid:\t0\t")
    if (process.getuid?.() === 0) expect(status).toContain("\nGroups:\t \n")
  }
  const limits = readFileSync(`/proc/${child.pid}/limits`, "utf8")
  expect(limits).toMatch(/Max file size +0 +0 /)
  expect(limits).toMatch(/Max core file size +0 +0 /)
  expect(limits).toMatch(/Max open files +16 +16 /)
  expect(limits).toMatch(/Max locked memory +0 +0 /)
  expect(limits).toMatch(/Max processes +\d+ +\d+ /)
  const session = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]!.split(" ")[3]
  expect(session).toBe(`${child.pid}`)
})

test.each(["x64", "arm64"] as const)(
  "no call is named twice in the filter of %s, and each jump lands within it",
  (machine) => {
    const column = machine === "x64" ? 0 : 1
    const numbers = Object.values({ ...reactor_calls, ...wasmer_calls })
      .map((row) => row[column])
      .filter((number) => number >= 0)
    expect(new Set(numbers).size).toBe(numbers.length)
    const filter = buildRunnerFilter("wasmer", 1234, machine)
    const length = filter.length / 8
    for (let at = 0; at < length; at++) {
      const [yes, no] = [filter[8 * at + 2]!, filter[8 * at + 3]!]
      expect(at + 1 + Math.max(yes, no)).toBeLessThanOrEqual(length)
    }
  },
)
