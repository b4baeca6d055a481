import list from "./models.json" with { type: "text" }
import type { ModelUsage } from "./provider.ts"

/** US dollars for a million tokens. A price that is not listed is that of input. */
type Prices = { input: number; output: number; cache_read?: number; cache_write?: number }

export type ModelFacts = {
  provider: string
  id: string
  /** Tokens that the model can see, and the most that it answers. */
  context: number
  output: number
  usd_per_million: Prices
  /** Other prices of requests whose input has more tokens than this. */
  tiers?: (Prices & { above_tokens: number })[]
  tools: boolean
  reasoning: boolean
  input: string[]
}

let by_name: Map<string, ModelFacts> | undefined

/** What is known of a model; a dated name ("…-20251101") falls back to the undated one. */
export function modelFacts(provider: string, model: string): ModelFacts | undefined {
  by_name ??= readList()
  const name = `${provider}/${model}`
  return by_name.get(name) ?? by_name.get(name.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, ""))
}

/** Parsed at the first look-up: a start needs no prices. */
function readList(): Map<string, ModelFacts> {
  const { models } = JSON.parse(list as unknown as string) as { models: ModelFacts[] }
  return new Map(models.map((facts) => [`${facts.provider}/${facts.id}`, facts]))
}

/** What a model call cost by list price; null where the model is not in the list. */
export function costUsd(provider: string, model: string, usage: ModelUsage): number | null {
  const facts = modelFacts(provider, model)
  if (!facts) return null
  const { input_tokens, output_tokens, cached_tokens, cache_write_tokens = 0 } = usage
  const { input, output, cache_read = input, cache_write = input } = pricesFor(facts, input_tokens)
  const plain_tokens = Math.max(0, input_tokens - cached_tokens - cache_write_tokens)
  const micro_usd =
    plain_tokens * input +
    cached_tokens * cache_read +
    cache_write_tokens * cache_write +
    output_tokens * output
  return micro_usd / 1_000_000
}

/** A request is priced whole by the highest tier that its input reaches. */
function pricesFor({ usd_per_million, tiers = [] }: ModelFacts, input_tokens: number): Prices {
  let prices = usd_per_million
  let above = 0
  for (const tier of tiers) {
    if (input_tokens <= tier.above_tokens || tier.above_tokens < above) continue
    prices = tier
    above = tier.above_tokens
  }
  return prices
}
