import type { TurnEvent } from "../../agent/events.ts"
import { readLog } from "../../agent/log.ts"
import type { Turn } from "../../agent/turn.ts"
import { AppError } from "../../base/errors.ts"
import { json } from "./body.ts"

/** What all chunks of one completion share. */
export type Head = { turn: Turn; model: string; created_s: number; client_tools: string[] }

/** Silence longer than this is filled with a comment, so that no proxy takes the stream for dead. */
const keep_alive_ms = 15_000

type Usage = { prompt_tokens: number; completion_tokens: number; total_tokens: number }

const toUsage = ({
  input_tokens,
  output_tokens,
}: {
  input_tokens: number
  output_tokens: number
}): Usage => ({
  prompt_tokens: input_tokens,
  completion_tokens: output_tokens,
  total_tokens: input_tokens + output_tokens,
})

const toToolCall = ({ id, name, input }: Extract<TurnEvent, { type: "tool_use" }>) => ({
  id,
  type: "function" as const,
  function: { name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
})

const finishReason = (stop_reason: string, has_calls: boolean) =>
  has_calls ? "tool_calls" : stop_reason === "length" ? "length" : "stop"

/** The whole answer at once. Throws the turn's error. */
export async function completionOf({ turn, model, created_s, client_tools }: Head): Promise<Response> {
  const outcome = await turn.outcome
  if ("error" in outcome) throw new AppError(outcome.error.code, outcome.error.data)
  const { text, stop_reason, usage } = outcome.result
  const events = turn.log.entries.map(({ event }) => event)
  const calls = events.filter((event) => event.type === "tool_use" && client_tools.includes(event.name))
  const tool_calls = calls.map((call) => toToolCall(call as Extract<TurnEvent, { type: "tool_use" }>))
  const message = { role: "assistant", content: text === "" && calls.length > 0 ? null : text }
  return json({
    id: `chatcmpl-${turn.id}`,
    object: "chat.completion",
    created: created_s,
    model,
    choices: [
      {
        index: 0,
        message: { ...message, ...(calls.length > 0 && { tool_calls }) },
        finish_reason: finishReason(stop_reason, calls.length > 0),
      },
    ],
    usage: toUsage(usage),
  })
}

/** The answer as server-sent events. A client that goes away stops the turn, as it does at OpenAI. */
export function streamOf(head: Head, include_usage: boolean): Response {
  const gone = new AbortController()
  const chunks = chunksOf(head, include_usage, gone.signal)
  const encoder = new TextEncoder()
  let timer: Timer
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // A client that does not read has no use for it, and what it would leave behind has no bound.
      const keepAlive = () => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(": keep-alive\n\n"))
      }
      timer = setInterval(keepAlive, keep_alive_ms)
    },
    async pull(controller) {
      const { value, done } = await chunks.next()
      if (gone.signal.aborted) return
      if (!done) return controller.enqueue(encoder.encode(`data: ${value}\n\n`))
      clearInterval(timer)
      controller.close()
    },
    cancel() {
      clearInterval(timer)
      gone.abort()
      head.turn.abort(new AppError("aborted"))
    },
  })
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  }
  return new Response(body, { headers })
}

async function* chunksOf(
  { turn, model, created_s, client_tools }: Head,
  include_usage: boolean,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const base = { id: `chatcmpl-${turn.id}`, object: "chat.completion.chunk", created: created_s, model }
  const chunk = (delta: object, finish_reason: string | null = null) =>
    JSON.stringify({
      ...base,
      choices: [{ index: 0, delta, finish_reason }],
      ...(include_usage && { usage: null }),
    })
  const used = { input_tokens: 0, output_tokens: 0 }
  let calls = 0
  yield chunk({ role: "assistant", content: "" })
  for await (const { event } of readLog(turn.log, -1, signal)) {
    if (event.type === "text") yield chunk({ content: event.text })
    if (event.type === "reasoning") yield chunk({ reasoning_content: event.text })
    if (event.type === "usage") {
      used.input_tokens += event.input_tokens
      used.output_tokens += event.output_tokens
    }
    if (event.type === "tool_use" && client_tools.includes(event.name)) {
      yield chunk({ tool_calls: [{ index: calls++, ...toToolCall(event) }] })
    }
    if (event.type === "error") {
      return yield JSON.stringify({ error: { message: event.message, type: "api_error", code: event.code } })
    }
    if (event.type === "done") yield chunk({}, finishReason(event.stop_reason, calls > 0))
  }
  if (include_usage) yield JSON.stringify({ ...base, choices: [], usage: toUsage(used) })
  yield "[DONE]"
}
