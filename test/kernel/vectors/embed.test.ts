import { expect, test } from "bun:test"
import fc from "fast-check"
import { embedReference } from "../../../src/kernel/vectors/reference-embed.ts"
import { engines } from "./engines.ts"
import { bitsOf } from "./shapes.ts"

const encoder = new TextEncoder()
/** Hashes of "the", "kitchen" and "of" among others. */
const common = Uint32Array.from(["the", "of", "kitchen", "a", "x"].map(hashWord)).sort()
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 100 }).map((text) => encoder.encode(text)),
  fc
    .constantFrom("the kitchen of größe 我的猫", "a bb ccc dddd eeeee", "x".repeat(3000), "the the the")
    .map((text) => encoder.encode(text)),
)

test.each(engines)("$name makes the same bits as the reference, of any bytes", ({ open }) => {
  const kernel = open()
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 5 }),
      fc.oneof(fc.integer({ min: 1, max: 4096 }), fc.constantFrom(1, 384, 4096)),
      fc.constantFrom(common, new Uint32Array(0), common.slice(0, 1)),
      (texts, dim, list) => {
        expect(bitsOf(kernel.embed(texts, dim, list))).toBe(bitsOf(embedReference(texts, dim, list)))
      },
    ),
    { numRuns: 100 },
  )
})

test("a word adds itself, its beginning and the n-grams that do not reach over its end", () => {
  const placesOf = (text: string) =>
    embedReference([encoder.encode(text)], 4096, common).filter((value) => value !== 0).length
  expect(placesOf("ab")).toBe(1)
  // The word and " abc".
  expect(placesOf("abc")).toBe(2)
  // Beside them the beginning "abcd" and the n-gram "abcd".
  expect(placesOf("abcd")).toBe(4)
  expect(placesOf("abcde")).toBe(5)
  expect(placesOf("größ")).toBe(4)
  // Only itself, because it is common.
  expect(placesOf("kitchen")).toBe(1)
  expect(placesOf("?! \n.")).toBe(0)
})

function hashWord(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of encoder.encode(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
