import type { Log } from "../../base/log.ts"
import type { Standing } from "./look.ts"

export type PluginEvent = { topic: string; data: Record<string, unknown>; scope?: "admin" }

/** Writes into the log what became of a plugin, and returns what subscribers are told. */
export function tellTransition(
  name: string,
  was: Standing,
  now: Standing,
  log: Pick<Log, "info" | "warn">,
): PluginEvent | undefined {
  if (now.state === "ready") {
    const { approved_by: by, module } = now.service
    log.info("a plugin is in service", { plugin: name, sha256: module.sha256, by })
    return { topic: "plugin.loaded", data: { name, sha256: module.sha256, by } }
  }
  const { state, reason } = now
  if (state === "unloaded") {
    log.info("a plugin was taken out of service", { plugin: name })
    return was.state === "unloaded" ? undefined : { topic: "plugin.unloaded", data: { name } }
  }
  const remedy = state === "changed" ? { remedy: `look at it, then: weft plugin load ${name}` } : {}
  log.warn("a plugin is not in service", { plugin: name, state, reason, ...remedy })
  return { topic: "plugin.changed", data: { name, state, reason } }
}
