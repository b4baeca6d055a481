import type { Load, Ready } from "../frames.ts"
import { type Module, PluginFailed } from "../module.ts"
import { boundsFor, broken, failureOf, outOfOrder } from "./answers.ts"
import { isHidden, type ReadProc } from "./proc.ts"
import type { Process } from "./process.ts"

/** From its start to its first frame; far more than a machine that is busy needs. */
const start_ms_max = 20_000

const unwatched =
  "memory: the system does not say how much a plugin's process holds, as where /proc is mounted with hidepid"

/**
 * Waits until a process has put up its walls; the walls that the system did not give, the gateway's own eye on its memory
 * included. Throws PluginFailed.
 */
export async function awaitReady(process: Process, read?: ReadProc): Promise<string[]> {
  const late = () =>
    process.kill(new PluginFailed("crash", `No process for plugins was ready within ${start_ms_max} ms.`))
  const timer = setTimeout(late, start_ms_max).unref()
  try {
    const frame = await process.ready
    const { missing } = frame.header as Partial<Ready>
    if (frame.kind !== "ready") throw outOfOrder(frame, process)
    if (!Array.isArray(missing) || !missing.every((wall) => typeof wall === "string")) {
      throw broken(process, "walls that are none")
    }
    return process.is_alive && isHidden(process.pid, read) ? [...missing, unwatched] : missing
  } finally {
    clearTimeout(timer)
  }
}

/** Has a process that is ready compile its module. Throws PluginFailed; then the runner is of no use. */
export async function runLoad(process: Process, module: Module, load_ms_max: number): Promise<void> {
  const { engine, plugin, limits } = module
  const bytes = await module.read()
  const { output_bytes_max, memory_pages_max } = limits
  process.expect(boundsFor(module))
  const slow = () =>
    process.kill(
      new PluginFailed(
        "compile",
        `The plugin "${plugin}" could not be compiled within ${load_ms_max} ms and was stopped.`,
      ),
    )
  const timer = setTimeout(slow, load_ms_max).unref()
  try {
    const load: Load = { engine, output_bytes_max, memory_pages_max }
    const frame = await process.ask("load", load, bytes)
    if (frame.kind === "failed") throw failureOf(frame, process, plugin)
    if (frame.kind !== "loaded") throw outOfOrder(frame, process)
  } finally {
    clearTimeout(timer)
  }
}
