import { expect, test } from "bun:test"
import fc from "fast-check"
import { parseSessionKey, type SessionParts, toSessionKey } from "../../src/base/session-key.ts"

const awkward = fc.string({
  unit: fc.constantFrom("a", ":", "%", "3", "A", "2", "5", " ", "é", "\ufffd"),
  minLength: 1,
})
const part = fc.oneof(awkward, fc.string({ minLength: 1 }), fc.string({ unit: "binary", minLength: 1 }))
const parts = fc.record({ agent: part, channel: part, account: part, peer: part })

test("a key gives back the parts that made it", () => {
  fc.assert(fc.property(parts, (made) => expect(parseSessionKey(toSessionKey(made))).toEqual(made)))
})

test("no two lists of parts have one key", () => {
  const same = (a: SessionParts, b: SessionParts) => JSON.stringify(a) === JSON.stringify(b)
  fc.assert(
    fc.property(parts, parts, (a, b) => expect(toSessionKey(a) === toSessionKey(b)).toBe(same(a, b))),
    { numRuns: 1000 },
  )
})

test("a text is a key only if some parts make it", () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.string({ unit: fc.constantFrom("a", "%", "3A", "25", "3a", ":") }), { maxLength: 6 })
      .map((list) => list.join(":")),
  )
  fc.assert(
    fc.property(text, (key) => {
      const found = parseSessionKey(key)
      if (found) expect(toSessionKey(found)).toBe(key)
    }),
    { numRuns: 1000 },
  )
})

test.each(["", "a:b:c", "a:b:c:d:e", "a:b:c:", ":b:c:d", "a:b:c:%", "a:b:c:%3a", "a:b:c:%41", "a:b:c:%2"])(
  "%p is no session key",
  (key) => expect(parseSessionKey(key)).toBeUndefined(),
)

test("halves of characters, which no store can keep, are one and the same", () => {
  const key = (peer: string) => toSessionKey({ agent: "a", channel: "b", account: "c", peer })
  expect(key("\ud800")).toBe("a:b:c:\ufffd")
  expect(key("\udc00")).toBe(key("\ud800"))
})

test("the usual key is as the protocol writes it", () => {
  expect(toSessionKey({ agent: "work", channel: "irc", account: "net", peer: "#a:b%" })).toBe(
    "work:irc:net:#a%3Ab%25",
  )
})
