import type { Capability } from "../../config/capability.ts"
import type { PluginConfig } from "../config.ts"
import type { InService, OutOfService, Standing } from "./look.ts"

/** One configured plugin, for as long as the configuration has it. */
export type Entry = {
  config: PluginConfig
  granted: readonly Capability[]
  standing: Standing
  /** Of its files when they were last looked at. */
  stamp: string
  /** One thing at a time happens to a plugin. */
  lane: Promise<unknown>
}

export const newEntry = (config: PluginConfig): Entry => ({
  config,
  granted: [],
  // Of no plugin: whatever the first look finds is told.
  standing: { state: "missing", reason: "it was not looked at yet" },
  stamp: "",
  lane: Promise.resolve(),
})

export const missing = (path: string): OutOfService => ({ state: "missing", reason: `there is no ${path}` })

export function inLane<T>(entry: Entry, work: () => Promise<T>): Promise<T> {
  const done = entry.lane.then(work)
  // Whoever asked for it is told how it went; the next in the lane need not know.
  entry.lane = done.catch(() => undefined)
  return done
}

/** Nothing happened: the same code in the same place was approved at the same time, or it is out of service for the same reason. */
export function isSame(was: Standing, now: Standing): boolean {
  if (was.found?.path !== now.found?.path) return false
  if (was.state !== now.state || was.found?.sha256 !== now.found?.sha256) return false
  if (was.found?.manifest_sha256 !== now.found?.manifest_sha256) return false
  if (was.state === "ready" || now.state === "ready") {
    return serviceOf(was)?.approved_ms === serviceOf(now)?.approved_ms
  }
  return was.reason === now.reason
}

export const serviceOf = (standing: Standing): InService | undefined =>
  standing.state === "ready" ? standing.service : undefined
