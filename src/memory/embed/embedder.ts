/** What makes vectors of texts. */
export type Embedder = {
  /** What made a vector, with all that changes it: "hash:1:384", "openai:text-embedding-3-small:1536". */
  readonly id: string
  /** Unknown until the first answer where a model was asked for no length. */
  dim(): number | undefined
  /** Whether it answers at once and never fails: nothing then waits for the network. */
  readonly is_local: boolean
  /**
   * One row of `dim` for each text, one after the other, each of length 1 (or zero where there is nothing to embed).
   * `purpose` matters to models that embed questions otherwise than what answers them. Throws provider_failed or
   * provider_timeout, or the signal's reason.
   */
  embed(texts: readonly string[], purpose: "query" | "document", signal: AbortSignal): Promise<Float32Array>
  /** The same for an embedder that is local; a bug where it is not. */
  embedNow(texts: readonly string[]): Float32Array
}
