import type { Static, TObject, TSchema } from "@sinclair/typebox"
import type { Part, Role, ToolUse } from "../base/parts.ts"

/** One message of a conversation. `provider` names who made an assistant's message: reasoning goes back only to them. */
export type ModelMessage = { role: Role; parts: Part[]; provider?: string }

/** A tool as the model sees it; `input_schema` is JSON Schema. */
export type ToolSpec = { name: string; description: string; input_schema: TSchema }

export type ModelRequest = {
  model: string
  system: string
  messages: ModelMessage[]
  tools: ToolSpec[]
  tokens_max: number
  temperature?: number
  /** Reads an attachment's bytes, for the providers that take images and files. */
  readFile(file_id: string): Promise<Uint8Array>
  signal: AbortSignal
}

export type StopReason = "end" | "length" | "tool_use" | "refused"

/** Token counts of one model call, as the provider reports them; input_tokens includes cached_tokens. */
export type ModelUsage = { input_tokens: number; output_tokens: number; cached_tokens: number }

/**
 * What a model call streams. Text and reasoning come in deltas; `metadata` belongs to the part that the delta
 * is of (merged over its deltas) and may come with an empty text. A tool_use comes whole or not at all.
 */
export type ModelChunk =
  | { type: "text"; text: string; metadata?: Record<string, unknown> }
  | { type: "reasoning"; text: string; metadata?: Record<string, unknown> }
  | ToolUse
  | { type: "done"; stop_reason: StopReason; usage: ModelUsage }

export type Provider<C extends TObject = TObject> = {
  /** What a configuration's `kind` says. */
  kind: string
  /** The fields of `[providers.<name>]` for this kind. */
  config: C
  /**
   * Yields chunks and ends with exactly one "done". Throws provider_failed {provider, status?, retryable, reason}
   * or provider_timeout {provider, timeout_ms}, or the signal's reason once it is aborted; nothing else.
   */
  stream(config: Static<C> & { name: string }, request: ModelRequest): AsyncIterable<ModelChunk>
}

// biome-ignore lint/suspicious/noExplicitAny: a list of providers forgets each one's configuration.
export type AnyProvider = Provider<any>

export function defineProvider<C extends TObject>(provider: Provider<C>): Provider<C> {
  return provider
}
