import type { Capability } from "../../config/capability.ts"
import { parseCapability } from "../../config/capability.ts"
import type { PluginConfig } from "../config.ts"
import { modelName, toAlias } from "../description/describe.ts"
import { resolveGrants } from "../host/grants.ts"
import type { PluginInfo } from "../plugin.ts"
import type { Found, InService, Standing } from "./look.ts"

/** What the configuration grants. It was checked when it was read. */
export const toGrants = ({ capabilities }: PluginConfig, folder: string): Capability[] =>
  resolveGrants(
    capabilities.flatMap((text) => parseCapability(text) ?? []),
    folder,
  )

/** `collision` says why one that could be in service is not. */
export function toInfo(config: PluginConfig, standing: Standing, collision: string | undefined): PluginInfo {
  const { name, path, capabilities } = config
  const { found } = standing
  const service = standing.state === "ready" ? standing.service : undefined
  const reason = collision ?? (standing.state === "ready" ? undefined : standing.reason)
  return {
    name,
    state: service && collision !== undefined ? "refused" : standing.state,
    ...(reason !== undefined && { reason }),
    ...(found && factsOf(found)),
    ...(service && serviceOf(service)),
    path,
    asks: found?.manifest?.capabilities ?? [],
    granted: capabilities,
    tools: service && collision === undefined ? toolNames(name, service) : [],
  }
}

const factsOf = ({ sha256, manifest_sha256, manifest }: Found): Partial<PluginInfo> => ({
  sha256,
  ...(manifest_sha256 !== "" && { manifest_sha256 }),
  ...(manifest && { version: manifest.version, kind: manifest.kind, engine: manifest.engine }),
})

const serviceOf = ({ described, module, approved_ms, approved_by }: InService): Partial<PluginInfo> => ({
  kind: described.kind,
  engine: module.engine,
  ...(described.kind === "channel" && { channel: described.channel }),
  approved_ms,
  approved_by,
})

/** As models call them. */
export const toolNames = (plugin: string, { described }: InService): string[] =>
  described.kind === "tool" ? described.tools.map(({ name }) => modelName(plugin, name)) : []

const aliasesOf = (plugin: string, { described }: InService): string[] =>
  described.kind === "tool" ? described.tools.map(({ name }) => toAlias(plugin, name)) : []

/** Of each plugin whose tools' names are taken, by whom: a built-in tool, or a plugin further up in the configuration. */
export function findCollisions(
  serving: readonly (readonly [plugin: string, service: InService])[],
  reserved: readonly string[],
  plugins: readonly string[],
): Map<string, string> {
  const taken = new Map(reserved.map((name) => [name, `the built-in tool "${name}"`]))
  const found = new Map<string, string>()
  for (const [plugin, service] of serving) {
    const names = toolNames(plugin, service)
    const rules = [...names, ...aliasesOf(plugin, service)]
    const clash = rules.find((name) => taken.has(name) || (name !== plugin && plugins.includes(name)))
    if (clash === undefined) {
      for (const name of names) taken.set(name, `a tool of the plugin "${plugin}"`)
      continue
    }
    const other = taken.get(clash) ?? `the plugin "${clash}"`
    found.set(plugin, `its tool "${clash}" has the same name as ${other}; name one of the plugins otherwise`)
  }
  return found
}
