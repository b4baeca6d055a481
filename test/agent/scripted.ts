/** Models that say what a test wants them to say, and tasks and turns around them. */

import type { Task } from "../../src/agent/loop.ts"
import type { Models } from "../../src/agent/model.ts"
import { AppError } from "../../src/base/errors.ts"
import type { ModelChunk, ModelRequest } from "../../src/providers/provider.ts"

export type Asked = Pick<
  ModelRequest,
  "model" | "system" | "messages" | "tools" | "tokens_max" | "temperature"
> & {
  provider: string
}
export type Script = (
  asked: Asked,
  call: number,
  signal: AbortSignal,
) => Iterable<ModelChunk> | AsyncIterable<ModelChunk>

export type Scripted = Models & { asked: Asked[] }

/** Two providers, "one" and "two", both of which speak by the script. What they are asked is kept as it was then. */
export function scripted(script: Script): Scripted {
  const asked: Asked[] = []
  return {
    asked,
    pick: (provider = "one", model = "a") => ({ provider, model }),
    has: (provider) => ["one", "two"].includes(provider),
    async *stream({ provider }, request) {
      const { model, system, messages, tools, tokens_max, temperature, signal } = request
      const one = {
        provider,
        model,
        system,
        messages,
        tools,
        tokens_max,
        ...(temperature !== undefined && { temperature }),
      }
      asked.push(structuredClone(one))
      yield* script(asked.at(-1)!, asked.length - 1, signal)
    },
    cost: ({ provider }, { input_tokens }) => (provider === "one" ? input_tokens / 1000 : null),
  }
}

export const text = (text: string): ModelChunk => ({ type: "text", text })
export const use = (name: string, input: unknown = {}, id = name): ModelChunk => ({
  type: "tool_use",
  id,
  name,
  input,
})
export const done = (stop_reason: "end" | "length" | "tool_use" | "refused" = "end"): ModelChunk => ({
  type: "done",
  stop_reason,
  usage: { input_tokens: 10, output_tokens: 5, cached_tokens: 1 },
})

export const failure = (more: Record<string, unknown> = {}) =>
  new AppError("provider_failed", { provider: "one", retryable: false, reason: "scripted", ...more })

/** Never resolves; rejects once aborted, as a provider's stream does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  if (signal.aborted) reject(signal.reason)
  signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  return promise
}

export const chain = [
  { provider: "one", model: "a", tokens_max: 100 },
  { provider: "two", model: "b", tokens_max: 50 },
]

export const task = (models: Models, more: Partial<Task> = {}): Task => {
  const signal = more.signal ?? new AbortController().signal
  return {
    models,
    chain: chain.slice(0, 1),
    revocable: true,
    system: "be kind",
    messages: [{ role: "user", parts: [{ type: "text", text: "hello" }] }],
    tools: [],
    client_tools: [],
    rounds_max: 20,
    tool_context: { agent: "default", session_key: "", signal, now_ms: () => 0, searchSessions: () => [] },
    readFile: () => Promise.reject(new AppError("not_found")),
    signal,
    ...more,
  }
}
