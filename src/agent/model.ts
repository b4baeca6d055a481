import { type AppError, toAppError } from "../base/errors.ts"
import type { ModelChunk, ModelRequest, ModelUsage } from "../providers/provider.ts"

/** One model that can answer for an agent. */
export type ModelChoice = {
  provider: string
  model: string
  tokens_max: number
  temperature?: number
  api_key?: string
}

/** The models that there are: what the agent sees of the providers. */
export type Models = {
  /** Which provider and model stand behind what a configuration leaves open. */
  pick(provider?: string, model?: string): { provider: string; model: string }
  has(provider: string): boolean
  stream(choice: ModelChoice, request: ModelRequest): AsyncIterable<ModelChunk>
  /** US dollars of one call; null where the price is not known. */
  cost(choice: ModelChoice, usage: ModelUsage): number | null
}

export type Recovery =
  | { type: "retry"; attempt: number; wait_ms: number; reason: string }
  | { type: "failover"; from: string; to: string; reason: string }

export type CallChunk = (ModelChunk | Recovery) & { choice?: ModelChoice }

const retries_max = 2
const wait_first_ms = 500
/** A provider that asks for more patience than this is left for the next one. */
const wait_ms_max = 15_000

export type ModelCall = {
  models: Models
  /** In the order in which they are tried. */
  chain: ModelChoice[]
  /** Whether text that was streamed can still be taken back. */
  revocable: boolean
  request: Omit<ModelRequest, "model" | "tokens_max" | "temperature">
}

/**
 * Streams an answer from the first model of the chain that gives one. A failure that may pass is tried again with
 * doubled waits, then the next model is asked; each is told as a "retry" or "failover", which voids what
 * came before it. Throws the last failure, or the signal's reason once it is aborted.
 */
export async function* callModel({
  models,
  chain,
  revocable,
  request,
}: ModelCall): AsyncGenerator<CallChunk> {
  const { signal } = request
  for (const [index, choice] of chain.entries()) {
    for (let attempt = 1; ; attempt++) {
      let streamed = false
      try {
        signal.throwIfAborted()
        for await (const chunk of models.stream(choice, requestFor(choice, request))) {
          // Of a part that has no text yet nobody was told anything.
          streamed ||= (chunk.type === "text" || chunk.type === "reasoning") && chunk.text !== ""
          yield chunk.type === "done" ? { ...chunk, choice } : chunk
        }
        return
      } catch (thrown) {
        if (signal.aborted) throw signal.reason
        const error = toAppError(thrown)
        if (error.code === "internal" || (streamed && !revocable)) throw error
        const wait_ms = retryWait(error, attempt)
        if (wait_ms !== undefined) {
          yield { type: "retry", attempt, wait_ms, reason: reasonOf(error) }
          await wait(wait_ms, signal)
          continue
        }
        const next = chain[index + 1]
        if (!next) throw error
        yield {
          type: "failover",
          from: nameOf(choice),
          to: nameOf(next),
          reason: reasonOf(error),
          choice: next,
        }
        break
      }
    }
  }
}

export const nameOf = ({ provider, model }: ModelChoice): string => `${provider}/${model}`

function requestFor(choice: ModelChoice, request: ModelCall["request"]): ModelRequest {
  const { model, tokens_max, temperature } = choice
  return { ...request, model, tokens_max, ...(temperature !== undefined && { temperature }) }
}

/** How long to wait before the same model is asked again, or undefined where that is of no use. */
function retryWait({ code, data }: AppError, attempt: number): number | undefined {
  const retryable = code === "provider_timeout" || (code === "provider_failed" && data.retryable === true)
  if (!retryable || attempt > retries_max) return undefined
  const asked_ms = typeof data.retry_after_ms === "number" ? data.retry_after_ms : 0
  if (asked_ms > wait_ms_max) return undefined
  // Up to a quarter more, so that clients that failed together do not come back together.
  const own_ms = wait_first_ms * 2 ** (attempt - 1) * (1 + Math.random() / 4)
  return Math.round(Math.max(asked_ms, own_ms))
}

const reasonOf = ({ code, data }: AppError) =>
  [code, data.status, data.reason].filter((part) => part !== undefined).join(": ")

function wait(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const stop = () => {
    clearTimeout(timer)
    reject(signal.reason as AppError)
  }
  if (signal.aborted) stop()
  signal.addEventListener("abort", stop, { once: true })
  return promise.finally(() => signal.removeEventListener("abort", stop))
}
