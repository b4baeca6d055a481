import { assert } from "../../base/errors.ts"
import type { Embedder } from "./embedder.ts"

export type RemoteOptions = {
  provider: string
  model: string
  /** As configured; without it the model's own length, which the first answer shows. */
  dimensions?: number | undefined
  /** What an earlier answer showed, where it is known from the store. */
  known_dim?: number | undefined
  /** One vector for each text, in their order, of one length, finite; of any length as vectors. */
  embed(
    texts: readonly string[],
    purpose: "query" | "document",
    signal: AbortSignal,
  ): Promise<readonly Float32Array[]>
}

/** A conversation comes back to what it was about; a vector of 1,536 has 6 KB. */
const queries_max = 256
/** Stands for a text where only the length of the model's vectors is wanted. */
const probe = "."

/** A provider's embedding model as an embedder: vectors of length 1, the last questions kept, empty texts not sent. */
export function openRemoteEmbedder({
  provider,
  model,
  dimensions,
  known_dim,
  embed,
}: RemoteOptions): Embedder {
  let dim = dimensions ?? known_dim
  const queries = new Map<string, Float32Array>()

  async function ask(texts: readonly string[], purpose: "query" | "document", signal: AbortSignal) {
    const vectors = await embed(texts, purpose, signal)
    assert(vectors.length === texts.length, "each text has a vector")
    dim ??= vectors[0]?.length
    return vectors.map(toUnit)
  }

  /** Those that were asked for lately come from the cache, and end as its newest. */
  async function askQueries(texts: readonly string[], signal: AbortSignal) {
    const found = texts.map((text) => queries.get(text))
    const missing = texts.filter((_, i) => found[i] === undefined)
    const vectors = missing.length > 0 ? await ask(missing, "query", signal) : []
    const all = found.map((vector) => vector ?? vectors.shift()!)
    for (const [i, text] of texts.entries()) {
      queries.delete(text)
      queries.set(text, all[i]!)
    }
    for (const text of queries.keys()) {
      if (queries.size <= queries_max) break
      queries.delete(text)
    }
    return all
  }

  return {
    id: `${provider}:${model}${dimensions === undefined ? "" : `:${dimensions}`}`,
    dim: () => dim,
    is_local: false,
    async embed(texts, purpose, signal) {
      signal.throwIfAborted()
      const told = texts.map((text) => text.trim() !== "")
      const sent = texts.filter((_, i) => told[i])
      const vectors =
        sent.length === 0
          ? []
          : purpose === "query"
            ? await askQueries(sent, signal)
            : await ask(sent, purpose, signal)
      if (dim === undefined && texts.length > 0) await ask([probe], purpose, signal)
      const length = dim ?? 0
      const rows = new Float32Array(texts.length * length)
      let next = 0
      for (const [i, is_told] of told.entries()) if (is_told) rows.set(vectors[next++]!, i * length)
      return rows
    },
    embedNow() {
      assert(false, "only a local embedder answers at once")
    },
  }
}

/** Of length 1, or zero where it is zero. In double precision, as the squares of some models' values are beyond a float. */
function toUnit(vector: Float32Array): Float32Array {
  let sum = 0
  for (const value of vector) sum += value * value
  if (sum === 0) return vector
  const length = Math.sqrt(sum)
  return vector.map((value) => value / length)
}
