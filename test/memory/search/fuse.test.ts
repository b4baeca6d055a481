import { expect, test } from "bun:test"
import fc from "fast-check"
import { type FuseOptions, fuse, ordinal } from "../../../src/memory/search/fuse.ts"

const day_ms = 24 * 3600 * 1000
const now_ms = 400 * day_ms
const old = { created_ms: 0, importance: 0.5 }
const plain: FuseOptions = { about: () => old, now_ms, limit: 10 }
const words = (...ids: number[]) => ({ name: "words", ids, weight: 1 })
const meaning = (...ids: number[]) => ({ name: "meaning", ids, weight: 0.5 })
const idsOf = (found: { id: number }[]) => found.map(({ id }) => id)

test("what both rankings found comes before what one of them found, and says why", () => {
  const found = fuse([words(1, 2, 3), meaning(4, 3, 2)], plain)
  expect(idsOf(found)).toEqual([2, 1, 3, 4])
  expect(found[0]!.why).toEqual(["words 2nd", "meaning 3rd"])
  expect(found[3]!.why).toEqual(["meaning 1st"])
})

test("one ranking alone keeps its order", () => {
  expect(idsOf(fuse([words(9, 3, 7), meaning()], plain))).toEqual([9, 3, 7])
  expect(fuse([], plain)).toEqual([])
})

test("of two that were found equally well the newer comes first, and is said to be recent", () => {
  const about = (id: number) => ({ ...old, created_ms: id === 1 ? now_ms - day_ms : 0 })
  const found = fuse(
    [words(2, 1), meaning(1, 2)].map((each) => ({ ...each, weight: 1 })),
    { ...plain, about },
  )
  expect(found.map(({ id, why }) => [id, why.includes("recent")])).toEqual([
    [1, true],
    [2, false],
  ])
})

test("importance decides between equals and does not lift the last place to the first", () => {
  const about = (id: number) => ({ ...old, importance: id === 3 ? 1 : 0.5 })
  const equal = [words(2, 3), { name: "meaning", ids: [3, 2], weight: 1 }]
  const found = fuse(equal, { ...plain, about })
  expect(idsOf(found)).toEqual([3, 2])
  expect(found[0]!.why).toContain("important")
  expect(idsOf(fuse([words(1, 2, 3)], { ...plain, about }))[0]).toBe(1)
})

test("what nothing is known about is left out, and only as many are given as were asked for", () => {
  const about = (id: number) => (id === 2 ? undefined : old)
  expect(idsOf(fuse([words(1, 2, 3, 4)], { ...plain, about, limit: 2 }))).toEqual([1, 3])
})

test("scores are from 0 to 1, fall, and 1 is the best there can be", () => {
  const best = { created_ms: now_ms, importance: 1 }
  expect(fuse([words(1), meaning(1)], { ...plain, about: () => best })[0]!.score).toBeCloseTo(1, 12)
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 30 }))
  fc.assert(
    fc.property(ids, ids, fc.double({ min: 0, max: 1, noNaN: true }), (first, second, importance) => {
      const about = (id: number) => ({ created_ms: id * 20 * day_ms, importance })
      const found = fuse([words(...first), meaning(...second)], { about, now_ms, limit: 100 })
      expect(new Set(idsOf(found))).toEqual(new Set([...first, ...second]))
      for (const [i, { score }] of found.entries()) {
        expect(score).toBeGreaterThan(0)
        expect(score).toBeLessThanOrEqual(i === 0 ? 1 : found[i - 1]!.score)
      }
    }),
  )
})

test("places are said as people say them", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 113].map(ordinal).join(" ")).toBe(
    "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th 113th",
  )
})
