/** A gateway that does nothing but run two loops without end; says which processes they are in. With "stop" it stops. */
import { ask, failureOf, moduleOf, poolOf, until } from "./guests.ts"

const pool = poolOf({ processes_max: 3 })
const module = moduleOf("loops", undefined, { timeout_ms: 60_000 })
const calls = [1, 2].map(() => failureOf(pool.call(module, ask("loop"))))
await until(() => pool.runners().filter(({ busy }) => busy).length === 2)
// The spare one is one of them.
await until(() => pool.runners().length === 3)
console.log(JSON.stringify(pool.runners().map(({ pid }) => pid)))
if (process.argv[2] === "stop") {
  await pool[Symbol.asyncDispose]()
  for (const { kind } of await Promise.all(calls)) if (kind !== "aborted") process.exitCode = 1
}
