/** One plugin without a gateway around it: in a runner of this process, with what whoever types it grants. */
import { existsSync, statSync } from "node:fs"
import { parse, resolve } from "node:path"
import { AppError } from "../../base/errors.ts"
import {
  type Capability,
  capability_forms,
  grantedHosts,
  isStray,
  parseCapability,
} from "../../config/capability.ts"
import { readManifest } from "../../plugins/description/manifest.ts"
import { isPlaceGranted } from "../../plugins/host/grants.ts"
import type { Manifest, PluginCall, PluginInfo, Plugins } from "../../plugins/plugin.ts"
import { openPlugins } from "../../plugins/plugins.ts"
import { FilesRefused, manifestPath, type PluginFiles, readFiles } from "../../plugins/service/files.ts"
import { openFiles } from "../../security/files/files.ts"
import { openFetch } from "../../security/web/fetch.ts"
import { openStore } from "../../store/open.ts"
import { UsageError } from "../find-command.ts"
import { note } from "../output.ts"

export type Alone = AsyncDisposable & {
  name: string
  plugins: Plugins
  info: PluginInfo
  manifest: Manifest | undefined
  module: Uint8Array
  /** Whose call is that of whoever typed it: no rules but the grants. */
  of: PluginCall
}

/** `granted` are grants as the configuration has them, and paths in them start from the working directory. */
export async function openAlone(path: string, granted: readonly string[]): Promise<Alone> {
  const capabilities = granted.map((text) => {
    const capability = parseCapability(text)
    if (!capability) throw new UsageError(`"${text}" is no grant; one is ${capability_forms}.`)
    checkFolder(capability, text)
    return capability
  })
  const hosts = grantedHosts(capabilities)
  const stray = capabilities.findIndex((capability) => isStray(capability, hosts))
  if (stray >= 0)
    throw new UsageError(`No http: grant covers the host of ${granted[stray]}; grant that as well.`)
  const files = await readModule(path)
  const name = nameOf(path)
  const secrets = Object.fromEntries(
    capabilities.flatMap((one) =>
      one.type === "secret" ? [[one.name, process.env[one.name] ?? missing(one.name)]] : [],
    ),
  )
  await using stack = new AsyncDisposableStack()
  const plugins = stack.use(
    await openPlugins(
      {
        runners: { processes_max: 1, idle_ms: 60_000 },
        folder: process.cwd(),
        env: process.env,
        // What it keeps is gone with the command.
        store: stack.use(openStore(":memory:")),
        log: { debug: () => undefined, info: tell, warn: tell, error: tell },
        now_ms: Date.now,
        reserved: [],
        onEvent: () => undefined,
        onChanged: () => undefined,
        onCalled: () => undefined,
      },
      { plugins: [{ name, path: resolve(path), capabilities: [...granted] }], secrets },
    ),
  )
  const kept = stack.move()
  return {
    name,
    plugins,
    info: plugins.list()[0]!,
    manifest: await tryManifest(path, files.manifest),
    module: files.module,
    of: {
      agent: "default",
      session_key: "default:cli:default:main",
      signal: new AbortController().signal,
      fetch: openFetch({
        permit: () => undefined,
        isOpened: (host, port) => isPlaceGranted(capabilities, host, port),
      }),
      openFolder: (folder, writable) =>
        openFiles({
          workspace: "/nonexistent",
          is_workspace_closed: true,
          read: writable ? [] : [folder],
          write: writable ? [folder] : [],
        }).for(() => undefined),
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function readModule(path: string): Promise<PluginFiles> {
  try {
    const files = await readFiles(path)
    if (files) return files
  } catch (thrown) {
    if (!(thrown instanceof FilesRefused)) throw thrown
    throw new AppError("plugin_refused", { reason: thrown.message })
  }
  throw new AppError("not_found", { module: path })
}

/** The plugin itself only sees that its file is not there. */
function checkFolder(capability: Capability, text: string): void {
  if (capability.type !== "fs") return
  if (existsSync(capability.path) && statSync(capability.path).isDirectory()) return
  throw new UsageError(`${text} grants a folder that is not there: ${resolve(capability.path)}.`)
}

/** As a configuration would call it by its file. */
const nameOf = (path: string): string =>
  parse(path)
    .name.replaceAll(/[^A-Za-z0-9_.-]/g, "-")
    .replace(/^[_.-]+/, "") || "plugin"

function missing(name: string): never {
  throw new UsageError(
    `secret:${name} takes its value from the variable ${name} of the environment, which is not set.`,
  )
}

/** What is wrong with one is the plugin's `reason`. */
async function tryManifest(path: string, text: string | undefined): Promise<Manifest | undefined> {
  try {
    return text === undefined ? undefined : await readManifest(text, manifestPath(path))
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined
    throw thrown
  }
}

/** What it says and why it was not given something go to whoever tries it out; how it stands is told elsewhere. */
function tell(_message: string, fields: Record<string, unknown> = {}): void {
  const { text, function: name, why, stdout, stderr, variable } = fields
  if (text !== undefined) note(`log: ${text}`)
  if (name !== undefined) note(`${name} is refused: ${why}`)
  if (variable !== undefined) note(`The variable ${variable} is not set.`)
  for (const written of [stdout, stderr]) if (written) note(String(written).trimEnd())
}
