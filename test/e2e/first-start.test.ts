import { expect } from "bun:test"
import { join } from "node:path"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { openHomeStore, startWeft } from "./weft.ts"
import { findHalves } from "./whole.ts"

/** What a start does to its home, and how many of each to leave out between two crashes. */
const calls: [call: string, step: number][] = [
  ["fsync,fdatasync", 1],
  ["rename,renameat,renameat2", 1],
  ["pwrite64", 3],
]

needs({ command: "strace" })(
  "a first start that is killed at any point leaves a home that starts",
  async () => {
    const killed = Object.fromEntries(await Promise.all(calls.map(killAtEach)))
    console.log(`killed at its first start: ${JSON.stringify(killed)}`)
    expect(killed["fsync,fdatasync"]).toBeGreaterThan(2)
    expect(killed["rename,renameat,renameat2"]).toBeGreaterThan(1)
    expect(killed.pwrite64).toBeGreaterThan(2)
  },
  60_000,
)

/** Kills a first start at its first such call, at a later one, … until it gets through; each time the next must work. */
async function killAtEach([call, step]: [string, number]): Promise<[string, number]> {
  for (let count = 0; ; count++) {
    await using folder = await temporaryFolder()
    const home = join(folder.path, "home")
    const inject = `inject=${call}:signal=SIGKILL:when=${1 + count * step}`
    const through = ["strace", "-f", "-o", join(folder.path, "trace"), "-e", `trace=${call}`, "-e", inject]
    if (await survives({ home, through })) return [call, count]
    await using next = await startWeft({ home })
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "status" })
    const response = await next.fetch("/rpc", { method: "POST", body })
    expect(await response.json()).toMatchObject({ result: { sessions: 0 } })
    using store = openHomeStore(home)
    expect(findHalves(store)).toEqual([])
  }
}

async function survives(options: Parameters<typeof startWeft>[0]): Promise<boolean> {
  try {
    await using _running = await startWeft(options)
    return true
  } catch (thrown) {
    // A crash says nothing; what refuses to start would have.
    expect(String(thrown)).toEndWith("the gateway ended: ")
    return false
  }
}
