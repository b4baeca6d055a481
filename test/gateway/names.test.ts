/** Whatever somebody calls a conversation or sends along, it comes back as it was and nobody else's. */
import { afterAll, expect, test } from "bun:test"
import fc from "fast-check"
import { startGateway, startModel } from "../harness.ts"
import { ask, call } from "./client.ts"

const model = startModel(() => ["fine"])
const gateway = await startGateway({ model })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

type Page = { messages: { parts: unknown; metadata?: unknown }[] }

test("every peer has a session of its own, which its key leads back to", async () => {
  const hostile = fc.constantFrom(
    ":",
    "%",
    "%3A",
    "%253A",
    "a:b",
    "a%3Ab",
    "\0",
    "a\0b",
    "..",
    "__proto__",
    "' OR 1=1",
    "é",
    "e\u0301",
  )
  const peer = fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), hostile)
  const keys = new Map<string, string>()
  await fc.assert(
    fc.asyncProperty(peer, async (peer) => {
      const { session_key } = await ask<{ session_key: string }>(gateway, "chat.send", { content: "x", peer })
      expect(keys.get(session_key) ?? peer).toBe(peer)
      keys.set(session_key, peer)
      expect(await ask(gateway, "session.get", { session_key })).toMatchObject({
        session_key,
        peer,
        agent: "default",
      })
    }),
    { numRuns: 60 },
  )
})

test.each(["\ud800", "a\udfff", "\udc00\ud800"])(
  "%p is no name, since two such would become the same",
  async (peer) => {
    expect(await call(gateway, "chat.send", { content: "x", peer })).toMatchObject({
      error: { data: { code: "invalid_params", path: "/peer" } },
    })
  },
)

test("metadata and content come back as they were sent", async () => {
  let peers = 0
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
      fc.string({ minLength: 1 }),
      async (metadata, content) => {
        const sent = JSON.parse(JSON.stringify(metadata)) as object
        const { session_key } = await ask<{ session_key: string }>(gateway, "chat.send", {
          content,
          metadata: sent,
          peer: `metadata ${peers++}`,
        })
        const { messages } = await ask<Page>(gateway, "chat.history", { session_key })
        expect(JSON.stringify(messages[0]!.metadata)).toBe(JSON.stringify(sent))
        expect(messages[0]!.parts).toEqual([{ type: "text", text: content }])
      },
    ),
    { numRuns: 40 },
  )
})

test("a key named __proto__ stays a key", async () => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"chat.send","params":{"content":"x","peer":"proto","metadata":{"__proto__":{"admin":true}}}}`
  const response = await fetch(`${gateway.url}/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}` },
    body,
  })
  const { result } = (await response.json()) as { result: { session_key: string } }
  const { messages } = await ask<Page>(gateway, "chat.history", { session_key: result.session_key })
  expect(JSON.stringify(messages[0]!.metadata)).toBe('{"__proto__":{"admin":true}}')
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
})
