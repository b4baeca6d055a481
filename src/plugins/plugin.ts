/** What a plugin is, as its files and the gateway's configuration say it. */
import type { Capability } from "../config/capability.ts"
import type { Files } from "../security/files/files.ts"
import type { GuardedFetch } from "../security/web/fetch.ts"
import type { PluginConfig } from "./config.ts"
import type { Engine, ModuleLimits, Pool } from "./module.ts"

/** `<name>.toml` beside the module, or what stands for it where there is none. */
export type Manifest = {
  name: string
  version: string
  kind: "tool" | "channel"
  engine: Engine
  /** What it asks for. Only the gateway's configuration grants anything. */
  capabilities: string[]
  limits: ModuleLimits
  /** Of a program that knows nothing of Weft. */
  tools: ManifestTool[]
}

export type ManifestTool = {
  name: string
  description: string
  input_schema: Record<string, unknown>
  /** The words of its command line; "{field}" is replaced by that field of the input, within its word. */
  args: string[]
  /** The field whose value is its standard input. */
  stdin?: string
}

/** What a module says of itself by `describe`, checked. */
export type Described =
  | { kind: "tool"; tools: DescribedTool[] }
  | { kind: "channel"; name: string; channel: string }

export type DescribedTool = { name: string; description: string; input_schema: Record<string, unknown> }

/**
 * - ready: in service
 * - changed: its file or what it asks for is not what was approved
 * - missing: there is no such file
 * - refused: it cannot be a plugin; `reason` says why
 * - unloaded: taken out of service by an operator
 */
export type PluginState = "ready" | "changed" | "missing" | "refused" | "unloaded"

export type PluginInfo = {
  name: string
  state: PluginState
  reason?: string
  version?: string
  kind?: "tool" | "channel"
  engine?: Engine
  path: string
  /** Of the module, and of its manifest where there is one; what is on the disk now. */
  sha256?: string
  manifest_sha256?: string
  /** What it asks for, and what the configuration grants. */
  asks: string[]
  granted: string[]
  tools: string[]
  channel?: string
  /** When what is in service was approved, and by whom; in milliseconds since 1970. */
  approved_ms?: number
  approved_by?: string
}

/** Whose call it is, and the hands that it may use within what the plugin is granted. */
export type PluginCall = {
  agent: string
  /** Whose data a store holds: a session's key. "" for what belongs to no session. */
  session_key: string
  signal: AbortSignal
  /** Asks the agent's rules about each host; whoever uses it for a plugin hands it the grants as `checkHop`. */
  fetch: GuardedFetch
  /** A granted folder by its absolute path, behind the same walls as the agent's own. */
  openFolder(path: string, writable: boolean): Files
}

/** One tool of a plugin that is in service. */
export type PluginTool = {
  plugin: string
  /** As models call it: the described name, with the plugin's in front unless it begins with that. */
  name: string
  /** As the configuration may call it too: "plugin.tool". */
  alias: string
  description: string
  input_schema: Record<string, unknown>
  capabilities: readonly Capability[]
  /** The plugin says so much of its tools that a model is told their names only, until it asks for one. */
  deferred?: true
  /** Of the module and of its manifest as they were approved; "" where there is no manifest. */
  sha256: string
  manifest_sha256: string
  /** Narrows what a model said by the schema. Throws AppError invalid_params with `path` and `expected`. */
  parse(input: unknown): Record<string, unknown>
  /** Throws Error with a sentence for the model, also where the plugin is out of service by now. */
  call(input: unknown, of: PluginCall): Promise<{ content: string; is_error: boolean }>
}

/** A channel adapter that is in service. */
export type PluginAdapter = {
  plugin: string
  channel: string
  capabilities: readonly Capability[]
  /** `payload` is the platform's request body as it came. Throws PluginFailed. */
  parseIncoming(payload: Uint8Array, signal: AbortSignal): Promise<Incoming>
  formatOutgoing(message: Outgoing, signal: AbortSignal): Promise<Formatted>
}

export type IncomingPart = { type: "text"; text: string } | { type: "image"; bytes: Uint8Array }

export type Incoming =
  | {
      type: "message"
      parts: IncomingPart[]
      account: string
      peer: string
      guild?: string
      team?: string
      /** The adapter's own, given back to it with the answer. */
      reply?: unknown
    }
  /** Nothing for an agent: an event of another kind, a message of the bot itself. */
  | { type: "ignore" }
  /** What the platform wants back at once, such as a challenge. */
  | { type: "respond"; status: number; content_type: string; body: Uint8Array }

export type Outgoing = { content: string; reply?: unknown }

export type Formatted =
  /** For the host to send; "{{secret:NAME}}" in it is still what the plugin wrote. */
  | { type: "request"; url: string; method: string; headers: Record<string, string>; body: string }
  | { type: "bytes"; bytes: Uint8Array }

/** What follows from the configuration, and may change while the gateway runs. */
export type PluginsSettings = {
  plugins: readonly PluginConfig[]
  /** Of [secrets], resolved. */
  secrets: Readonly<Record<string, string>>
}

/** The plugins of the configuration, on App for as long as the gateway runs. */
export type Plugins = AsyncDisposable & {
  list(): PluginInfo[]
  tools(): readonly PluginTool[]
  adapter(plugin: string): PluginAdapter | undefined
  /** Takes what is on the disk into service. Where `sha256` is given, only that. Throws AppError. */
  load(name: string, by: string, sha256?: string): Promise<PluginInfo>
  /** Takes it out of service until it is loaded. Throws AppError. */
  unload(name: string): Promise<PluginInfo>
  /** Follows a configuration that was changed; what it grants holds for the next call. */
  configure(settings: PluginsSettings): Promise<void>
  /** Starts a process ahead of the first call, where there is a plugin that it could be for. */
  warm(): void
  /** What the system does not put around runners; undefined until one has started. */
  missing(): string[] | undefined
  runners(): ReturnType<Pool["runners"]>
}
