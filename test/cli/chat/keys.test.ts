import { expect, test } from "bun:test"
import fc from "fast-check"
import { openKeys, toLines } from "../../../src/cli/chat/keys.ts"

/** What the line editor gets when these chunks are typed. */
function passed(chunks: (string | Buffer)[]): string {
  let written = ""
  const keys = openKeys((text) => {
    written += text
  })
  for (const chunk of chunks) keys.feed(Buffer.from(chunk as string))
  return written
}

test.each([
  ["plain text and Enter", "hi\r", "hi\r"],
  ["Alt-Enter", "a\u001b\rb\r", "a⏎b\r"],
  ["Shift-Enter of terminals that tell", "a\u001b[13;2ub", "a⏎b"],
  ["arrows", "\u001b[A\u001b[D", "\u001b[A\u001b[D"],
  ["a paste of lines", "\u001b[200~a\r\nb\nc\rd\te\u001b[201~!\r", "a⏎b⏎c⏎d  e!\r"],
  ["a paste that would press keys", "\u001b[200~a\u0003\u001b[A\u001b[201~", "a␃␛[A"],
])("%s becomes what the line editor understands", (_name, typed, expected) => {
  expect(passed([typed])).toBe(expected)
})

test("a paste may arrive in any pieces", () => {
  const typed = Buffer.from("x\u001b[200~日本\r\n語\nend\r\n\u001b[201~y\r")
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: typed.length, maxLength: typed.length })
  fc.assert(
    fc.property(sizes, (sizes) => {
      // The keys that begin and end a paste come whole from a terminal; what is between may be cut anywhere.
      const chunks = [typed.subarray(0, 7)]
      for (let at = 7; at < typed.length; ) {
        const size = sizes.pop() ?? 1
        chunks.push(typed.subarray(at, at + size))
        at += size
      }
      expect(passed(chunks)).toBe("x日本⏎語⏎end⏎y\r")
    }),
  )
})

test("what is typed while something runs waits, and only Ctrl-C is heard", () => {
  let written = ""
  const keys = openKeys((text) => {
    written += text
  })
  let interrupts = 0
  keys.hold(() => interrupts++)
  keys.feed(Buffer.from("ab\u0003c"))
  expect([interrupts, written]).toEqual([1, ""])
  keys.release()
  expect(written).toBe("abc")
})

test("the mark for a line end is one again in the message", () => {
  expect(toLines("a⏎b")).toBe("a\nb")
})

test("while something is asked, only what is typed from then on goes there", () => {
  let written = ""
  const keys = openKeys((text) => {
    written += text
  })
  const answers: string[] = []
  let interrupts = 0
  keys.hold(() => interrupts++)
  keys.feed(Buffer.from("before"))
  keys.question((text) => answers.push(text))
  keys.feed(Buffer.from("y\u0003z"))
  keys.question(undefined)
  keys.feed(Buffer.from(" after"))
  expect([answers.join(""), interrupts, written]).toEqual(["yz", 1, ""])
  keys.release()
  expect(written).toBe("before after")
})
