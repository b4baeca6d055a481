import { expect, test } from "bun:test"
import fc from "fast-check"
import { found_metadata, type Part } from "../../src/base/parts.ts"
import { offline } from "../../src/providers/offline.ts"
import { addChunk, type ModelMessage } from "../../src/providers/provider.ts"
import { request, user } from "./ask.ts"

async function answer(messages: ModelMessage[]) {
  const parts: Part[] = []
  const chunks = await Array.fromAsync(offline.open({ name: "offline" })(request({ messages })))
  for (const chunk of chunks) addChunk(parts, chunk)
  return { chunks, parts, text: parts.map((part) => (part.type === "text" ? part.text : "")).join("") }
}

test("it says that it is no model, how to get one, and what it was told", async () => {
  const { text, chunks } = await answer([user("good morning")])
  expect(text).toContain("No model is configured")
  expect(text).toContain("ANTHROPIC_API_KEY")
  expect(text).toContain("config.toml")
  expect(text).toContain('"good morning"')
  expect(chunks.at(-1)).toMatchObject({ type: "done", stop_reason: "end", usage: { cached_tokens: 0 } })
})

test("it remembers what was said before", async () => {
  const said: ModelMessage = { role: "assistant", parts: [{ type: "text", text: "…" }], provider: "offline" }
  const { text } = await answer([user("I am Ada"), said, user("who am I?")])
  expect(text).toContain('You said: "who am I?"')
  expect(text).toContain('"I am Ada"')
})

test("what the memory found is told apart from what the user said, and does not hide a call", async () => {
  const text = "<memory>\nFor reference.\nKnown facts:\n- user's name: Ada\n</memory>\n"
  const found: Part = { type: "text", text, metadata: found_metadata }
  const asking = (said: string): ModelMessage => ({
    role: "user",
    parts: [found, { type: "text", text: said }],
  })
  const told = (await answer([asking("who am I?")])).text
  expect(told).toContain('You said: "who am I?"')
  expect(told).toContain("a model would be told:\nKnown facts:\n- user's name: Ada\n\n")
  expect((await answer([asking("/tool current_time")])).parts).toMatchObject([{ type: "tool_use" }])
})

test("it streams word by word, the same words every time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
      const [first, second] = [await answer([user(text)]), await answer([user(text)])]
      expect(first).toEqual(second)
      const words = first.chunks.filter(({ type }) => type === "text")
      expect(words.length).toBeGreaterThan(10)
    }),
    { numRuns: 20 },
  )
})

test.each([
  ["/tool current_time", {}],
  ['/tool current_time {"zone":"UTC"}', { zone: "UTC" }],
  ["/tool current_time not json", "not json"],
])("%s calls the tool", async (text, input) => {
  const { parts, chunks } = await answer([user(text)])
  expect(parts).toEqual([{ type: "tool_use", id: "offline_1", name: "current_time", input }])
  expect(chunks.at(-1)).toMatchObject({ stop_reason: "tool_use" })
})

test("it tells what the tool answered", async () => {
  const result = (content: string, is_error: boolean): Part => ({
    type: "tool_result",
    id: "offline_1",
    name: "clock",
    content,
    is_error,
  })
  const tool = (part: Part): ModelMessage => ({ role: "tool", parts: [part] })
  expect((await answer([user("/tool clock"), tool(result("noon", false))])).text).toBe("clock answered: noon")
  expect((await answer([user("/tool clock"), tool(result("no clock", true))])).text).toBe(
    "clock failed: no clock",
  )
})

test("an abort ends it between two words", async () => {
  const controller = new AbortController()
  const stream = offline.open({ name: "offline" })(request({ signal: controller.signal }))
  await stream.next()
  controller.abort("enough")
  await expect(stream.next()).rejects.toBe("enough")
})
