import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { openSandbox, type SandboxOptions } from "../../src/security/sandbox/sandbox.ts"
import { type Bench, interleave, median } from "../measure.ts"
import { makeHome } from "../servers.ts"

/** What the walls add to a program that does nothing. */
export const exec: Bench = {
  name: "exec",
  async measure({ quick }) {
    using home = makeHome()
    const workspace = join(home.path, "workspace")
    mkdirSync(workspace)
    const options: SandboxOptions = {
      policy: { mode: "prefer", workspace, read: [], write: [], network: [] },
      limits: { memory_bytes_max: 1_073_741_824, processes_max: 256, file_bytes_max: 1_073_741_824 },
      run_folder: join(home.path, "run"),
      env: process.env,
    }
    await using checked = openSandbox(options)
    const { holds, missing } = await checked.check()
    const argv = ["/bin/true"]
    const { signal } = new AbortController()
    // One sandbox a call, as the gateway has it.
    const walled = () =>
      timed(async () => {
        await using sandbox = openSandbox(options)
        await sandbox.execute({ argv, timeout_ms: 10_000, output_bytes_max: 4096, signal })
      })
    const plain = () => timed(() => spawn(argv))
    await interleave(5, walled, plain)
    const [behind, without] = (await interleave(quick ? 20 : 200, walled, plain)).map(median) as [
      number,
      number,
    ]
    const gone = missing.length > 0 ? `, without ${missing.map(({ wall }) => wall).join(", ")}` : ""
    return [
      {
        name: "exec",
        title: "the walls around a program that does nothing, added to starting it",
        unit: "ms",
        value: behind - without,
        note: `${behind.toFixed(2)} ms behind ${holds.length} walls${gone}, ${without.toFixed(2)} ms without`,
      },
    ]
  },
}

async function spawn(argv: string[]): Promise<void> {
  const child = Bun.spawn(argv, { stdio: ["ignore", "pipe", "pipe"] })
  const outputs = [new Response(child.stdout).bytes(), new Response(child.stderr).bytes()]
  await Promise.all([child.exited, ...outputs])
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
