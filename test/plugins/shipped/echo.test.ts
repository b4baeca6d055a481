import { afterAll, expect, test } from "bun:test"
import fc from "fast-check"
import { openGuest } from "./guest.ts"

const echo = await openGuest("echo")
afterAll(() => echo[Symbol.asyncDispose]())

test("it describes one tool", async () => {
  expect(await echo.describe()).toMatchObject({ name: "echo", input_schema: { required: ["text"] } })
})

test("every text comes back as it was", async () => {
  const special = fc.string({
    unit: fc.constantFrom("a", '"', "\\", "\n", "\u0000", "\u007f", "ä", "😀", "\ud83d"),
  })
  await fc.assert(
    fc.asyncProperty(fc.oneof(special, fc.string({ unit: "binary" })), async (text) => {
      expect(await echo.call("echo", { text })).toEqual({ content: text.toWellFormed(), is_error: false })
    }),
  )
})

test("without a text it says so", async () => {
  expect((await echo.call("echo", {})).is_error).toBe(true)
})
