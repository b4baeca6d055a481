import { afterAll, expect } from "bun:test"
import fc from "fast-check"
import { needs } from "../../needs.ts"
import { type Guest, openGuest, type ToolAnswer } from "./guest.ts"

const test = needs({ wasi: "c" })
let opened: Promise<Guest> | undefined
/** Not before a test needs it: without the compiler there is none. */
const open = () => (opened ??= openGuest("calc"))
afterAll(async () => await (await opened)?.[Symbol.asyncDispose]())

const calculate = async (expression: unknown): Promise<ToolAnswer> =>
  await (await open()).call("calc", { expression })

test("it describes one tool", async () => {
  expect(await (await open()).describe()).toMatchObject({
    name: "calc",
    input_schema: { required: ["expression"] },
  })
})

for (const [expression, value] of Object.entries({
  "(1 + 19/100) * 84.5": "100.555",
  "0.1 + 0.2": "0.3",
  "2^3^2": "512",
  "-2^2": "-4",
  "2^-1": "0.5",
  "7 % 4 * 2": "6",
  "5!/3!": "20",
  " max(1, 2, hypot(3,4)) ": "5",
  "cos(pi) + ln(e^2)": "1",
  "1e3 + .5 + 5.": "1005.5",
  "170!": "7.25741561530799e+306",
  "9007199254740991": "9007199254740991",
})) {
  test(`${expression} is ${value}`, async () => {
    expect(await calculate(expression)).toEqual({ content: value, is_error: false })
  })
}

for (const [expression, why] of Object.entries({
  "1 +": "missing, at character 4",
  "2 x 3": "not understood, at character 3.",
  ä: "not understood, at character 1.",
  "(1": "not closed",
  "sqrt 2": "needs its parenthesis",
  "nosuch(2)": "no such function, at character 1",
  "1/0": "infinite",
  "171!": "infinite",
  "sqrt(-1)": "no real value",
  "(-1)!": "whole numbers",
  "2.5!": "whole numbers",
  ".": "digits",
  "1\u0000+2": "not understood",
  [`${"(".repeat(5000)}1`]: "too deeply",
  [`${"-".repeat(5000)}1`]: "too deeply",
})) {
  test(`${JSON.stringify(expression.slice(0, 20))} is refused: ${why}`, async () => {
    const { content, is_error } = await calculate(expression)
    expect(is_error).toBe(true)
    expect(content).toContain(why)
  })
}

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.integer({ min: 0, max: 1000 }).map(String),
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "/", "%"), tie("expression"))
      .map((parts) => `(${parts.join(" ")})`),
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*"), tie("expression"))
      .map((parts) => parts.join(" ")),
    tie("expression").map((inner) => `-(${inner})`),
    tie("expression").map((inner) => `Math.floor(${inner})`),
  ),
}))

test("what comes out is what JavaScript makes of it", async () => {
  await fc.assert(
    fc.asyncProperty(expression, async (given) => {
      const value: number = new Function(`return ${given}`)()
      const { content, is_error } = await calculate(given.replaceAll("Math.", ""))
      if (!Number.isFinite(value)) return expect(is_error).toBe(true)
      expect(Math.abs(Number(content) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-14)
    }),
    { numRuns: 300 },
  )
})

test("no text makes it fail", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      expect(await calculate(text)).toHaveProperty("content")
    }),
  )
})
