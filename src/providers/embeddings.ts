import type { AppError } from "../base/errors.ts"
import { asFetch, type LoadModels, secretsOf, versioned, type WireConfig } from "./ai-sdk.ts"
import { type Call, startCall, watchedFetch } from "./call.ts"
import { type FailureContext, isTooLong, providerFailed, toFailure } from "./failure.ts"
import { rooted } from "./openai-compatible.ts"
import type { Connection } from "./providers.ts"

export type Purpose = "query" | "document"

export type EmbeddingUsage = {
  provider: string
  model: string
  /** As the provider counts them; where it does not, a quarter of the bytes. */
  input_tokens: number
  cost_usd: number | null
}

export type EmbeddingsOptions = {
  connection: Connection
  model: string
  /** Asked of the model; without it the model's own length. */
  dimensions?: number | undefined
  /** Most texts of one request. */
  batch_max: number
  cost(input_tokens: number): number | null
  /** Told of every request that was answered, also where the answer was of no use. */
  onUsage(usage: EmbeddingUsage): void
  /** The first wait before a request is made again; doubled each time. */
  wait_first_ms?: number
}

/**
 * Vectors of texts as the model made them, in the order of the texts, all of one length, finite. A text longer than the model
 * takes is cut. Requests that fail in a way that may pass are made again; throws provider_failed or provider_timeout
 * after the last of them, or the signal's reason. Vectors may be of any length (not normalised).
 */
export type EmbedTexts = (
  texts: readonly string[],
  purpose: Purpose,
  signal: AbortSignal,
) => Promise<Float32Array[]>

/** OpenAI refuses requests of more than 300,000 tokens in all; a token has at least one byte. */
const request_bytes_max = 250_000
/** No model in use takes more than 8,192 tokens but for a few, and a token has about 3 bytes or more. */
const text_bytes_max = 24_000
/** What a refused text is cut down to at most before its refusal is believed. */
const text_bytes_min = 64
const attempts_max = 4
/** A provider that asks for more patience is not asked again; whoever wants the vectors comes back later. */
const wait_ms_max = 60_000

type Model = {
  doEmbed(options: {
    values: string[]
    abortSignal: AbortSignal
    dimensions?: number
    providerOptions?: Record<string, Record<string, string>>
  }): PromiseLike<{
    embeddings: number[][]
    usage?: { tokens: number } | undefined
    response?: { body?: unknown }
  }>
}

/** Asks nobody; the SDK is loaded by the first request. Throws provider_failed where the provider makes no vectors. */
export function openEmbeddings(options: EmbeddingsOptions): EmbedTexts {
  const { connection, model: id, dimensions, batch_max, wait_first_ms = 500 } = options
  const { kind, config } = connection
  const load = loaders[kind]
  if (!load) {
    const reason = `A provider of kind "${kind}" makes no vectors.`
    throw providerFailed({ provider: config.name, secrets: [] }, reason, { retryable: false })
  }
  const context: FailureContext = { provider: config.name, secrets: secretsOf(config) }
  const calls = new WeakMap<AbortSignal, Call>()
  let loading: Promise<Model> | undefined
  let bytes_max = text_bytes_max

  async function ask(values: string[], purpose: Purpose, signal: AbortSignal): Promise<Float32Array[]> {
    loading ??= load!(config, id, asFetch(watchedFetch(calls, context)))
    const model = await loading
    using call = startCall(context, config, signal)
    calls.set(call.signal, call)
    call.wait()
    try {
      const answer = await model.doEmbed({
        values,
        abortSignal: call.signal,
        ...(dimensions === undefined ? {} : { dimensions }),
        ...(kind === "google" ? { providerOptions: { google: { taskType: task_types[purpose] } } } : {}),
      })
      report(options, values, answer.usage?.tokens)
      return toVectors(inOrder(answer.embeddings, answer.response?.body), values.length, dimensions, context)
    } catch (thrown) {
      // After an abort SDKs throw what they like; the signal's reason is the cause, be it the caller's or a timeout.
      throw call.signal.aborted ? call.signal.reason : thrown
    }
  }

  /** Halves a request that is too long until each text went alone, then the text. */
  async function embed(values: string[], purpose: Purpose, signal: AbortSignal): Promise<Float32Array[]> {
    try {
      return await withRetries(() => ask(values, purpose, signal), { context, signal, wait_first_ms })
    } catch (thrown) {
      if (signal.aborted || !isTooLong(thrown))
        throw signal.aborted ? signal.reason : toFailure(thrown, context)
      if (values.length > 1) {
        const half = values.length >> 1
        const first = await embed(values.slice(0, half), purpose, signal)
        return [...first, ...(await embed(values.slice(half), purpose, signal))]
      }
      const bytes = Buffer.byteLength(values[0]!)
      if (bytes <= text_bytes_min) throw toFailure(thrown, context)
      bytes_max = Math.min(bytes_max, Math.max(text_bytes_min, bytes >> 1))
      return embed([cut(values[0]!, bytes_max)], purpose, signal)
    }
  }

  return async (texts, purpose, signal) => {
    const vectors: Float32Array[] = []
    for (const batch of toBatches(texts, batch_max, bytes_max)) {
      signal.throwIfAborted()
      vectors.push(
        ...(await embed(
          batch.map((text) => cut(text, bytes_max)),
          purpose,
          signal,
        )),
      )
    }
    if (vectors.some(({ length }) => length !== vectors[0]!.length))
      throw malformed(context, "vectors of different lengths")
    return vectors
  }
}

