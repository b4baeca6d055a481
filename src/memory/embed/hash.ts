import type { VectorKernel } from "../../kernel/vectors/kernel.ts"
import { toVectorWords } from "../text/fold.ts"
import { commonWords } from "./common.ts"
import type { Embedder } from "./embedder.ts"

/** Raised whenever the same text would get another vector: words, weights, common words. */
const version = 1
const dim = 384
/** A vector says nothing of a text longer than this that it would not say of its beginning. Bounds the sums in the C, too. */
const text_chars_max = 32_768

/** Vectors by hashing words and their parts: at once, without a model or a network, the same on every machine. */
export function openHashEmbedder(kernel: VectorKernel): Embedder {
  const common = commonWords()
  const encoder = new TextEncoder()
  const embedNow = (texts: readonly string[]): Float32Array =>
    kernel.embed(
      texts.map((text) => encoder.encode(toVectorWords(text.slice(0, text_chars_max)))),
      dim,
      common,
    )
  return {
    id: `hash:${version}:${dim}`,
    dim: () => dim,
    is_local: true,
    embedNow,
    async embed(texts, _purpose, signal) {
      signal.throwIfAborted()
      return embedNow(texts)
    },
  }
}
