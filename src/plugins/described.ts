import { DescriptionRefused, describeTools, readDescription } from "./describe.ts"
import type { LookDeps } from "./look.ts"
import { type Engine, PluginFailed, type Pool } from "./module.ts"

/**
 * How long a plugin has to say what it is, in milliseconds, whatever its limits are: a gateway's start waits for it. The
 * engine of programs takes a second to begin.
 */
const describe_ms: Record<Engine, number> = { reactor: 2000, wasmer: 10_000 }

/** Asks modules what they are; they reach nothing meanwhile. */
export const describeWith =
  (pool: () => Pool, signal: AbortSignal): LookDeps["describe"] =>
  async (module, manifest) => {
    if (manifest && manifest.tools.length > 0) {
      return describeTools(module.plugin, manifest.tools)
    }
    if (module.engine === "wasmer" && manifest?.kind === "channel") {
      throw new DescriptionRefused('a channel\'s adapter needs engine = "reactor"')
    }
    const limits = { ...module.limits, timeout_ms: describe_ms[module.engine] }
    const {
      output,
      exit_code = 0,
      stderr,
    } = await pool().call(
      { ...module, limits },
      {
        ...(module.engine === "reactor" ? { function: "describe" } : { function: "", args: ["describe"] }),
        input: new Uint8Array(),
        env: {},
        host: () => Promise.resolve({ error: "denied" }),
        signal,
      },
    )
    if (exit_code !== 0) throw new PluginFailed("exit", `it ended with the status ${exit_code}`, stderr)
    return readDescription(output, manifest?.kind, module.plugin)
  }
