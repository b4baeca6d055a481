/** What doctor asks of the memory. */

import { checkWords, countWords, listWithoutWords } from "../store/memory-index.ts"
import type { Store } from "../store/open.ts"
import type { MemoryCheck } from "./memory.ts"
import { toWords } from "./text/fold.ts"
import type { SetCheck, SetState, Vectors } from "./vectors/set.ts"

const sample_rows = 100
/** Of the ten nearest; below it a search as usual misses what it should find. */
const recall_min = 0.95
const anew = 'run "weft memory reindex"'

export type CheckDeps = {
  db: Store["db"]
  vectors: Vectors
  pending(): number
  trouble(): string | undefined
  unasked(): string[]
}

/** Each thing that can be wrong has its entry, also where all is well. */
export async function checkMemory({ db, vectors, ...deps }: CheckDeps): Promise<MemoryCheck[]> {
  const checked = await vectors.check(sample_rows)
  const states = new Map(vectors.state().sets.map((state) => [state.id, state]))
  const trouble = deps.trouble()
  return [
    words(db),
    ...checked.flatMap((set) => vectorsOf(set, states.get(set.set_id))),
    ...deps.unasked().map((id) => ({
      name: `vectors of ${id}`,
      ok: false,
      said: "they are there, but their embedder is not configured, so they are not searched",
      remedy: "name that embedder under [memory], or wait until the new one has filled its own",
    })),
    {
      name: "embedder",
      ok: trouble === undefined,
      said: trouble ?? "answers",
      ...(trouble !== undefined && {
        remedy: "correct [memory.embedder] or its provider; until then what is new is found by its words",
      }),
    },
    { name: "index", ok: true, said: `${deps.pending()} messages are still to be indexed` },
  ]
}

function words(db: Store["db"]): MemoryCheck {
  const name = "words"
  try {
    checkWords(db)
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    return { name, ok: false, said: `the index of words is damaged: ${why}`, remedy: anew }
  }
  const { rows, indexed } = countWords(db)
  // A row of signs only has no words.
  const lost = listWithoutWords(db, sample_rows).filter(({ text }) => toWords(text) !== "").length
  const ok = indexed <= rows && lost === 0
  const but = lost > 0 ? `; of ${Math.min(rows - indexed, sample_rows)} that do not, ${lost} should` : ""
  return {
    name,
    ok,
    said: `${indexed} of ${rows} rows have words in the index${but}`,
    ...(!ok && { remedy: anew }),
  }
}

function vectorsOf(checked: SetCheck, state: SetState | undefined): MemoryCheck[] {
  const { embedder, rows, rows_in_files, digest_agrees, recall, sampled } = checked
  const name = `vectors of ${embedder}`
  const is_whole = digest_agrees && rows === rows_in_files
  const missing = state?.missing ?? 0
  const found = `${rows_in_files} of ${rows} vectors are in the files${missing > 0 ? `; ${missing} rows have none yet` : ""}`
  const where = state?.kept_in === "memory" ? `; kept in memory only: ${state.reason}` : ""
  return [
    {
      name,
      ok: is_whole && state?.kept_in !== "memory",
      said: `${found}${digest_agrees ? "" : "; their checksum is another one"}${where}`,
      // What cannot be written cannot be made anew.
      ...(state?.kept_in === "memory"
        ? { remedy: "make the folder vectors of the home one that can be written, and start again" }
        : !is_whole && { remedy: anew }),
    },
    {
      name: `recall of ${embedder}`,
      ok: recall >= recall_min,
      said: `${(100 * recall).toFixed(1)} % of the ten nearest of ${sampled} rows are found`,
      ...(recall < recall_min && { remedy: `${anew}, or set memory.index = "exact"` }),
    },
  ]
}
