/** What a configured plugin is now: in service with what was approved, or out of it for a reason. */
import { AppError } from "../base/errors.ts"
import { describeProblem, type Problem } from "../config/problem.ts"
import type { Store } from "../store/open.ts"
import { findPlugin, type PluginRow, putPlugin } from "../store/plugins.ts"
import type { PluginConfig } from "./config.ts"
import { DescriptionRefused } from "./describe.ts"
import { missing } from "./entry.ts"
import { FilesRefused, manifestPath, type PluginFiles, readFiles } from "./files.ts"
import { readManifest } from "./manifest.ts"
import { type Module, type ModuleLimits, PluginFailed } from "./module.ts"
import { describeChange } from "./pins.ts"
import type { Described, Manifest, PluginState } from "./plugin.ts"
import { ModuleRefused, prepare } from "./prepare.ts"

/** What lies on the disk. */
export type Found = { sha256: string; manifest_sha256: string; manifest: Manifest | undefined }

export type InService = {
  module: Module
  described: Described
  manifest: Manifest | undefined
  approved_by: string
  approved_ms: number
}

export type Standing = { found?: Found } & (
  | { state: "ready"; service: InService }
  | { state: Exclude<PluginState, "ready">; reason: string }
)

/** Who takes what is on the disk into service, and which code is meant. */
export type Approval = { by: string; sha256?: string | undefined }

export type LookDeps = {
  store: Store
  now_ms(): number
  /** Runs what the module says of itself. Throws PluginFailed and DescriptionRefused. */
  describe(module: Module, manifest: Manifest | undefined): Promise<Described>
}

/** Where there is no manifest to say otherwise. */
const default_limits: ModuleLimits = { timeout_ms: 5000, memory_pages_max: 256, output_bytes_max: 1_048_576 }

/**
 * Runs nothing of what was approved before. What was not is described in a runner and approved: by whoever asks for it,
 * or by the configuration that names a plugin which nobody has seen yet. Throws conflict where another code is meant.
 */
export async function look(config: PluginConfig, deps: LookDeps, approval?: Approval): Promise<Standing> {
  let found: Found | undefined
  try {
    const files = await readFiles(config.path)
    if (!files) return missing(config.path)
    const { sha256, manifest_sha256 } = files
    found = { sha256, manifest_sha256, manifest: undefined }
    checkMeant(config, files, approval)
    found.manifest = await manifestOf(config, files)
    return { found, ...(await judge(config, files, found, deps, approval)) }
  } catch (thrown) {
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return { ...(found && { found }), state: "refused", reason }
  }
}

function checkMeant({ name, sha256 }: PluginConfig, files: PluginFiles, approval?: Approval): void {
  const meant = approval?.sha256 ?? (approval && sha256)
  if (meant === undefined || meant === files.sha256) return
  throw new AppError("conflict", { plugin: name, expected: meant, found: files.sha256 })
}

const manifestOf = ({ path }: PluginConfig, { manifest }: PluginFiles): Promise<Manifest | undefined> =>
  manifest === undefined ? Promise.resolve(undefined) : readManifest(manifest, manifestPath(path))

async function judge(
  config: PluginConfig,
  files: PluginFiles,
  found: Found,
  deps: LookDeps,
  approval: Approval | undefined,
): Promise<Standing> {
  const { name } = config
  const row = findPlugin(deps.store.db, name)
  if (row?.is_unloaded && !approval) return { state: "unloaded", reason: "it was taken out of service" }
  if (config.sha256 !== undefined && config.sha256 !== files.sha256) {
    const reason = `the configuration means the code with the sha256 ${config.sha256}, not ${files.sha256}`
    return { state: "changed", reason }
  }
  const module = moduleOf(config, found)
  const { sha256, manifest_sha256, manifest } = found
  const asks = manifest?.capabilities ?? []
  const change = row && describeChange(row, { sha256, manifest_sha256, asks })
  if (row && change === undefined && row.sha256 !== "") {
    if (row.is_unloaded) await deps.store.commit((db) => putPlugin(db, { ...row, is_unloaded: false }))
    return ready(module, manifest, row)
  }
  // A pin of the configuration approves the code that it names, whatever was approved before.
  const is_configured = !row || (config.sha256 !== undefined && row.sha256 !== config.sha256)
  if (!approval && !is_configured) return { state: "changed", reason: change ?? "it was never approved" }
  const { memory_pages_max } = module.limits
  prepare(files.module, { engine: module.engine, ...kindOf(manifest), memory_pages_max })
  const described = await deps.describe(module, manifest)
  const approved: PluginRow = {
    ...{ name, sha256, manifest_sha256, asks, described },
    approved_by: approval?.by ?? "the configuration",
    approved_ms: deps.now_ms(),
    is_unloaded: false,
  }
  await deps.store.commit((db) => putPlugin(db, approved))
  return ready(module, manifest, approved)
}

const ready = (module: Module, manifest: Manifest | undefined, row: PluginRow): Standing => ({
  state: "ready",
  service: {
    ...{ module, manifest, described: row.described as Described },
    ...{ approved_by: row.approved_by, approved_ms: row.approved_ms },
  },
})

const kindOf = (manifest: Manifest | undefined) => (manifest ? { kind: manifest.kind } : {})

function moduleOf({ name, path }: PluginConfig, { sha256, manifest_sha256, manifest }: Found): Module {
  const { engine, limits } = manifest ?? { engine: "reactor" as const, limits: default_limits }
  return {
    plugin: name,
    engine,
    sha256,
    limits,
    async read() {
      const files = await readFiles(path)
      if (files?.sha256 !== sha256 || files.manifest_sha256 !== manifest_sha256) {
        throw new PluginFailed("aborted", "its file is no longer the one that was approved")
      }
      const { memory_pages_max } = limits
      return prepare(files.module, { engine, ...kindOf(manifest), memory_pages_max })
    },
  }
}

/** In words for an operator; undefined for what is no fault of the plugin. */
function reasonOf(thrown: unknown): string | undefined {
  if (thrown instanceof FilesRefused) return thrown.message
  if (thrown instanceof ModuleRefused) return thrown.message
  if (thrown instanceof DescriptionRefused) return thrown.message
  if (thrown instanceof PluginFailed) return `it did not say what it is: ${thrown.message}`
  if (!(thrown instanceof AppError) || thrown.code !== "invalid_config") return undefined
  const problems = (thrown.data.problems ?? [thrown.data]) as Problem[]
  return problems.map(describeProblem).join("; ")
}
