import type { Embedder } from "./embedder.ts"

export type RemoteEmbedderOptions = {
  /** The name of [providers]. */
  provider: string
  model: string
  /** What was asked of the model; undefined for its own length, which the first answer says. */
  dimensions: number | undefined
  /** The length that the model answered before, from the id of a set that is there. */
  known_dim?: number
  /** Vectors in the order of the texts, of one length, of any size. Throws as `Embedder.embed` does. */
  embedTexts(
    texts: readonly string[],
    purpose: "query" | "document",
    signal: AbortSignal,
  ): Promise<Float32Array[]>
}

/** Questions that were asked lately: a turn may ask the same several times. */
const remembered_max = 256

/** A model's vectors, made to length 1. */
export function openRemoteEmbedder(options: RemoteEmbedderOptions): Embedder {
  const { provider, model, dimensions, embedTexts } = options
  let dim = dimensions ?? options.known_dim
  const remembered = new Map<string, Float32Array>()
  const embed = async (texts: readonly string[], purpose: "query" | "document", signal: AbortSignal) => {
    if (texts.length === 0) return new Float32Array()
    const vectors = await embedTexts(texts, purpose, signal)
    dim ??= vectors[0]!.length
    const rows = new Float32Array(texts.length * dim)
    for (const [i, vector] of vectors.entries()) {
      if (vector.length !== dim)
        throw new Error(`${provider}/${model} answers ${vector.length} numbers, not ${dim}`)
      rows.set(toUnit(vector), i * dim)
    }
    return rows
  }
  return {
    get id() {
      return `${provider}:${model}:${dim ?? "?"}`
    },
    dim: () => dim,
    is_local: false,
    async embed(texts, purpose, signal) {
      if (purpose !== "query" || texts.length !== 1) return embed(texts, purpose, signal)
      const [text] = texts as [string]
      const known = remembered.get(text)
      if (known) return known
      const vector = await embed(texts, purpose, signal)
      if (remembered.size >= remembered_max) remembered.delete(remembered.keys().next().value!)
      remembered.set(text, vector)
      return vector
    },
    embedNow() {
      throw new Error(`${provider}/${model} does not answer at once`)
    },
  }
}

function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length > 0 ? vector.map((value) => value / length) : vector
}
