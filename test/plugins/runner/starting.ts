/** A gateway with the runner of a program, held still while it still starts, for a test that kills it. Writes the runner's pid. */
import { readdirSync, readFileSync, writeSync } from "node:fs"
import { ownCommand } from "../../../src/kernel/launcher.ts"

/** More than it has before it starts the engine's own. */
const threads = 12

const child = Bun.spawn([...ownCommand("runner"), "wasmer", "--parent", `${process.pid}`], {
  env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
  stdio: ["pipe", "pipe", "ignore"],
  timeout: 20_000,
  killSignal: "SIGKILL",
})
while (readdirSync(`/proc/${child.pid}/task`).length < threads) await Bun.sleep(1)
child.kill("SIGSTOP")
const is_open = readFileSync(`/proc/${child.pid}/status`, "utf8").includes("\nSeccomp:\t0\n")
writeSync(1, `${is_open ? child.pid : "it was too fast"}\n`)
await child.exited
