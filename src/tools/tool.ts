import type { Static, TObject } from "@sinclair/typebox"
import { type Parse, parser } from "../base/schema.ts"

/** One stretch of a past conversation that a search found. */
export type SearchHit = { session_key: string; role: string; created_ms: number; snippet: string }

/** What a tool may reach. The turn that calls it fills it in; a tool sees one agent's own things only. */
export type ToolContext = {
  agent: string
  session_key: string
  signal: AbortSignal
  now_ms(): number
  /** Full-text search over this agent's own sessions, best first. */
  searchSessions(query: string, count_max: number): SearchHit[]
}

/** What a call does to the world outside the conversation; "none" needs no permission. */
export type Effect = "none" | "read" | "write" | "execute" | "network" | "send"

export type ToolDef<P extends TObject> = {
  name: string
  description: string
  effect: Effect
  params: P
  /** Returns what the model reads. Throwing makes the result an error the model can react to. */
  run(params: Static<P>, context: ToolContext): Promise<string> | string
}

export type Tool<P extends TObject> = ToolDef<P> & { parse: Parse<P> }

// biome-ignore lint/suspicious/noExplicitAny: a list of tools forgets each one's parameters.
export type AnyTool = Tool<any>

export function defineTool<P extends TObject>(def: ToolDef<P>): Tool<P> {
  return { ...def, parse: parser(def.params) }
}
