import { afterAll, expect, test } from "bun:test"
import { install } from "./installed.ts"

const installed = await install("wordfreq", [])
afterAll(() => installed[Symbol.asyncDispose]())

test("a program that knows nothing of the gateway is a tool by its manifest alone", async () => {
  const text = "The cat and the dog. THE END: naïve cats, über 7 cats"
  expect(await installed.call("wordfreq", { text, count: 2 })).toBe("3\tthe\n2\tcats\n")
  expect(await installed.call("wordfreq", { text, shortest: 4 })).toBe("2\tcats\n1\tnaïve\n1\tüber\n")
})

test("all of a long text is read", async () => {
  expect(await installed.call("wordfreq", { text: "word ".repeat(100_000) })).toBe("100000\tword\n")
})

test("what is no option is an error of the program, with its own words", async () => {
  expect(await installed.call("wordfreq", { text: "", count: 0 })).toContain("--count=0")
})
