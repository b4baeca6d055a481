import type { Static, TObject } from "@sinclair/typebox"
import { type Parse, parser } from "../base/schema.ts"
import type { Files } from "../security/files/files.ts"
import type { Execute } from "../security/sandbox/execute.ts"
import type { Effect, Target } from "../security/target.ts"
import type { GuardedFetch } from "../security/web/fetch.ts"
import type { ToolsConfig } from "./config.ts"

export type { Effect }

/** One stretch of a past conversation that a search found. */
export type SearchHit = { session_key: string; role: string; created_ms: number; snippet: string }

/** Something remembered, as a tool may show it. */
export type Remembered = {
  id: number
  text: string
  /** Who said it, or what it is: "user", "assistant", "fact". */
  who: string
  /** Whether it was said in the conversation or added by hand; what tools answered was written by anybody. */
  is_trusted: boolean
  created_ms: number
  session_key: string | null
  tags: readonly string[]
}

export type MemorySearch = {
  text: string
  kinds?: readonly ("message" | "tool_result" | "summary" | "fact" | "note")[] | undefined
  tags?: readonly string[] | undefined
  after_ms?: number | undefined
  before_ms?: number | undefined
  limit: number
}

/** What a search did, so that an empty answer can be believed. */
export type MemorySearched = {
  /** Rows that it was about, of which the words of so many matched. */
  rows: number
  words_matched: number
  vectors: readonly { index: string; looked_at: number }[]
  /** Messages that it could not find yet. */
  pending: number
  warnings: readonly string[]
}

/** The memory as the sender of the session has it; what he may not see is not there. */
export type ToolMemory = {
  search(query: MemorySearch): Promise<{
    hits: (Remembered & { why: readonly string[] })[]
    searched: MemorySearched
  }>
  /** For the sender alone, or for a namespace. Throws where there is no sender, or the agent may not share there. */
  add(note: {
    text: string
    tags: readonly string[]
    importance: number
    fact?: { subject: string; predicate: string; object: string } | undefined
    namespace?: string | undefined
  }): Promise<Remembered>
  /** Of these the ones that are the sender's own: nothing else can be forgotten from here. */
  find(ids: readonly number[]): Promise<Remembered[]>
  forget(ids: readonly number[]): Promise<{ forgotten: number; related: Remembered[] }>
}

/** What a tool may reach. The turn that calls it fills it in; a tool sees one agent's own things only. */
export type ToolContext = {
  agent: string
  session_key: string
  signal: AbortSignal
  now_ms(): number
  /** Full-text search over this sender's sessions with the agent, best first. */
  searchSessions(query: string, count_max: number): SearchHit[]
  memory: ToolMemory
  /** The agent's folders, the web and programs, each behind its walls; what the call may not touch throws. */
  files: Files
  /** One folder that the operator named, by its absolute path, behind the same walls. */
  openFolder(path: string, is_writable: boolean): Files
  fetch: GuardedFetch
  execute: Execute
  /** The absolute path of a program, looked for where programs are; undefined where there is none. */
  findProgram(name: string): string | undefined
  /** Whether the call may touch something, for tools that look at much and show only what they may. */
  mayTouch(target: Target): boolean
  /** The whole of an earlier result of this session that was too long to show; undefined where there is none. */
  findResult(handle: string): string | undefined
  config: ToolsConfig
}

/** What the model gets: text, and images for those that can see. */
export type ToolOutput = string | { text: string; images: { bytes: Uint8Array; mime: string }[] }

export type ToolDef<P extends TObject> = {
  name: string
  description: string
  /** Its gravest effect. */
  effect: Effect
  /** A name for several tools, for the configuration and for `use_tools`. */
  group?: string
  /** Another name of it in the configuration. Only tools that are not built in have one. */
  alias?: string
  /** What patterns of rules about it may mean, where it has targets of another kind than its effect's. */
  kinds?: readonly Target["kind"][]
  /** Rarely needed: a model is told its name only, until it asks for it by `use_tools`. */
  deferred?: true
  /** Other calls of the same answer wait for it, and it for them. */
  exclusive?: true
  params: P
  /**
   * All that a call would do, for the rules and for whoever is asked. Does nothing itself. Throws where the input makes
   * no sense. Unset: its effect, without a target.
   */
  targets?(params: Static<P>, context: ToolContext): Target[] | Promise<Target[]>
  /**
   * Whether the operator meant this very host and port by what he configured, so that it may be an address of this
   * machine or of its networks. The rules are asked all the same.
   */
  opens?(host: string, port: number, config: ToolsConfig): boolean
  /** Returns what the model reads. Throwing makes the result an error the model can react to. */
  run(params: Static<P>, context: ToolContext): Promise<ToolOutput> | ToolOutput
}

export type Tool<P extends TObject> = ToolDef<P> & { parse: Parse<P> }

// biome-ignore lint/suspicious/noExplicitAny: a list of tools forgets each one's parameters.
export type AnyTool = Tool<any>

export function defineTool<P extends TObject>(def: ToolDef<P>): Tool<P> {
  return { ...def, parse: parser(def.params) }
}
