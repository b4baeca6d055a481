/** A gateway that does nothing but run two loops without end; says which processes they are in. */
import { ask, moduleOf, poolOf, until } from "./guests.ts"

const pool = poolOf({ processes_max: 3 })
const module = moduleOf("loops", undefined, { timeout_ms: 60_000 })
for (let i = 0; i < 2; i++) {
  pool.call(module, ask("loop")).catch((thrown) => {
    throw thrown
  })
}
await until(() => pool.runners().filter(({ busy }) => busy).length === 2)
// The spare one is one of them.
await until(() => pool.runners().length === 3)
console.log(JSON.stringify(pool.runners().map(({ pid }) => pid)))
