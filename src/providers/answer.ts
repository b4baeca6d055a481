import { cut_reason, type FailureContext, providerFailed, toFailure } from "./failure.ts"
import type { LanguageModel } from "./prompt.ts"
import { type ModelChunk, type ModelUsage, mergeMetadata, type StopReason } from "./provider.ts"

type Stream = Awaited<ReturnType<LanguageModel["doStream"]>>["stream"]
export type StreamPart = Stream extends ReadableStream<infer P> ? P : never
type Metadata = Record<string, unknown>
type ToolCall = Extract<StreamPart, { type: "tool-call" }>
type Finish = Extract<StreamPart, { type: "finish" }>

/**
 * Turns an SDK's stream parts into chunks. Everything from the first tool call on is held back until the stream has
 * ended well, so that half an answer never has a call to run.
 */
export type Answer = {
  /** Parts of no interest add nothing; an error part and a bad end throw. */
  take(part: StreamPart): ModelChunk[]
  finished(): boolean
}

const nothing: ModelChunk[] = []

export function startAnswer(context: FailureContext): Answer {
  const held: ModelChunk[] = []
  const calls: ToolCall[] = []
  let metadata: Metadata | undefined
  let last: "text" | "reasoning" | undefined
  let fresh = false
  let finished = false

  const emit = (type: "text" | "reasoning", text: string, added?: Metadata): ModelChunk[] => {
    const starts = fresh && last === type
    fresh = false
    last = type
    const chunk: Extract<ModelChunk, { type: "text" | "reasoning" }> = { type, text }
    if (added) chunk.metadata = added
    if (starts) chunk.starts = true
    if (held.length === 0) return [chunk]
    held.push(chunk)
    return nothing
  }
  const note = (added: Metadata | undefined) => {
    if (added) metadata = metadata ? mergeMetadata(metadata, added) : added
  }
  const delta = (type: "text" | "reasoning", text: string, added: Metadata | undefined): ModelChunk[] => {
    note(added)
    return text ? emit(type, text) : nothing
  }
  const finishPart = (type: "text" | "reasoning", added: Metadata | undefined): ModelChunk[] => {
    note(added)
    const whole = metadata
    metadata = undefined
    return whole ? emit(type, "", whole) : nothing
  }

  return {
    finished: () => finished,
    take(part) {
      switch (part.type) {
        case "text-delta":
          return delta("text", part.delta, part.providerMetadata)
        case "reasoning-delta":
          return delta("reasoning", part.delta, part.providerMetadata)
        case "text-start":
        case "reasoning-start":
          metadata = part.providerMetadata
          fresh = true
          return nothing
        case "reasoning-end":
          return finishPart("reasoning", part.providerMetadata)
        case "text-end":
          return finishPart("text", part.providerMetadata)
        case "tool-call":
          if (part.providerExecuted) return nothing
          calls.push(part)
          held.push(toToolUse(part))
          last = undefined
          return nothing
        case "error":
          throw toFailure(part.error, context)
        case "finish":
          finished = true
          return end(part, held, calls, context)
        default:
          return nothing
      }
    },
  }
}

function end(part: Finish, held: ModelChunk[], calls: ToolCall[], context: FailureContext): ModelChunk[] {
  const { unified, raw } = part.finishReason
  if (unified === "interrupted") throw providerFailed(context, cut_reason, { retryable: true })
  if (unified === "error") {
    throw providerFailed(context, `The provider gave up: ${raw ?? "no reason told"}.`, { retryable: true })
  }
  // At the token limit the last call is usually cut off; one that is not whole never was a call.
  const whole = held.filter(
    (chunk) => unified !== "length" || chunk.type !== "tool_use" || typeof chunk.input !== "string",
  )
  const called = calls.length > 0 && unified !== "length" && unified !== "content-filter"
  const stop_reason: StopReason = called ? "tool_use" : (stop_reasons[unified] ?? "end")
  return [...whole, { type: "done", stop_reason, usage: toUsage(part) }]
}

/** Some servers say "stop" after a tool call; what was called decides. */
const stop_reasons: Partial<Record<Finish["finishReason"]["unified"], StopReason>> = {
  length: "length",
  "content-filter": "refused",
}

function toToolUse({ toolCallId, toolName, input, providerMetadata }: ToolCall): ModelChunk {
  return {
    type: "tool_use",
    id: toolCallId,
    name: toolName,
    input: parseInput(input),
    ...(providerMetadata ? { metadata: providerMetadata } : {}),
  }
}

/** No text means no arguments. */
function parseInput(text: string): unknown {
  if (!text.trim()) return {}
  try {
    return JSON.parse(text)
  } catch (thrown) {
    // Not JSON: the loop answers the model with a schema error, for which it needs the text.
    if (thrown instanceof SyntaxError) return text
    throw thrown
  }
}

function toUsage({ usage: { inputTokens, outputTokens } }: Finish): ModelUsage {
  const written = inputTokens.cacheWrite ?? 0
  return {
    input_tokens: inputTokens.total ?? 0,
    output_tokens: outputTokens.total ?? 0,
    cached_tokens: inputTokens.cacheRead ?? 0,
    ...(written > 0 ? { cache_write_tokens: written } : {}),
  }
}
