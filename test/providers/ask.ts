import { Type } from "@sinclair/typebox"
import type { Part } from "../../src/base/parts.ts"
import { anthropic } from "../../src/providers/anthropic.ts"
import type { ProviderConfig } from "../../src/providers/config.ts"
import { google } from "../../src/providers/google.ts"
import { offline } from "../../src/providers/offline.ts"
import { openai } from "../../src/providers/openai.ts"
import { openaiCompatible } from "../../src/providers/openai-compatible.ts"
import {
  type AnyProvider,
  addChunk,
  type ModelChunk,
  type ModelMessage,
  type ModelRequest,
} from "../../src/providers/provider.ts"
import { openProviders, type Providers } from "../../src/providers/providers.ts"
import type { Wire } from "./wires.ts"

export const declarations: AnyProvider[] = [anthropic, openai, google, openaiCompatible, offline]
export const key = "sk-secret-0123456789"

export const user = (text: string): ModelMessage => ({ role: "user", parts: [{ type: "text", text }] })

export const request = (fields: Partial<ModelRequest> = {}): ModelRequest => ({
  model: "m",
  system: "Be brief.",
  messages: [user("hello")],
  tools: [],
  tokens_max: 100,
  readFile: async () => new Uint8Array([137, 80, 78, 71]),
  signal: new AbortController().signal,
  ...fields,
})

export const weather = {
  name: "weather",
  description: "Tells the weather.",
  input_schema: Type.Object({ city: Type.String({ description: "Where." }) }),
}

/** A provider named "it" that speaks a wire to an address. */
export const connect = (
  { kind, api }: Pick<Wire, "kind" | "api">,
  url: string,
  fields: Partial<ProviderConfig> = {},
): Promise<Providers> =>
  openProviders({
    providers: {
      it: {
        kind,
        ...(api ? { api } : {}),
        base_url: url,
        api_key: key,
        headers: {},
        timeout_ms: 5000,
        idle_timeout_ms: 5000,
        ...fields,
      } as ProviderConfig,
    },
    findKey: () => undefined,
    declarations,
  })

export type Answer = { chunks: ModelChunk[]; parts: Part[]; done: ModelChunk | undefined }

export async function ask(
  providers: Providers,
  fields: Partial<ModelRequest> = {},
  choice = { provider: "it", model: "m" },
): Promise<Answer> {
  const chunks: ModelChunk[] = []
  const parts: Part[] = []
  for await (const chunk of providers.stream(choice, request({ model: choice.model, ...fields }))) {
    chunks.push(chunk)
    addChunk(parts, chunk)
  }
  return { chunks, parts, done: chunks.at(-1) }
}

/** What was yielded before the error, and the error. */
export async function fail(
  providers: Providers,
  fields: Partial<ModelRequest> = {},
): Promise<{ chunks: ModelChunk[]; error: unknown }> {
  const chunks: ModelChunk[] = []
  try {
    for await (const chunk of providers.stream({ provider: "it", model: "m" }, request(fields))) {
      chunks.push(chunk)
    }
  } catch (error) {
    return { chunks, error }
  }
  throw new Error(`it did not fail, but said ${JSON.stringify(chunks)}`)
}

/** A provider by the name that it is known by, at another address. */
export const openNamed = (name: string, base_url: string) =>
  openProviders({
    providers: {
      [name]: { base_url, api_key: key, headers: {}, timeout_ms: 5000, idle_timeout_ms: 5000 },
    },
    findKey: () => undefined,
    declarations,
  })

export const result = (id: string, name = "weather", content = "sunny", is_error = false): ModelMessage => ({
  role: "tool",
  parts: [{ type: "tool_result", id, name, content, is_error }],
})
