/** What the memory does in the background, in the order of its urgency. */
import type { Log } from "../base/log.ts"
import type { Store } from "../store/open.ts"
import type { Chore } from "./background.ts"
import { openLearner } from "./facts/learner.ts"
import type { SetsInUse } from "./index/in-use.ts"
import type { Indexer } from "./index/indexer.ts"
import { stepGone, stepParts, stepWords } from "./index/words.ts"
import type { MemorySettings } from "./service.ts"
import { openSummaries } from "./summaries/summaries.ts"
import type { Uses } from "./uses.ts"
import type { VectorSet, Vectors } from "./vectors/set.ts"

export type ChoresDeps = {
  store: Store
  vectors: Vectors
  sets: SetsInUse
  indexer: Indexer
  uses: Uses
  log: Log
  now_ms(): number
  signal: AbortSignal
  settings(): MemorySettings
}

/** The use of all rows is read, which takes two seconds for 200,000; it is counted in hours anyway. */
const tend_every_ms = 3_600_000

export function openChores(deps: ChoresDeps): Chore[] {
  const { store, vectors, sets, indexer, uses, signal, settings, now_ms } = deps
  let tended_ms = Number.NEGATIVE_INFINITY
  const isOn = () => settings().config.semantic_enabled
  return [
    { name: "words", step: () => stepWords(store) },
    { name: "index", step: async () => isOn() && (await indexer.step()) > 0 },
    {
      name: "embedder",
      async step() {
        const wanted = wantedOf(sets)
        // What another one was filling is given up with that.
        const is_ready = vectors.sets().every(({ id, state }) => id === wanted?.id || state === "serving")
        if (!isOn() || (wanted && is_ready)) return false
        await sets.prepare(signal)
        return true
      },
    },
    { name: "vectors", step: async () => isOn() && (await fill(deps)) },
    {
      // Whatever was added or deleted: the first search is not to pay for it, nor a graph to wait for one.
      name: "files",
      async step() {
        await vectors.settle()
        return false
      },
    },
    { name: "uses", step: uses.step },
    { name: "forgotten words", step: () => stepGone(store) },
    ...openSummaries(deps),
    ...openLearner(deps),
    // Of what those two have made: nobody may say anything for days.
    { name: "vectors of summaries and facts", step: async () => isOn() && (await fill(deps)) },
    { name: "parts of the words", step: () => stepParts(store) },
    {
      name: "tiers",
      async step() {
        if (!isOn() || Math.abs(now_ms() - tended_ms) < tend_every_ms) return false
        tended_ms = now_ms()
        vectors.tend()
        return false
      },
    },
  ]
}

const wantedOf = (sets: SetsInUse): VectorSet | undefined =>
  sets.list().find(({ set }) => set.embedder === sets.wanted().id)?.set

/** Embeds what has no vector in the wanted embedder's set, and lets it serve once that is all. */
async function fill({ vectors, sets, indexer }: ChoresDeps): Promise<boolean | "later"> {
  const wanted = sets.list().find(({ set }) => set.embedder === sets.wanted().id)
  if (!wanted) return false
  if ((await indexer.fill(wanted.set, wanted.embedder)) > 0) return true
  // Nobody may say anything for days: whoever makes the vectors is asked again without that.
  if (indexer.trouble() !== undefined) return "later"
  if (wanted.set.state !== "filling" || indexer.pending() > 0) return false
  // A set that was given up and is wanted again has lost rows that it once had.
  if ((await vectors.missing(wanted.set.id, 0, 1)).ids.length > 0) {
    indexer.refill(wanted.set)
    return true
  }
  await vectors.finish(wanted.set.id)
  return false
}
