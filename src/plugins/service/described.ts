import type { RunnersConfig } from "../config.ts"
import { DescriptionRefused, describeTools, readDescription } from "../description/describe.ts"
import { type Engine, type Module, PluginFailed, type Pool } from "../module.ts"
import type { Manifest } from "../plugin.ts"
import type { LookDeps } from "./look.ts"

/**
 * How long a plugin has to say what it is, in milliseconds, whatever its limits are: a gateway's start waits for it. The
 * engine of programs takes a second to begin.
 */
const describe_ms: Record<Engine, number> = { reactor: 2000, wasmer: 10_000 }

/** Asks modules what they are; they reach nothing meanwhile. */
export function describeWith(
  pool: () => Pool,
  { processes_max }: RunnersConfig,
  signal: AbortSignal,
): LookDeps["describe"] {
  // Each needs a process of its own, and what is waited for one counts: no more at once than there may be.
  const lanes = Array.from({ length: processes_max }, (): Promise<unknown> => Promise.resolve())
  let count = 0
  return async (module, manifest) => {
    if (manifest && manifest.tools.length > 0) {
      return describeTools(module.plugin, manifest.tools)
    }
    if (module.engine === "wasmer" && manifest?.kind === "channel") {
      throw new DescriptionRefused('a channel\'s adapter needs engine = "reactor"')
    }
    const index = count++ % processes_max
    const described = lanes[index]!.then(() => ask(pool(), module, signal))
    // Its failure is for who asked, not for who comes after it.
    lanes[index] = described.catch(() => undefined)
    return read(await described, module, manifest?.kind)
  }
}

/** Of a program whose author never heard of us. */
const unaware = "where the program knows nothing of Weft, [[tools]] in its manifest say what it is"

function read(described: Uint8Array, { engine, plugin }: Module, kind: Manifest["kind"] | undefined) {
  try {
    return readDescription(described, kind, plugin)
  } catch (thrown) {
    if (engine !== "wasmer" || !(thrown instanceof DescriptionRefused)) throw thrown
    throw new DescriptionRefused(`${thrown.message}; ${unaware}`)
  }
}

async function ask(pool: Pool, module: Module, signal: AbortSignal): Promise<Uint8Array> {
  const limits = { ...module.limits, timeout_ms: describe_ms[module.engine] }
  const { output, exit_code, stderr } = await pool.call(
    { ...module, limits },
    {
      ...(module.engine === "reactor" ? { function: "describe" } : { function: "", args: ["describe"] }),
      input: new Uint8Array(),
      env: {},
      host: () => Promise.resolve({ error: "denied" }),
      signal,
    },
  )
  if (exit_code) throw new PluginFailed("exit", `it ended with the status ${exit_code}; ${unaware}`, stderr)
  return output
}
