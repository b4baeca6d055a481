import { expect, test } from "bun:test"
import fc from "fast-check"
import { openGuest } from "./guest.ts"

const echo = (await openGuest("echo"))!

test("it describes one tool", () => {
  expect(echo.describe()).toMatchObject({ name: "echo", input_schema: { required: ["text"] } })
})

test("every text comes back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(echo.call("echo", { text })).toEqual({ content: text.toWellFormed(), is_error: false })
    }),
  )
})

test("without a text it says so", () => {
  expect(echo.call("echo", {}).is_error).toBe(true)
})
