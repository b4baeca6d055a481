import { expect, test } from "bun:test"
import { AppError, assert, type ErrorCode, errors, toAppError, toTrace } from "../../src/base/errors.ts"

test.each(Object.entries(errors))(
  "%s is a sentence with its numbers",
  (code, { rpc, http, exit, message }) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(message).toMatch(/^[A-Z].*[.?]$/)
    expect([rpc < 0, http >= 400 && http < 600, exit > 0 && exit < 256]).toEqual([true, true, true])
  },
)

test("an error that a caller may see passes as it is; anything else stays inside under an incident", () => {
  const known = new AppError("not_found", { what: "file" })
  expect(toAppError(known)).toBe(known)
  const bug = new TypeError("the name of a secret thing")
  const hidden = toAppError(bug)
  expect(hidden).toMatchObject({ code: "internal", cause: bug, data: { incident: expect.any(String) } })
  expect(JSON.stringify({ ...hidden.data, message: hidden.message })).not.toContain("secret")
  expect(toAppError("thrown text").code).toBe("internal" satisfies ErrorCode)
})

test("what must be true says so when it is not", () => {
  assert(1 < 2, "one is less than two")
  expect(() => assert(false, "two is less than one")).toThrow("assertion failed: two is less than one")
})

test("a trace has the frames and the causes of what was thrown, and no line of code", () => {
  const full = Object.assign(new Error("the disk is full"), { code: "ENOSPC" })
  const trace = toTrace(new TypeError("it cannot be written", { cause: full }))
  expect(trace).toMatch(/^TypeError: it cannot be written\n +at .*errors\.test\.ts:\d+:\d+/)
  expect(trace).toMatch(/\ncaused by ENOSPC: Error: the disk is full\n +at .*errors\.test\.ts/)
  expect(trace).not.toContain("Object.assign")
  expect(toTrace("a word")).toBe('"a word"')
  expect(toTrace(undefined)).toBe("undefined")
})

test("causes that go round come to an end", () => {
  const round = new Error("round")
  round.cause = round
  expect(toTrace(round).split("caused by")).toHaveLength(5)
})
