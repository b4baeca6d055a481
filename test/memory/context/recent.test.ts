import { expect, test } from "bun:test"
import fc from "fast-check"
import type { Part } from "../../../src/base/parts.ts"
import { fitTurns } from "../../../src/memory/context/recent.ts"
import { openTokenCounter, tokensOf } from "../../../src/memory/context/tokens.ts"
import type { StretchMessage } from "../../../src/store/summaries.ts"

const count = openTokenCounter()
const words = fc
  .tuple(fc.constantFrom("word ", "Wörterbuch ", "汉字", "x".repeat(50), "\ud83d\ude00 "), fc.nat(3_000))
  .map(([word, times]) => word.repeat(Math.ceil(times / word.length)))

let ids = 0
const turn: fc.Arbitrary<StretchMessage[]> = fc
  .tuple(words, fc.array(words, { maxLength: 3 }), words)
  .map(([asked, results, answer]) => {
    const of = (role: StretchMessage["role"], parts: Part[]): StretchMessage => ({
      id: ++ids,
      role,
      parts,
      created_ms: 0,
    })
    const rounds = results.flatMap((content) => {
      const id = `call${++ids}`
      return [
        of("assistant", [{ type: "tool_use", id, name: "look", input: { at: 1 } }]),
        of("tool", [{ type: "tool_result", id, name: "look", content, is_error: false }]),
      ]
    })
    return [
      of("user", [{ type: "text", text: asked }]),
      ...rounds,
      of("assistant", [{ type: "text", text: answer }]),
    ]
  })
const turns = fc.array(turn, { maxLength: 12 })
const budget = fc.oneof(fc.nat(6_000), fc.constantFrom(0, 1, 60_000))

test("past turns are never above their budget, in order, deterministic, and no call is without its result", () => {
  fc.assert(
    fc.property(turns, budget, fc.integer({ min: 1, max: 4 }), (past, budget, step) => {
      const fitted = fitTurns(past, { budget, step, count })
      expect(fitTurns(past, { budget, step, count })).toEqual(fitted)
      expect(fitted.flat().map(({ message }) => message.id)).toEqual(past.flat().map(({ id }) => id))
      const kept = fitted.flat().filter(({ state }) => state !== "dropped")
      expect(kept.reduce((sum, { parts }) => sum + tokensOf(parts, count), 0)).toBeLessThanOrEqual(budget)
      for (const { parts, tokens } of kept) expect(tokens).toBe(tokensOf(parts, count))
      const idsOf = (type: "tool_use" | "tool_result") =>
        kept.flatMap(({ parts }) => parts.flatMap((part) => (part.type === type ? [part.id] : [])))
      expect(idsOf("tool_use")).toEqual(idsOf("tool_result"))
      // A turn is there or it is not, and what is there is the end.
      const states = fitted.map((one) => new Set(one.map(({ state }) => state === "dropped")))
      for (const state of states) expect(state.size).toBe(1)
      const whole = past.flat().reduce((sum, { parts }) => sum + tokensOf(parts, count), 0)
      if (whole <= budget)
        expect(fitted.flat().map(({ parts }) => parts)).toEqual(past.flat().map(({ parts }) => parts))
    }),
    { numRuns: 60 },
  )
})

const result = (content: string): StretchMessage[] => {
  const id = `r${++ids}`
  return [
    { id: ++ids, role: "user", parts: [{ type: "text", text: `look ${id}` }], created_ms: 0 },
    {
      id: ++ids,
      role: "assistant",
      parts: [{ type: "tool_use", id, name: "look", input: {} }],
      created_ms: 0,
    },
    {
      ...{ id: ++ids, role: "tool", created_ms: 0 },
      parts: [{ type: "tool_result", id, name: "look", content, is_error: false }],
    },
  ]
}
const long = `begin ${"middle ".repeat(700)}end`

test("the oldest results lose their middles first, and say how to get them again", () => {
  const past = [
    result(long),
    result(long),
    result(`${long} read_result has all of it: handle "h1"`),
    result("short"),
  ]
  const all = past.flat().reduce((sum, { parts }) => sum + tokensOf(parts, count), 0)
  const contents = (budget: number) =>
    fitTurns(past, { budget, step: 1, count })
      .flat()
      .flatMap(({ parts }) => parts.flatMap((part) => (part.type === "tool_result" ? [part.content] : [])))
  expect(contents(all).map((content) => content.length)).toEqual(
    past.map((one) => (one[2]!.parts[0] as { content: string }).content.length),
  )
  const [first, second] = contents(all - 1)
  expect(first).toMatch(
    /^begin [\s\S]*characters of this older result are left out; call look again if you need it[\s\S]*end$/,
  )
  expect(second).toBe(long)
  expect(contents(all / 3)[2]).toContain('left out; read_result has all of it: handle "h1"')
})

test("the beginning moves in steps: what is cut or dropped stays so for some turns", () => {
  const past = Array.from({ length: 12 }, () => result(long))
  const one = past[0]!.reduce((sum, { parts }) => sum + tokensOf(parts, count), 0)
  const cut = Array.from({ length: 6 }, (_, i) => {
    const fitted = fitTurns(past.slice(0, 7 + i), { budget: 7 * one, step: 3, count })
    return fitted.filter((turn) => turn.some(({ state }) => state === "results_cut")).length
  })
  expect(cut).toEqual([0, 3, 3, 6, 6, 9])
})
