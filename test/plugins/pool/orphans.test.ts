import { expect, test } from "bun:test"
import { join } from "node:path"
import { needs } from "../../needs.ts"
import { isRunning, until } from "./guests.ts"

/** Its runners: two that loop, and the spare one. */
async function startLooping(...words: string[]) {
  const gateway = Bun.spawn([process.execPath, join(import.meta.dir, "looping.ts"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const { value } = await gateway.stdout.getReader().read()
  const pids: number[] = JSON.parse(new TextDecoder().decode(value))
  expect(pids).toHaveLength(3)
  return { gateway, pids }
}

needs({ platform: "linux" })(
  "a gateway that is killed leaves no runner, though all of them loop",
  async () => {
    const { gateway, pids } = await startLooping()
    expect(pids.filter(isRunning)).toEqual(pids)
    gateway.kill("SIGKILL")
    await gateway.exited
    await until(() => !pids.some(isRunning))
  },
  30_000,
)

test("a gateway that has disposed of its pool ends by itself, and its runners before it", async () => {
  const { gateway, pids } = await startLooping("stop")
  expect(await gateway.exited).toBe(0)
  expect(pids.filter(isRunning)).toEqual([])
}, 30_000)
