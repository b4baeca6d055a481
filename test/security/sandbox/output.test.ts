import { expect, test } from "bun:test"
import fc from "fast-check"
import { openOutput } from "../../../src/security/sandbox/output.ts"

const cut = /\n\[… (\d+) bytes left out here …\]\n/

function write(text: string, bytes_max: number, chunk_bytes: number) {
  const output = openOutput(bytes_max)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += chunk_bytes) output.add(bytes.subarray(at, at + chunk_bytes))
  return output
}

test("what fits is kept as it was, however it came", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 9 }), (text, chunk_bytes) => {
      const output = write(text, Buffer.byteLength(text), chunk_bytes)
      expect(output.toText()).toBe(text)
      expect(output.bytes).toBe(Buffer.byteLength(text))
    }),
  )
})

test("of what does not fit the beginning and the end are kept, and no half character", () => {
  const text = fc.string({ unit: "binary", minLength: 200, maxLength: 400 })
  const sizes = fc.integer({ min: 2, max: 150 })
  fc.assert(
    fc.property(text, sizes, sizes, (given, bytes_max, chunk_bytes) => {
      const kept = write(given, bytes_max, chunk_bytes).toText()
      const [head, left_out, tail] = kept.split(cut) as [string, string, string]
      expect(given.startsWith(head)).toBe(true)
      expect(given.endsWith(tail)).toBe(true)
      expect(Buffer.byteLength(head) + Buffer.byteLength(tail)).toBeLessThanOrEqual(bytes_max)
      expect(Buffer.byteLength(head) + Buffer.byteLength(tail)).toBeGreaterThan(bytes_max - 8)
      expect(Number(left_out)).toBe(Buffer.byteLength(given) - bytes_max)
    }),
  )
})

test("bytes that are no text do no harm, and many small chunks little", () => {
  const output = openOutput(1000)
  for (let i = 0; i < 100_000; i++) output.add(new Uint8Array([0xff]))
  expect(output.bytes).toBe(100_000)
  expect(output.toText().length).toBeLessThan(1100)
})
