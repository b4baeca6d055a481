/** A gateway with one runner in an endless loop, for a test that kills it. Writes the runner's pid. */
import { writeSync } from "node:fs"
import { ownCommand } from "../../../src/kernel/launcher.ts"
import { encodeFrame } from "../../../src/plugins/frames.ts"
import { wat } from "../wat.ts"

const module = wat(`(module (memory (export "memory") 1)
  (func (export "weft_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "run") (param i32 i32) (result i64) (loop $for_ever (br $for_ever)) (i64.const 0)))`)

const child = Bun.spawn([...ownCommand("runner"), "reactor", "--parent", `${process.pid}`], {
  env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
  // Whoever reads our standard error knows by its end that both have ended.
  stdio: ["pipe", "pipe", "inherit"],
  timeout: 20_000,
  killSignal: "SIGKILL",
})
child.stdin.write(
  encodeFrame("load", { engine: "reactor", output_bytes_max: 1024, memory_pages_max: 1 }, module),
)
child.stdin.write(encodeFrame("call", { function: "run", env: {} }))
await child.stdin.flush()
const reader = child.stdout.getReader()
let seen = ""
while (!seen.includes("\x11")) seen += Buffer.from((await reader.read()).value ?? []).toString("latin1")
writeSync(1, `${child.pid}\n`)
await child.exited
