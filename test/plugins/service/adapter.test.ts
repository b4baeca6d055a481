/** What adapters may return, held to its form: whoever wrote them is not trusted. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import { PluginFailed } from "../../../src/plugins/module.ts"
import { openAdapter } from "../../../src/plugins/service/adapter.ts"

const signal = new AbortController().signal
const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))

/** An adapter that returns this, whatever it is asked. */
function returning(output: unknown) {
  const asked: string[] = []
  const about = { plugin: "mock", channel: "mock", capabilities: [] }
  const adapter = openAdapter(about, async (name, input) => {
    asked.push(`${name} ${new TextDecoder().decode(input)}`)
    return output instanceof Uint8Array ? output : bytes(output)
  })
  return {
    asked,
    parse: () => adapter.parseIncoming(bytes("payload"), signal),
    format: (reply?: unknown) => adapter.formatOutgoing({ content: "hello", reply }, signal),
  }
}

const text = (content: string) => [{ type: "text" as const, text: content }]

test.each([
  [{ content: "hi" }, { parts: text("hi"), account: "webhook", peer: "main" }],
  [{ content: "a\ud800" }, { parts: text("a\ufffd"), account: "webhook", peer: "main" }],
  [
    { content: "", peer: "p", team: "t" },
    { parts: text(""), account: "webhook", peer: "p", team: "t" },
  ],
  [
    { content: "hi", account: "a", guild: "g", reply: { to: 1 }, extra: true },
    { parts: text("hi"), account: "a", peer: "main", guild: "g", reply: { to: 1 } },
  ],
  [
    {
      content: [
        { type: "text", text: "a\ud800" },
        { type: "image", mime: "image/png", data: "AAEC" },
      ],
    },
    {
      parts: [...text("a\ufffd"), { type: "image", bytes: new Uint8Array([0, 1, 2]) }],
      account: "webhook",
      peer: "main",
    },
  ],
])("%j is a message", async (output, message) => {
  const { asked, parse } = returning(JSON.stringify(output))
  expect(await parse()).toEqual({ type: "message", ...message } as never)
  expect(asked).toEqual(["parse_incoming payload"])
})

test("an event for nobody is ignored, and a challenge is answered", async () => {
  expect(await returning({ ignore: true }).parse()).toEqual({ type: "ignore" })
  expect(await returning({ respond: { body: "abc" } }).parse()).toEqual({
    ...{ type: "respond", status: 200, content_type: "text/plain; charset=utf-8" },
    body: bytes("abc"),
  })
  const respond = { status: 202, content_type: "application/json", body: { challenge: "x" } }
  expect(await returning({ respond }).parse()).toMatchObject({ status: 202, body: bytes(respond.body) })
})

test.each([
  ["no JSON", "hello"],
  ["half a character", Buffer.from('{"content":"\xc3"}', "latin1")],
  ["a list", []],
  ["nothing", "null"],
  ["no content", { peer: "p" }],
  ["a number for content", { content: 1 }],
  ["a peer without a name", { content: "a", peer: "" }],
  ["a peer with too long a name", { content: "a", peer: "p".repeat(257) }],
  ["a part that is none", { content: [{ type: "file", text: "x" }] }],
  ["an image that is no base64", { content: [{ type: "image", data: "!" }] }],
  ["too many parts", { content: Array(65).fill({ type: "text", text: "" }) }],
  ["a page", { respond: { content_type: "text/html", body: "<script>" } }],
  ["a header of its own", { respond: { content_type: "text/plain\r\nset-cookie: a=b", body: "" } }],
  ["a status that is none", { respond: { status: 99, body: "" } }],
  ["a redirect to nowhere", { respond: { status: 500, body: "" } }],
  ["what nests too deeply", `{"content":"a","reply":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
])("%s is refused", async (_, output) => {
  await expect(returning(output).parse()).rejects.toBeInstanceOf(PluginFailed)
})

test.each([
  ["bytes", "plain text", { type: "bytes" }],
  ["JSON without a url", { text: "hi" }, { type: "bytes" }],
  [
    "a url",
    { url: "https://a.example" },
    {
      type: "request",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"text":"hello"}',
    },
  ],
  [
    "a body that is an object",
    {
      url: "https://a.example",
      headers: { "Content-Type": "application/x", Authorization: "{{secret:T}}" },
      body: { a: 1 },
    },
    { headers: { "Content-Type": "application/x", Authorization: "{{secret:T}}" }, body: '{"a":1}' },
  ],
  [
    "a body that is text",
    { url: "https://a.example", method: "PUT", body: "x" },
    { method: "PUT", body: "x", headers: {} },
  ],
])("%s is what is sent", async (_, output, formatted) => {
  const { asked, format } = returning(output)
  expect(await format({ to: 1 })).toMatchObject(formatted as never)
  expect(asked).toEqual(['format_outgoing {"content":"hello","reply":{"to":1}}'])
})

test.each([
  [{ url: 1 }],
  [{ url: "" }],
  [{ url: "https://a.example", method: "CONNECT" }],
  [{ url: "https://a.example", headers: { a: 1 } }],
])("a request %j is refused", async (output) => {
  await expect(returning(output).format()).rejects.toBeInstanceOf(PluginFailed)
})

test("whatever an adapter returns is a message or a failure of the plugin, and nothing else", async () => {
  const keys = ["content", "respond", "ignore", "url", "headers", "body", "peer", "type", "data", "__proto__"]
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.jsonValue(),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys), tie("any"), { maxKeys: 5 }),
    ),
  })).any
  await fc.assert(
    fc.asyncProperty(fc.oneof(value, fc.uint8Array()), async (output) => {
      const { parse, format } = returning(output instanceof Uint8Array ? output : JSON.stringify(output))
      for (const made of [parse, format]) {
        const thrown = await made().then(
          () => undefined,
          (error: unknown) => error,
        )
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(PluginFailed)
      }
    }),
    { numRuns: 500 },
  )
})
