import { afterAll, expect, test } from "bun:test"
import { install } from "./installed.ts"

const installed = await install("mock-channel", [])
afterAll(() => installed[Symbol.asyncDispose]())
const adapter = installed.plugins.adapter("mock-channel")!

const { signal } = new AbortController()
const parse = (payload: unknown) => adapter.parseIncoming(Buffer.from(JSON.stringify(payload)), signal)

test("it is the adapter of the channel mock", () => {
  expect(adapter.channel).toBe("mock")
})

test.each([
  [
    { text: "hello", from: "ann" },
    {
      type: "message",
      parts: [{ type: "text", text: "hello" }],
      account: "webhook",
      peer: "ann",
      reply: { chat: "ann" },
    },
  ],
  [
    { text: "hi", from: "ann", chat: "c1", account: "bot", guild: "g", team: "t", reply_url: "http://h/r" },
    { account: "bot", peer: "c1", guild: "g", team: "t", reply: { chat: "c1", url: "http://h/r" } },
  ],
  [{ image: "aGk=", from: "ann" }, { parts: [{ type: "image", bytes: new Uint8Array([104, 105]) }] }],
  [{ challenge: "3eZb" }, { type: "respond", status: 200, body: new Uint8Array([51, 101, 90, 98]) }],
  [{ text: "I am a bot", bot: true }, { type: "ignore" }],
  [{ event: "joined", from: "ann" }, { type: "ignore" }],
])("%j is taken as what it is", async (payload, expected) => {
  expect(await parse(payload)).toMatchObject(expected as object)
})

test.each(["", "no JSON", "[]", "\xff\xfe"])("%j is refused", async (payload) => {
  await expect(adapter.parseIncoming(Buffer.from(payload, "latin1"), signal)).rejects.toThrow(
    "no JSON object",
  )
})

test("an answer goes into the reply, or to the URL that the message named", async () => {
  const reply = { chat: "c1" }
  const said = await adapter.formatOutgoing({ content: 'say "hi"', reply }, signal)
  expect(said).toEqual({
    type: "bytes",
    bytes: new Uint8Array(Buffer.from('{"chat":"c1","text":"say \\"hi\\""}')),
  })
  const url = "https://example.com/reply"
  expect(await adapter.formatOutgoing({ content: "hi", reply: { chat: "c1", url } }, signal)).toEqual({
    type: "request",
    url,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"chat":"c1","text":"hi"}',
  })
})
