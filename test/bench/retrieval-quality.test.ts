import { expect, test } from "bun:test"
import { measureRetrieval } from "../../bench/retrieval.ts"

test("both ways together find more than either alone, and none has become much worse", () => {
  const { all, untouched } = measureRetrieval()
  for (const { words, vectors, fused } of [all, untouched]) {
    expect(fused.hit_at_5).toBeGreaterThanOrEqual(Math.max(words.hit_at_5, vectors.hit_at_5))
    expect(fused.mrr).toBeGreaterThan(Math.max(words.mrr, vectors.mrr))
  }
  // A little below what was measured when the weights were chosen.
  expect(all.words.hit_at_5).toBeGreaterThan(0.76)
  expect(all.vectors.hit_at_5).toBeGreaterThan(0.63)
  expect(all.fused.mrr).toBeGreaterThan(0.72)
}, 60_000)
