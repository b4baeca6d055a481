import type { Static } from "@sinclair/typebox"
import { Type } from "@sinclair/typebox"
import { startAnswer } from "./answer.ts"
import { type Call, drain, type Fetch, startCall, watchedFetch } from "./call.ts"
import { provider_fields } from "./config.ts"
import { cut_reason, type FailureContext, providerFailed, toFailure } from "./failure.ts"
import { type CallOptions, type LanguageModel, type PromptTraits, toPrompt } from "./prompt.ts"
import type { ModelChunk, ModelRequest, ModelStream } from "./provider.ts"

export const WireConfig = Type.Object(provider_fields)
export type WireConfig = Static<typeof WireConfig> & { name: string }

/** What distinguishes one wire from the others. */
export type Traits = Omit<PromptTraits, "provider"> & {
  /** Options of every call, in the SDK's own namespaces. */
  options?: NonNullable<CallOptions["providerOptions"]>
  /** Said of every tool, where the API's default is to refuse schemas like ours. */
  strict_tools?: false
}

/** Loads the SDK and returns what makes its object for a model. */
export type LoadModels = (fetch: typeof globalThis.fetch) => Promise<(model: string) => LanguageModel>

/** Beyond this many models of one provider, their objects are made anew: a client may ask for any name. */
const models_max = 64

/** A provider over an SDK. The SDK is loaded by the first request, a model's object made by its first. */
export function openWire(config: WireConfig, traits: Traits, load: LoadModels): ModelStream {
  const context: FailureContext = { provider: config.name, secrets: secretsOf(config) }
  const calls = new WeakMap<AbortSignal, Call>()
  const models = new Map<string, LanguageModel>()
  let loading: ReturnType<LoadModels> | undefined

  async function modelOf(id: string): Promise<LanguageModel> {
    const known = models.get(id)
    if (known) return known
    loading ??= load(asFetch(watchedFetch(calls, context)))
    const made = (await loading)(id)
    if (models.size >= models_max) models.clear()
    models.set(id, made)
    return made
  }

  return async function* stream(request) {
    request.signal.throwIfAborted()
    if (!request.model) {
      const reason = `No model is named: set model under [providers.${config.name}] or the agent.`
      throw providerFailed(context, reason, { retryable: false })
    }
    const prompt = await toPrompt(request, { ...traits, provider: config.name })
    const model = await modelOf(request.model)
    const call = startCall(context, config, request.signal)
    calls.set(call.signal, call)
    yield* converse(model, toOptions(request, prompt, traits, call), call, context)
  }
}

/** One request, from the SDK's parts to our chunks; every way it can end lets go of the socket. */
async function* converse(
  model: LanguageModel,
  options: CallOptions,
  call: Call,
  context: FailureContext,
): AsyncGenerator<ModelChunk, void, undefined> {
  const answer = startAnswer(context)
  let reader: ReadableStreamDefaultReader | undefined
  try {
    call.signal.throwIfAborted()
    reader = (await model.doStream(options)).stream.getReader()
    while (!answer.finished()) {
      const { done, value } = await reader.read()
      if (done) throw providerFailed(context, cut_reason, { retryable: true })
      follow(call, value.type)
      const chunks = answer.take(value)
      if (chunks.length === 0) continue
      call.rest()
      for (const chunk of chunks) yield chunk
      call.wait()
    }
  } catch (thrown) {
    // After an abort SDKs throw what they like; the signal's reason is the cause, be it the caller's or a timeout.
    throw call.signal.aborted ? call.signal.reason : toFailure(thrown, context)
  } finally {
    call[Symbol.dispose]()
    if (reader && answer.finished()) void drain(reader, () => call.stop())
    else call.stop()
  }
}

/** Tells the clocks what the model does. What the SDK says of itself is no sign of life. */
function follow(call: Call, type: string): void {
  if (type === "stream-start" || type === "response-metadata") return
  if (type === "reasoning-start") call.phase = "thinking"
  else if (type !== "reasoning-delta" && type !== "reasoning-end") call.phase = "answering"
  call.wait()
}

function toOptions(
  request: ModelRequest,
  prompt: CallOptions["prompt"],
  { options, strict_tools }: Traits,
  call: Call,
): CallOptions {
  const strict = strict_tools === undefined ? {} : { strict: strict_tools }
  return {
    prompt,
    maxOutputTokens: request.tokens_max,
    abortSignal: call.signal,
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(options ? { providerOptions: options } : {}),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, input_schema }) => ({
            type: "function" as const,
            name,
            description,
            inputSchema: input_schema as Record<string, unknown>,
            ...strict,
          })),
        }),
  }
}

/** What an error's text must not show: the key, and header values, which may be one. */
export function secretsOf({ api_key, headers }: WireConfig): string[] {
  return [api_key ?? "", ...Object.values(headers)].filter((text) => text.length >= 8)
}

/** SDKs ask for the type of fetch with its static extras, and use none of them. */
export const asFetch = (watched: Fetch) => watched as unknown as typeof globalThis.fetch

/** Adds the API's version to an address that does not name one. */
export function versioned(base_url: string, version: string): string {
  const url = new URL(base_url)
  if (!/\/v\d+[a-z0-9]*\/?$/.test(url.pathname))
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${version}`
  return url.href.replace(/\/$/, "")
}
