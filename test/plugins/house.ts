/** Plugins over a real store, real files and real runners, without a gateway around them. */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { PluginConfig } from "../../src/plugins/config.ts"
import type { PluginCall, PluginInfo, Plugins } from "../../src/plugins/plugin.ts"
import { openPlugins } from "../../src/plugins/plugins.ts"
import { manifestPath } from "../../src/plugins/service/files.ts"
import type { PluginEvent } from "../../src/plugins/service/transition.ts"
import { openFiles } from "../../src/security/files/files.ts"
import { openFetch } from "../../src/security/web/fetch.ts"
import { openStore } from "../../src/store/open.ts"
import { temporaryFolder } from "../harness.ts"

export type Started = AsyncDisposable & {
  plugins: Plugins
  events: PluginEvent[]
  lines: { message: string; [field: string]: unknown }[]
  calls: string[]
  /** How often something else was offered than before. */
  changes(): number
  /** The first event of a topic after those that were asked for before; it takes them out of `events`. */
  event(topic: string): Promise<PluginEvent>
  info(name: string): PluginInfo
  call(tool: string, input?: unknown, of?: Partial<PluginCall>): Promise<string>
}

export type House = AsyncDisposable & {
  folder: string
  write(name: string, module: Uint8Array, manifest?: string): void
  remove(name: string): void
  config(name: string, more?: Partial<PluginConfig>): PluginConfig
  /** As a gateway does when it starts. */
  start(
    plugins: PluginConfig[],
    more?: { env?: Record<string, string>; secrets?: Record<string, string> },
  ): Promise<Started>
}

export async function openHouse(): Promise<House> {
  const folder = await temporaryFolder()
  const pathOf = (name: string) => join(folder.path, `${name}.wasm`)
  return {
    folder: folder.path,
    write(name, module, manifest) {
      writeFileSync(pathOf(name), module)
      if (manifest !== undefined) writeFileSync(manifestPath(pathOf(name)), manifest)
    },
    remove(name) {
      rmSync(pathOf(name), { force: true })
      rmSync(manifestPath(pathOf(name)), { force: true })
    },
    config: (name, more = {}) => ({ name, path: pathOf(name), capabilities: [], ...more }),
    start: (plugins, more = {}) => start(folder.path, plugins, more),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

async function start(
  folder: string,
  configured: PluginConfig[],
  { env = {}, secrets = {} }: { env?: Record<string, string>; secrets?: Record<string, string> },
): Promise<Started> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(openStore(join(folder, "weft.db")))
  const [events, lines, calls]: [Started["events"], Started["lines"], string[]] = [[], [], []]
  const tell = (message: string, fields: Record<string, unknown> = {}) =>
    void lines.push({ message, ...fields })
  let changes = 0
  let wake = Promise.withResolvers<void>()
  const plugins = stack.use(
    await openPlugins(
      {
        runners: { processes_max: 3, idle_ms: 60_000 },
        folder,
        env,
        store,
        log: { debug: tell, info: tell, warn: tell, error: tell },
        now_ms: Date.now,
        reserved: ["read_file", "files"],
        onEvent(event) {
          events.push(event)
          wake.resolve()
          wake = Promise.withResolvers()
        },
        onChanged: () => void changes++,
        onCalled: (plugin, outcome) => void calls.push(`${plugin} ${outcome}`),
      },
      { plugins: configured, secrets },
    ),
  )
  const kept = stack.move()
  return {
    plugins,
    events,
    lines,
    calls,
    changes: () => changes,
    async event(topic) {
      for (;;) {
        const index = events.findIndex((event) => event.topic === topic)
        if (index >= 0) return events.splice(0, index + 1).at(-1)!
        await wake.promise
      }
    },
    info: (name) => plugins.list().find((one) => one.name === name)!,
    async call(tool, input = {}, of = {}) {
      const found = plugins.tools().find(({ name }) => name === tool)
      if (!found) throw new Error(`there is no tool ${tool}`)
      return (await found.call(input, { ...callOf(), ...of })).content
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Whose rules allow everything, this machine included. */
export const callOf = (): PluginCall => ({
  agent: "default",
  session_key: "default:ws:default:main",
  signal: new AbortController().signal,
  fetch: openFetch({ permit: () => undefined, isOpened: () => true }),
  openFolder: (path, writable) =>
    openFiles({
      workspace: "/nonexistent",
      is_workspace_closed: true,
      read: writable ? [] : [path],
      write: writable ? [path] : [],
    }).for(() => undefined),
})