const task_types = { query: "RETRIEVAL_QUERY", document: "RETRIEVAL_DOCUMENT" }

type LoadModel = (config: WireConfig, model: string, fetch: Parameters<LoadModels>[0]) => Promise<Model>

const loaders: Record<string, LoadModel> = {
  async openai({ base_url, api_key, headers }, model, fetch) {
    const { createOpenAI } = await import("@ai-sdk/openai")
    const baseURL = versioned(base_url ?? "https://api.openai.com", "v1")
    return createOpenAI({ baseURL, apiKey: api_key ?? "", headers, fetch }).embeddingModel(model)
  },
  async "openai-compatible"({ base_url, api_key, headers }, model, fetch) {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible")
    return createOpenAICompatible({
      name: "openaiCompatible",
      baseURL: rooted(base_url ?? "http://127.0.0.1"),
      headers,
      fetch,
      ...(api_key ? { apiKey: api_key } : {}),
    }).embeddingModel(model)
  },
  async google({ base_url, api_key, headers }, model, fetch) {
    const { createGoogle } = await import("@ai-sdk/google")
    const baseURL = versioned(base_url ?? "https://generativelanguage.googleapis.com", "v1beta")
    return createGoogle({ baseURL, apiKey: api_key ?? "", headers, fetch }).embeddingModel(model)
  },
}

function report(
  { connection, model, cost, onUsage }: EmbeddingsOptions,
  values: string[],
  tokens: number | undefined,
) {
  const bytes = values.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const input_tokens = tokens !== undefined && tokens > 0 ? tokens : Math.ceil(bytes / 4)
  onUsage({ provider: connection.config.name, model, input_tokens, cost_usd: cost(input_tokens) })
}

/** OpenAI's wire numbers its vectors; not every server keeps them in order, and the SDK does not look. */
function inOrder(embeddings: number[][], body: unknown): number[][] {
  const data = (body as { data?: unknown } | undefined)?.data
  if (!Array.isArray(data) || data.length !== embeddings.length) return embeddings
  const places = data.map((item: { index?: unknown }) => item?.index)
  const sorted = new Set(
    places.filter((i) => Number.isInteger(i) && Number(i) >= 0 && Number(i) < data.length),
  )
  if (sorted.size !== data.length) return embeddings
  const ordered: number[][] = []
  for (const [i, place] of places.entries()) ordered[Number(place)] = embeddings[i]!
  return ordered
}

function toVectors(
  embeddings: number[][],
  count: number,
  dimensions: number | undefined,
  context: FailureContext,
): Float32Array[] {
  if (embeddings.length !== count) throw malformed(context, `${embeddings.length} vectors for ${count} texts`)
  return embeddings.map((values) => {
    const vector = Float32Array.from(values)
    if (vector.length === 0) throw malformed(context, "an empty vector")
    if (dimensions !== undefined && vector.length !== dimensions)
      throw malformed(context, `vectors of ${vector.length} where ${dimensions} were asked for`)
    if (!vector.every(Number.isFinite)) throw malformed(context, "a vector with something that is no number")
    return vector
  })
}

const malformed = (context: FailureContext, what: string) =>
  providerFailed(context, `It answered with ${what}.`, { retryable: false })

/** Runs of texts that fit into one request. */
function* toBatches(texts: readonly string[], batch_max: number, bytes_max: number): Generator<string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const text of texts) {
    const size = Math.min(Buffer.byteLength(text), bytes_max)
    if (batch.length > 0 && (batch.length >= batch_max || bytes + size > request_bytes_max)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(text)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** Its first bytes, whole characters. */
function cut(text: string, bytes_max: number): string {
  if (text.length * 3 <= bytes_max || Buffer.byteLength(text) <= bytes_max) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes_max))
  return text.slice(0, read)
}

type Retrying = { context: FailureContext; signal: AbortSignal; wait_first_ms: number }

async function withRetries<T>(
  run: () => Promise<T>,
  { context, signal, wait_first_ms }: Retrying,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (thrown) {
      if (signal.aborted) throw signal.reason
      const { code, data } = toFailure(thrown, context)
      const may_pass = code === "provider_timeout" || (code === "provider_failed" && data.retryable === true)
      const asked_ms = typeof data.retry_after_ms === "number" ? data.retry_after_ms : 0
      if (!may_pass || attempt >= attempts_max || asked_ms > wait_ms_max || isTooLong(thrown)) throw thrown
      // Up to a quarter more, so that clients that failed together do not come back together.
      await wait(Math.max(asked_ms, wait_first_ms * 2 ** (attempt - 1) * (1 + Math.random() / 4)), signal)
    }
  }
}

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
