import { Value } from "@sinclair/typebox/value"
import { AppError } from "../base/errors.ts"
import type { WireConfig } from "./ai-sdk.ts"
import { costUsd, modelFacts } from "./catalogue.ts"
import type { ProviderConfig } from "./config.ts"
import type { AnyProvider, ModelChunk, ModelRequest, ModelStream, ModelUsage } from "./provider.ts"
import { type Preset, presets } from "./table.ts"

/** Finds the key of a provider whose configuration has none, under the names that its variables usually have. */
export type FindKey = (
  name: string,
  variables: readonly string[],
) => string | undefined | Promise<string | undefined>

export type ProviderState = { id: string; state: "ready" | "no_key" }

/** What it takes to reach a provider. */
export type Connection = { kind: string; config: WireConfig }

type Choice = { provider: string; model: string; api_key?: string }

export type Providers = {
  /** Those of the configuration, then those known by name that have a key, then "offline". */
  names(): string[]
  /** Whether the configuration or the table knows the name. */
  has(name: string): boolean
  /** Fills in what is left open: the first provider that is ready, and its default model ("" where it has none). */
  pick(name?: string, model?: string): { provider: string; model: string }
  /** Asks the model. A choice's own key takes the place of the provider's. */
  stream(choice: Choice, request: ModelRequest): AsyncGenerator<ModelChunk, void, undefined>
  /** For what is no conversation: its kind, and its configuration with its key. Throws provider_failed where it lacks one. */
  connect(name: string): Connection
  /** US dollars of one call by list price; null where that is not known. */
  cost(choice: Choice, usage: ModelUsage): number | null
  /** Whether the choice has the key that it needs. */
  isReady(choice: Omit<Choice, "model">): boolean
  state(): ProviderState[]
}

type Entry = {
  name: string
  preset: Preset | undefined
  config: ProviderConfig
  found_key: string | undefined
}

/** Resolves the configuration's providers and those known by name. Asks nobody; SDKs are loaded by the first request. */
export async function openProviders({
  providers,
  findKey,
  declarations,
}: {
  providers: Record<string, ProviderConfig>
  findKey: FindKey
  declarations: readonly AnyProvider[]
}): Promise<Providers> {
  const kinds = new Map(declarations.map((declaration) => [declaration.kind, declaration]))
  const entries = new Map<string, Entry>()
  for (const name of new Set([...Object.keys(providers), ...Object.keys(presets)])) {
    entries.set(name, await toEntry(name, providers[name], findKey))
  }
  const streams = new Map<string, ModelStream>()
  const configured = (name: string) => Object.hasOwn(providers, name)
  const names = [...entries.values()]
    .filter(({ name }) => name !== "offline")
    .filter(({ name, preset, found_key }) => configured(name) || (found_key !== undefined && !preset?.alias))
    .map(({ name }) => name)
    .concat("offline")

  function streamOf({ provider: name, api_key }: Choice): ModelStream {
    const id = JSON.stringify([name, api_key])
    const open = streams.get(id)
    if (open) return open
    const opened = openEntry(entries.get(name), name, api_key, kinds)
    streams.set(id, opened)
    return opened
  }

  return {
    names: () => names,
    has: (name) => entries.has(name),
    pick(name, model) {
      const provider = name ?? names.find((candidate) => isReady(entries.get(candidate)!)) ?? "offline"
      const entry = entries.get(provider)
      return { provider, model: model ?? entry?.config.model ?? entry?.preset?.model ?? "" }
    },
    stream(choice, request) {
      const facts = modelFacts(listedAs(entries.get(choice.provider)), choice.model)
      const blind = facts !== undefined && !facts.input.includes("image")
      return streamOf(choice)(blind ? withoutImages(request) : request)
    },
    connect: (name) => connectionOf(entries.get(name), name, undefined, kinds).connection,
    cost({ provider, model }, usage) {
      const entry = entries.get(provider)
      return entry?.preset?.local ? 0 : costUsd(listedAs(entry), model, usage)
    },
    isReady({ provider, api_key }) {
      const entry = entries.get(provider)
      return entry !== undefined && (api_key !== undefined || isReady(entry))
    },
    state: () => names.map((name) => ({ id: name, state: isReady(entries.get(name)!) ? "ready" : "no_key" })),
  }
}

/** Under which provider the price list has it; one of another name is listed as what its kind says. */
function listedAs(entry: Entry | undefined): string {
  if (!entry) return ""
  const { name, preset, config } = entry
  return preset ? (preset.listed_as ?? name) : (config.kind ?? "")
}

/**
 * A model that is known to be blind is told of images instead of shown them: its API would refuse the request, and
 * every later one of the conversation that still has the image in it.
 */
function withoutImages(request: ModelRequest): ModelRequest {
  const messages = request.messages.map((message) => {
    if (!message.parts.some(({ type }) => type === "image")) return message
    const parts = message.parts.map((part) =>
      part.type === "image"
        ? { type: "text" as const, text: "[An image, which this model cannot see]" }
        : part,
    )
    return { ...message, parts }
  })
  return { ...request, messages }
}

async function toEntry(name: string, config: ProviderConfig | undefined, findKey: FindKey): Promise<Entry> {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined
  const found_key = config?.api_key ?? (await findKey(name, preset?.variables ?? []))
  return { name, preset, config: config ?? ({} as ProviderConfig), found_key }
}

/** A server of one's own, known by its base_url, may need no key; the well-known ones do. */
const isReady = ({ preset, config, found_key }: Entry): boolean =>
  found_key !== undefined || config.base_url !== undefined || !needsKey(preset, config)

const needsKey = (preset: Preset | undefined, { kind }: ProviderConfig): boolean =>
  preset ? preset.key_needed : kind !== "openai-compatible" && kind !== "offline"

function openEntry(
  entry: Entry | undefined,
  name: string,
  api_key: string | undefined,
  kinds: Map<string, AnyProvider>,
): ModelStream {
  const { declaration, connection } = connectionOf(entry, name, api_key, kinds)
  return declaration.open(connection.config)
}

function connectionOf(
  entry: Entry | undefined,
  name: string,
  api_key: string | undefined,
  kinds: Map<string, AnyProvider>,
): { declaration: AnyProvider; connection: Connection } {
  const kind = entry?.config.kind ?? entry?.preset?.kind
  if (!entry || !kind) throw unusable(name, `Set kind under [providers.${name}]; the name does not say it.`)
  const declaration = kinds.get(kind)
  if (!declaration) throw unusable(name, `There is no kind of provider named "${kind}".`)
  const key = api_key ?? entry.found_key
  if (key === undefined && !isReady(entry)) throw unusable(name, missingKey(entry))
  const base_url = entry.config.base_url ?? entry.preset?.base_url
  const config = {
    ...(Value.Default(declaration.config, {}) as WireConfig),
    ...entry.config,
    name,
    ...(base_url === undefined ? {} : { base_url }),
    ...(key === undefined ? {} : { api_key: key }),
  }
  return { declaration, connection: { kind, config } }
}

function missingKey({ name, preset }: Entry): string {
  const variable = preset?.variables[0]
  const written = `api_key under [providers.${name}] in config.toml`
  return `It needs a key: set ${variable ? `the environment variable ${variable}, or ` : ""}${written}.`
}

const unusable = (provider: string, reason: string) =>
  new AppError("provider_failed", { provider, retryable: false, reason })
