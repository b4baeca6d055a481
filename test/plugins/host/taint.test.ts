import { expect, test } from "bun:test"
import fc from "fast-check"
import { openTaint } from "../../../src/plugins/host/taint.ts"

const isTold = (text: string | Uint8Array, names = ["KEY"]): boolean => {
  const taint = openTaint(names)
  taint.see(Buffer.from(text))
  return taint.isTainted()
}

/** Ways to write a character that JSON, a URL or HTML undoes. */
const ways: ((code: number) => string)[] = [
  (code) => String.fromCharCode(code),
  (code) => `%${code.toString(16).padStart(2, "0")}`,
  (code) => `%${code.toString(16).padStart(2, "0").toUpperCase()}`,
  (code) => `\\u${code.toString(16).padStart(4, "0")}`,
  (code) => `&#${code};`,
  (code) => `&#0${code};`,
  (code) => `&#x${code.toString(16)};`,
  (code) => `&#X00${code.toString(16).toUpperCase()};`,
]
const way = fc.constantFrom(...ways)

test("a placeholder is seen however its characters are written, among whatever else", () => {
  const written = fc.array(way, { minLength: 14, maxLength: 14 })
  const words = fc.constantFrom("{{secret:KEY}}", "{{secret:OTHR}", "..secret:KEY..", "{{secret......")
  fc.assert(
    fc.property(words, written, fc.string(), fc.string(), (word, kinds, before, after) => {
      const text = [...word].map((letter, i) => kinds[i]!(letter.charCodeAt(0))).join("")
      expect(isTold(`${before} ${text}${after}`)).toBe(true)
      expect(isTold(encodeURIComponent(text))).toBe(true)
      expect(isTold(JSON.stringify({ text }))).toBe(true)
    }),
  )
})

test("a placeholder is seen in base64, wherever in it and in whichever lines it stands", () => {
  const base64 = fc.tuple(fc.string(), fc.string()).map(([before, after]) => {
    const whole = Buffer.from(`${before}{{secret:KEY}}${after}`)
    return whole.toString("base64")
  })
  const lines = (text: string, length: number) => text.replace(new RegExp(`.{${length}}`, "g"), "$&\n")
  fc.assert(
    fc.property(base64, fc.integer({ min: 4, max: 76 }), (text, length) => {
      expect(isTold(text)).toBe(true)
      expect(isTold(text.replaceAll("+", "-").replaceAll("/", "_"))).toBe(true)
      expect(isTold(lines(text, length))).toBe(true)
      // As services of code and of mail answer with a file.
      expect(isTold(JSON.stringify({ content: lines(text, length) }))).toBe(true)
      expect(isTold(JSON.stringify({ content: lines(text, length).replaceAll("\n", "\r\n") }))).toBe(true)
    }),
  )
})

test("other words are only words", () => {
  for (const text of [
    "",
    "secret",
    "{{name}}",
    "a secret: KEY",
    "{{ key }}",
    "%",
    "\\u00",
    "&#",
    "&#x;",
    "%7",
    "&#125",
  ])
    expect(isTold(text)).toBe(false)
  expect(isTold("{{secret:KEY}}", [])).toBe(false)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString("latin1")
      fc.pre(!/secret/i.test(text))
      expect(isTold(bytes)).toBe(false)
    }),
  )
})

test("what was seen once stays seen", () => {
  const taint = openTaint(["KEY"])
  taint.see(Buffer.from("{{secret:KEY}}"))
  taint.see(Buffer.from("harmless"))
  expect(taint.isTainted()).toBe(true)
})
