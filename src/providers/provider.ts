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

/**
 * Token counts of one model call, as the provider reports them; input_tokens includes cached_tokens (read from
 * the provider's cache) and cache_write_tokens (written to it, where that has a price of its own).
 */
export type ModelUsage = {
  input_tokens: number
  output_tokens: number
  cached_tokens: number
  cache_write_tokens?: number
}

/**
 * What a model call streams. Text and reasoning come in deltas; a part's `metadata` comes at its end, with an empty
 * text. A delta belongs to the last part of the answer if that has its type, unless `starts` is set: then it begins
 * another. A tool_use comes whole or not at all; its `input` is the parsed JSON, or the model's own text where that
 * is not JSON, so that the loop can say so.
 */
export type ModelChunk =
  | { type: "text"; text: string; metadata?: Record<string, unknown>; starts?: true }
  | { type: "reasoning"; text: string; metadata?: Record<string, unknown>; starts?: true }
  | ToolUse
  | { type: "done"; stop_reason: StopReason; usage: ModelUsage }

/**
 * Asks the model. Yields chunks and ends with exactly one "done". Throws provider_failed {provider, status?,
 * retryable, reason, retry_after_ms?} or provider_timeout {provider, timeout_ms}, or the signal's reason once it
 * is aborted, or what `readFile` threw; nothing else. What was yielded before a throw is void.
 */
export type ModelStream = (request: ModelRequest) => AsyncGenerator<ModelChunk, void, undefined>

export type Provider<C extends TObject = TObject> = {
  /** What a configuration's `kind` says. */
  kind: string
  /** The fields of `[providers.<name>]` for this kind. */
  config: C
  /** Keeps what is costly to make (a client, a model object) for as long as the configuration lives; does no I/O. */
  open(config: Static<C> & { name: string }): ModelStream
}

// biome-ignore lint/suspicious/noExplicitAny: a list of providers forgets each one's configuration.
export type AnyProvider = Provider<any>

export function defineProvider<C extends TObject>(provider: Provider<C>): Provider<C> {
  return provider
}

/** Adds a chunk to the parts of an answer, as ModelChunk says; "done" adds nothing. */
export function addChunk(parts: Part[], chunk: ModelChunk): void {
  if (chunk.type === "done") return
  if (chunk.type === "tool_use") {
    parts.push(chunk)
    return
  }
  const last = parts.at(-1)
  if (chunk.starts || !last || last.type !== chunk.type) {
    const { type, text, metadata } = chunk
    parts.push(metadata ? { type, text, metadata } : { type, text })
    return
  }
  last.text += chunk.text
  if (chunk.metadata) last.metadata = mergeMetadata(last.metadata, chunk.metadata)
}

type Metadata = Record<string, unknown>

/** Later values win, within each provider's namespace. */
export function mergeMetadata(old: Metadata | undefined, added: Metadata): Metadata {
  if (!old) return added
  const merged = { ...old }
  for (const [namespace, value] of Object.entries(added)) {
    const before = merged[namespace]
    merged[namespace] = isObject(before) && isObject(value) ? { ...before, ...value } : value
  }
  return merged
}

const isObject = (value: unknown): value is Metadata => typeof value === "object" && value !== null
