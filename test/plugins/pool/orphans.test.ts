import { expect } from "bun:test"
import { join } from "node:path"
import { needs } from "../../needs.ts"
import { isRunning, until } from "./guests.ts"

needs({ platform: "linux" })(
  "a gateway that is killed leaves no runner, though all of them loop",
  async () => {
    const gateway = Bun.spawn([process.execPath, join(import.meta.dir, "looping.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const reader = gateway.stdout.getReader()
    const pids: number[] = JSON.parse(new TextDecoder().decode((await reader.read()).value))
    expect(pids).toHaveLength(3)
    expect(pids.filter(isRunning)).toEqual(pids)
    gateway.kill("SIGKILL")
    await gateway.exited
    await until(() => !pids.some(isRunning))
  },
  30_000,
)
