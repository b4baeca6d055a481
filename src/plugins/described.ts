import { DescriptionRefused, describeTools, readDescription } from "./describe.ts"
import type { LookDeps } from "./look.ts"
import { PluginFailed, type Pool } from "./module.ts"

/**
 * How long a plugin has to say what it is, in milliseconds: as long as a call, but on a machine that is busy starting no
 * less than the first, and while a gateway's start waits for it no more than the second.
 */
const [describe_ms_min, describe_ms_max] = [1000, 10_000]

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
    const { limits } = module
    const timeout_ms = Math.min(Math.max(limits.timeout_ms, describe_ms_min), describe_ms_max)
    const {
      output,
      exit_code = 0,
      stderr,
    } = await pool().call(
      { ...module, limits: { ...limits, timeout_ms } },
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
