import { join } from "node:path"
import { AppError } from "../../base/errors.ts"
import { WeftError } from "../../client/client.ts"
import type { PluginConfig } from "../../plugins/config.ts"
import { isWishMet } from "../../plugins/host/grants.ts"
import type { PluginInfo, PluginState } from "../../plugins/plugin.ts"
import { openGateway } from "../connect.ts"
import type { Deps, Inspected } from "../deps.ts"
import { type Finding, ok, warn } from "./finding.ts"

type Known = Pick<PluginInfo, "name" | "asks" | "granted"> & { state: string; reason?: string | undefined }

const answer_ms_max = 1000

/** How the configured plugins stand, and what is put around them. Runs none of them. */
export async function* checkPlugins(
  home: string,
  inspected: Inspected | undefined,
  deps: Deps,
  is_held: boolean,
): AsyncGenerator<Finding> {
  if (!inspected || inspected.plugins.length === 0) return
  const told = is_held ? await ask(home, deps) : undefined
  for (const known of told ?? (await examineAll(home, inspected.plugins))) {
    yield toFinding(known)
    yield* checkGrants(known)
  }
  yield await checkRunner()
}

/** What the running gateway says of them; undefined where none answers. */
async function ask(home: string, deps: Deps): Promise<Known[] | undefined> {
  try {
    await using gateway = await openGateway({ home }, deps, {
      start: false,
      connect_timeout_ms: answer_ms_max,
    })
    return (await gateway.client.call("plugin.list")).plugins
  } catch (thrown) {
    if (!(thrown instanceof WeftError || thrown instanceof AppError)) throw thrown
    return undefined
  }
}

async function examineAll(home: string, plugins: readonly PluginConfig[]): Promise<Known[]> {
  const [{ examine }, { readPlugins }] = await Promise.all([
    import("../../plugins/service/look.ts"),
    import("../../store/plugins.ts"),
  ])
  const findRow = readPlugins(join(home, "weft.db"))
  return Promise.all(
    plugins.map(async (config) => {
      const { name, capabilities } = config
      const standing = await examine(config, findRow(name))
      return {
        name,
        state: standing.state,
        ...("reason" in standing && { reason: standing.reason }),
        asks: standing.found?.manifest?.capabilities ?? [],
        granted: capabilities,
      }
    }),
  )
}

const remedies: Record<Exclude<PluginState, "ready">, (name: string) => string> = {
  changed: (name) => `look at it, then: weft plugin load ${name}`,
  missing: () => "put the file there, or take the plugin out of the configuration",
  refused: (name) => `correct it; weft plugin check says more, and weft plugin load ${name} tries again`,
  unloaded: (name) => `weft plugin load ${name} takes it in again`,
}

function toFinding({ name, state, reason = "" }: Known): Finding {
  const what = `plugin ${name}`
  if (state === "ready") return ok(what, "is as it was approved")
  if (state === "new") return ok(what, "the next start approves it as it is")
  const remedy = remedies[state as keyof typeof remedies]
  return warn(what, `${state}: ${reason}`, remedy?.(name) ?? "look at it")
}

function* checkGrants({ name, asks, granted }: Known): Generator<Finding> {
  const lacking = asks.filter((one) => !isWishMet(one, granted))
  if (lacking.length === 0) return
  const remedy = "add to its capabilities what it may have; the rest is denied to it"
  yield warn(`plugin ${name}`, `it asks for ${lacking.join(", ")}, which it is not granted`, remedy)
}

/** Really starts one, without a plugin. */
async function checkRunner(): Promise<Finding> {
  const what = "walls of plugins"
  const [{ startProcess }, { awaitReady }] = await Promise.all([
    import("../../plugins/pool/process.ts"),
    import("../../plugins/pool/load.ts"),
  ])
  const runner = startProcess("reactor")
  try {
    const missing = await awaitReady(runner)
    if (missing.length === 0) return ok(what, "all hold")
    return warn(
      what,
      `missing: ${missing.join("; ")}`,
      "Linux 5.13 or newer, a container that allows seccomp, and /proc without hidepid",
    )
  } finally {
    runner.kill(new Error("it was only looked at"))
    await runner.exited
  }
}
