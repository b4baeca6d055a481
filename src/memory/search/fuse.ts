/** What one way of looking found, best first. */
export type Ranking = {
  /** For people: "words", "meaning". */
  name: string
  ids: readonly number[]
  /** How much it is believed beside the others. */
  weight: number
}

/** What else is known of what was found. */
export type About = {
  created_ms: number
  /** 0 to 1; 0.5 changes nothing. */
  importance: number
}

export type FuseOptions = {
  /** Undefined for an id that is to be left out. */
  about(id: number): About | undefined
  now_ms: number
  limit: number
}

/** `score` is 1 for what is first in every ranking, new and of the highest importance. */
export type Fused = { id: number; score: number; why: string[] }

/**
 * How much the first places count above the next ones. Cormack, Clarke and Buettcher (2009) have 60 for rankings of equal
 * worth; a small one leaves the better ranking its order and lets the other one in where it is sure (bench/retrieval.ts).
 */
export const rank_constant = 2
export const words_weight = 1
/** Of vectors by hashing, which know no more of a language than the words do. Chosen on one half of the questions. */
export const hash_weight = 0.2
/** Of a model's vectors. */
export const model_weight = 1
/** What newness and importance can add at most: they decide between what was found nearly as well. */
const recency_share = 0.05
const importance_share = 0.05
const half_life_ms = 30 * 24 * 3600 * 1000
const recent_ms = 7 * 24 * 3600 * 1000
const important_from = 0.75

/** Reciprocal rank fusion, then a little more for what is new and what is important. Equal scores: the newer id first. */
export function fuse(rankings: readonly Ranking[], { about, now_ms, limit }: FuseOptions): Fused[] {
  const found = new Map<number, { sum: number; why: string[] }>()
  for (const { name, ids, weight } of rankings) {
    for (const [index, id] of ids.entries()) {
      const entry = found.get(id) ?? { sum: 0, why: [] }
      entry.sum += weight / (rank_constant + index + 1)
      entry.why.push(`${name} ${ordinal(index + 1)}`)
      found.set(id, entry)
    }
  }
  const weights = rankings.reduce((sum, { weight }) => sum + weight, 0)
  const best = (weights / (rank_constant + 1)) * (1 + recency_share) * (1 + importance_share / 2)
  const fused: Fused[] = []
  for (const [id, { sum, why }] of found) {
    const known = about(id)
    if (!known) continue
    const age_ms = Math.max(0, now_ms - known.created_ms)
    const recency = 1 + recency_share * 0.5 ** (age_ms / half_life_ms)
    const importance = 1 + importance_share * (known.importance - 0.5)
    if (age_ms < recent_ms) why.push("recent")
    if (known.importance >= important_from) why.push("important")
    fused.push({ id, score: best > 0 ? (sum * recency * importance) / best : 0, why })
  }
  return fused.sort((a, b) => b.score - a.score || b.id - a.id).slice(0, limit)
}

/** "1st", "22nd", "113th". */
export function ordinal(n: number): string {
  const is_teen = n % 100 > 10 && n % 100 < 14
  return `${n}${(is_teen ? undefined : ["th", "st", "nd", "rd"][n % 10]) ?? "th"}`
}
