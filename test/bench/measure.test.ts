import { expect, test } from "bun:test"
import fc from "fast-check"
import { interleave, median, quantile } from "../../bench/measure.ts"
import { routeCase } from "../../bench/route-case.ts"
import { openRouter } from "../../src/gateway/bindings.ts"

test("a quantile is one of the values, with that share of them at or below it", () => {
  const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
      const value = quantile(list, q)
      expect(list).toContain(value)
      expect(list.filter((other) => other <= value).length).toBeGreaterThan((list.length - 1) * q)
    }),
  )
})

test("the median of an odd count is the middle one", () => {
  expect(median([9, 1, 5])).toBe(5)
})

test("interleaved runs take turns", async () => {
  const order: string[] = []
  const [as, bs] = await interleave(
    2,
    async () => order.push("a"),
    async () => order.push("b"),
  )
  expect({ order, as, bs }).toEqual({ order: ["a", "b", "a", "b"], as: [1, 3], bs: [2, 4] })
})

test("the routes that are measured reach every tier and the default", () => {
  const { bindings, messages } = routeCase(1000)
  const route = openRouter(bindings, "default")
  const reached = new Set(messages.map((message) => route(message).matched_by))
  const tiers = ["account", "channel", "guild", "peer", "team"].map((tier) => `binding.${tier}`)
  expect([...reached].sort()).toEqual([...tiers, "default"])
})
