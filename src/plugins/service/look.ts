/** What a configured plugin is now: in service with what was approved, or out of it for a reason. */
import { AppError } from "../../base/errors.ts"
import { describeProblem, type Problem } from "../../config/problem.ts"
import type { Store } from "../../store/open.ts"
import { findPlugin, type PluginRow, putPlugin } from "../../store/plugins.ts"
import type { PluginConfig } from "../config.ts"
import { DescriptionRefused, isDescribed } from "../description/describe.ts"
import { default_limits, readManifest } from "../description/manifest.ts"
import { type Module, PluginFailed } from "../module.ts"
import type { Described, Manifest, PluginState } from "../plugin.ts"
import { ModuleRefused, type PrepareOptions, prepare } from "../wasm/prepare.ts"
import { missing } from "./entry.ts"
import { FilesRefused, manifestPath, type PluginFiles, readFiles } from "./files.ts"
import { describeChange } from "./pins.ts"

/** What lies on the disk. */
export type Found = { path: string; sha256: string; manifest_sha256: string; manifest: Manifest | undefined }

export type InService = {
  module: Module
  described: Described
  manifest: Manifest | undefined
  manifest_sha256: string
  approved_by: string
  approved_ms: number
}

export type OutOfService = { state: Exclude<PluginState, "ready">; reason: string }

export type Standing = { found?: Found } & ({ state: "ready"; service: InService } | OutOfService)

/** "new": nobody has approved it, and the next start will. */
export type Examined = { found?: Found } & ({ state: "ready" | "new" } | OutOfService)

/** Who takes what is on the disk into service, and which code is meant. */
export type Approval = { by: string; sha256?: string | undefined }

export type LookDeps = {
  store: Store
  now_ms(): number
  /** Runs what the module says of itself. Throws PluginFailed and DescriptionRefused. */
  describe(module: Module, manifest: Manifest | undefined): Promise<Described>
}

/**
 * Runs nothing of what was approved before. What was not is described in a runner and approved: by whoever asks for it,
 * or by the configuration that names a plugin which nobody has seen yet. Throws conflict where another code is meant.
 */
export async function look(config: PluginConfig, deps: LookDeps, approval?: Approval): Promise<Standing> {
  return read<Standing>(config, async (files, found) => {
    checkMeant(config, files, approval)
    const row = findPlugin(deps.store.db, config.name)
    return await judge(config, files, found, row, deps, approval)
  })
}

/** The same without running or approving anything: "ready" is what would be in service. */
export function examine(config: PluginConfig, row: PluginRow | undefined): Promise<Examined> {
  return read<Examined>(config, async ({ module }, found) => {
    if (row?.is_unloaded) return unloaded
    prepare(module, prepareOptions(moduleOf(config, found), found.manifest))
    const compared = compare(config, found, row)
    if ("reason" in compared) return { state: "changed", reason: compared.reason }
    return { state: compared.is === "new" ? "new" : "ready" }
  })
}

/** Judges what lies on the disk, and says in words why it cannot be a plugin. */
async function read<Judged>(
  config: PluginConfig,
  judging: (files: PluginFiles, found: Found) => Promise<Judged>,
): Promise<Judged | (OutOfService & { found?: Found })> {
  let found: Found | undefined
  try {
    const files = await readFiles(config.path)
    if (!files) return missing(config.path)
    const { sha256, manifest_sha256 } = files
    found = { path: config.path, sha256, manifest_sha256, manifest: undefined }
    found.manifest = await manifestOf(config, files)
    return { found, ...(await judging(files, found)) }
  } catch (thrown) {
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    return { ...(found && { found }), state: "refused", reason }
  }
}

const unloaded: OutOfService = { state: "unloaded", reason: "it was taken out of service" }

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
  row: PluginRow | undefined,
  deps: LookDeps,
  approval: Approval | undefined,
): Promise<Standing> {
  if (row?.is_unloaded && !approval) return unloaded
  const compared = compare(config, found, row)
  if (compared.is === "other") return { state: "changed", reason: compared.reason }
  if (compared.is === "changed" && !approval) return { state: "changed", reason: compared.reason }
  const module = moduleOf(config, found)
  const { sha256, manifest_sha256, manifest } = found
  if (compared.is === "approved") {
    const { approved } = compared
    if (approved.is_unloaded) {
      await deps.store.commit((db) => putPlugin(db, { ...approved, is_unloaded: false }))
    }
    return ready(module, found, approved)
  }
  prepare(files.module, prepareOptions(module, manifest))
  const described = await deps.describe(module, manifest)
  const approved: Approved = {
    ...{ name: config.name, sha256, manifest_sha256, asks: manifest?.capabilities ?? [], described },
    approved_by: approval?.by ?? "the configuration",
    approved_ms: deps.now_ms(),
    is_unloaded: false,
  }
  await deps.store.commit((db) => putPlugin(db, approved))
  return ready(module, found, approved)
}

type Approved = PluginRow & { described: Described }

type Compared =
  | { is: "approved"; approved: Approved }
  /** Nobody has seen it yet, or the configuration names this very code: it approves it. */
  | { is: "new" }
  | { is: "changed"; reason: string }
  /** Not the code that the configuration names, which no operator may approve. */
  | { is: "other"; reason: string }

function compare({ sha256: pin }: PluginConfig, found: Found, row: PluginRow | undefined): Compared {
  const { sha256, manifest_sha256, manifest } = found
  if (pin !== undefined && pin !== sha256) {
    return { is: "other", reason: `the configuration means the code with the sha256 ${pin}, not ${sha256}` }
  }
  if (!row || (pin !== undefined && row.sha256 !== pin)) return { is: "new" }
  if (row.sha256 === "") return { is: "changed", reason: "it was never approved" }
  const { described } = row
  // Another version has written it, or a disk has damaged it.
  if (!isDescribed(described)) {
    return { is: "changed", reason: "what was kept of its approval cannot be read any more" }
  }
  const reason = describeChange(row, { sha256, manifest_sha256, asks: manifest?.capabilities ?? [] })
  return reason === undefined
    ? { is: "approved", approved: { ...row, described } }
    : { is: "changed", reason }
}

const ready = (
  module: Module,
  { manifest, manifest_sha256 }: Found,
  { described, approved_by, approved_ms }: Approved,
): Standing => ({
  state: "ready",
  service: { module, manifest, manifest_sha256, described, approved_by, approved_ms },
})

const prepareOptions = ({ engine, limits }: Module, manifest: Manifest | undefined): PrepareOptions => ({
  engine,
  ...(manifest && { kind: manifest.kind }),
  memory_pages_max: limits.memory_pages_max,
})

function moduleOf({ name, path }: PluginConfig, { sha256, manifest_sha256, manifest }: Found): Module {
  const { engine, limits } = manifest ?? { engine: "reactor" as const, limits: default_limits }
  const module: Module = {
    ...{ plugin: name, engine, sha256, limits },
    async read() {
      const files = await readFiles(path)
      if (files?.sha256 !== sha256 || files.manifest_sha256 !== manifest_sha256) {
        throw new PluginFailed(
          "aborted",
          `The file of the plugin "${name}" is no longer the one that was approved.`,
        )
      }
      try {
        return prepare(files.module, prepareOptions(module, manifest))
      } catch (thrown) {
        // A version that allowed more has approved it.
        if (!(thrown instanceof ModuleRefused)) throw thrown
        throw new PluginFailed("compile", `The plugin "${name}" cannot run: ${thrown.message}`)
      }
    },
  }
  return module
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
