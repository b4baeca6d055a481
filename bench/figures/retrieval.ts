import type { Bench, Figure } from "../measure.ts"
import { measureRetrieval, type Quality, type Ways } from "../retrieval.ts"

const ways: Record<keyof Ways, string> = {
  words: "by words alone (FTS5)",
  vectors: "by vectors alone (hash embedder)",
  fused: "by both, fused",
}

/** How often a search finds what answers a labelled question. */
export const retrieval: Bench = {
  name: "retrieval",
  async measure() {
    const { all, untouched } = measureRetrieval()
    const hits = Object.entries(ways).map(([way, title]) => {
      const [quality, held] = [all[way as keyof Ways], untouched[way as keyof Ways]]
      return {
        name: `retrieval_${way}`,
        title: `hit@5 of ${quality.questions} questions over 5,000 messages, ${title}`,
        unit: "%",
        value: 100 * quality.hit_at_5,
        note: `MRR ${quality.mrr.toFixed(3)}; on the half that nothing was tuned by ${inWords(held)}`,
      } satisfies Figure
    })
    const [value, reference] = [all.fused.mrr, Math.max(all.words.mrr, all.vectors.mrr)]
    const title = "MRR of both, fused, against the better of the two alone"
    return [...hits, { name: "retrieval_mrr", title, unit: "", value, reference, ratio: value / reference }]
  },
}

const inWords = ({ hit_at_5, mrr, questions }: Quality): string =>
  `hit@5 ${(100 * hit_at_5).toFixed(1)} %, MRR ${mrr.toFixed(3)} (${questions})`
