/** Which sets of vectors are searched and filled, each with the embedder that made it. */
import { AppError } from "../../base/errors.ts"
import type { Embedder } from "../embed/embedder.ts"
import type { VectorSet, Vectors } from "../vectors/set.ts"

export type SetInUse = { set: VectorSet; embedder: Embedder }

export type SetsInUse = {
  /** The one that serves first. A set whose embedder is no longer configured is not among them. */
  list(): SetInUse[]
  /** Sets that are there but cannot be asked, for people. */
  unasked(): string[]
  /** Finds or makes the set of the wanted embedder. Throws what the embedder throws where its length has to be learnt. */
  prepare(signal: AbortSignal): Promise<void>
  /** Why the wanted embedder could not be asked at all, for people. */
  trouble(): string | undefined
  /** Which embedder is to make the vectors from now on. */
  want(embedder: Embedder): void
  wanted(): Embedder
  /** The set that the wanted embedder still fills; undefined where it serves, or is not prepared. */
  filling(): SetInUse | undefined
}

/** `find` answers the embedder of an id that a set carries, where the configuration still knows it. */
export function openSetsInUse(
  vectors: Vectors,
  first: Embedder,
  find: (id: string) => Embedder | undefined,
): SetsInUse {
  let wanted = first
  let failed: { id: string; said: string } | undefined
  const embedderOf = (set: VectorSet) => {
    const embedder = set.embedder === wanted.id ? wanted : find(set.embedder)
    // A provider may put another model below an old name.
    return (embedder?.dim() ?? set.dim) === set.dim ? embedder : undefined
  }
  const list = () =>
    vectors.sets().flatMap((set) => {
      const embedder = embedderOf(set)
      return embedder ? [{ set, embedder }] : []
    })
  return {
    list,
    wanted: () => wanted,
    want: (embedder) => {
      wanted = embedder
    },
    unasked: () =>
      vectors
        .sets()
        .filter((set) => !embedderOf(set))
        .map(({ embedder }) => embedder),
    async prepare(signal) {
      const { id } = wanted
      try {
        // A model that was asked for no length says it with its first answer, and with that its whole id.
        if (wanted.dim() === undefined) await wanted.embed(["length"], "query", signal)
        const dim = wanted.dim()
        if (dim === undefined) throw new Error(`${id} answered no vector`)
        await vectors.use(wanted.id, dim)
        failed = undefined
      } catch (thrown) {
        signal.throwIfAborted()
        failed = { id, said: `${id} cannot be used: ${whyOf(thrown)}` }
        throw thrown
      }
    },
    trouble: () => (failed?.id === wanted.id ? failed.said : undefined),
    filling: () => list().find(({ set }) => set.embedder === wanted.id && set.state === "filling"),
  }
}

/** With what the provider said. */
function whyOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const reason = thrown instanceof AppError ? thrown.data.reason : undefined
  return typeof reason === "string" ? `${thrown.message} ${reason}` : thrown.message
}
