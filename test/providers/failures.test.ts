import { expect, test } from "bun:test"
import { AppError } from "../../src/base/errors.ts"
import { connect, fail, key, weather } from "./ask.ts"
import { type Peer, startRemote } from "./remote.ts"
import { type Wire, wires } from "./wires.ts"

type Expected = { retryable: boolean; status?: number; retry_after_ms?: number }
type Case = { name: string; script(peer: Peer, wire: Wire): void; expected: Expected }

const json = { "content-type": "application/json" }
const told = JSON.stringify({ error: { message: `No, not with ${key}.`, type: "e", code: 0, status: "NO" } })
const refusing = (status: number, headers: Record<string, string>, expected: Partial<Expected>): Case => ({
  name: `HTTP ${status} ${JSON.stringify(headers)}`,
  script: (peer) => peer.reply(`${status} No`, { ...json, ...headers }, told),
  expected: { status, retryable: true, ...expected },
})

/** Frames that are cut off in some way after a first well-formed part. */
const begun = (name: string, then: (peer: Peer, wire: Wire) => void, retryable = true): Case => ({
  name,
  script(peer, wire) {
    peer.head()
    peer.chunk(wire.begin + wire.text("Half an ans"))
    then(peer, wire)
  },
  expected: { retryable },
})

const call = (wire: Wire, whole: boolean) =>
  wire.tool("call_1", "weather", wire.kind === "google" || whole ? ['{"city":"Bern"}'] : ['{"city"'], whole)

const cases: Case[] = [
  ...[400, 401, 403, 404, 413, 422].map((status) => refusing(status, {}, { retryable: false })),
  ...[408, 429, 500, 502, 503, 529].map((status) => refusing(status, {}, {})),
  refusing(429, { "retry-after": "7" }, { retry_after_ms: 7000 }),
  refusing(503, { "retry-after": "0.5" }, { retry_after_ms: 500 }),
  refusing(429, { "retry-after": "7", "retry-after-ms": "6400" }, { retry_after_ms: 6400 }),
  refusing(429, { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, { retry_after_ms: 0 }),
  {
    name: "a proxy's error page",
    script: (peer) =>
      peer.reply("502 Bad Gateway", { "content-type": "text/html" }, "<html><h1>502</h1></html>"),
    expected: { status: 502, retryable: true },
  },
  {
    name: "a web page that says 200",
    script: (peer) => peer.reply("200 OK", { "content-type": "text/html" }, "<html>Welcome</html>"),
    expected: { retryable: false },
  },
  {
    name: "a redirect",
    script: (peer) => peer.reply("307 Elsewhere", { location: "http://127.0.0.1:1/" }, ""),
    expected: { status: 307, retryable: false },
  },
  {
    name: "an answer that is no stream",
    script: (peer) => peer.reply("200 OK", json, '{"ok":true}'),
    expected: { retryable: true },
  },
  {
    name: "bytes that are nothing at all",
    script: (peer) =>
      peer.reply("200 OK", { "content-type": "text/event-stream" }, "\u0000\u0001\u0002 garbage \n\n data"),
    expected: { retryable: true },
  },
  {
    name: "an empty stream",
    script(peer) {
      peer.head()
      peer.end()
    },
    expected: { retryable: true },
  },
  {
    name: "a connection closed before the answer",
    script: (peer) => peer.close(),
    expected: { retryable: true },
  },
  {
    name: "a connection reset before the answer",
    script: (peer) => peer.reset(),
    expected: { retryable: true },
  },
  {
    name: "something that is not HTTP",
    script(peer) {
      peer.raw("220 smtp.example.com ESMTP\r\n")
      peer.close()
    },
    expected: { retryable: true },
  },
  {
    name: "an error as the first event",
    script(peer, wire) {
      peer.head()
      peer.chunk(wire.error)
      peer.end()
    },
    expected: { retryable: true },
  },
  begun("a stream that ends without its finish", (peer) => peer.end()),
  begun("a connection closed within a stream", (peer) => peer.close()),
  begun("a connection reset within a stream", (peer) => peer.reset()),
  begun("an event that is not JSON", (peer) => {
    peer.chunk('data: {"choices": [oops\n\n')
    peer.end()
  }),
  begun("an event of a strange shape", (peer) => {
    peer.chunk('data: {"choices": 7, "candidates": 7, "type": 7}\n\n')
    peer.end()
  }),
  begun("an error within a stream", (peer, wire) => {
    peer.chunk(wire.error)
    peer.end()
  }),
  begun("half a tool call and an end", (peer, wire) => {
    peer.chunk(call(wire, false))
    peer.end()
  }),
  begun("half a tool call and a closed connection", (peer, wire) => {
    peer.chunk(call(wire, false))
    peer.close()
  }),
  begun("a whole tool call and no finish", (peer, wire) => {
    peer.chunk(call(wire, true))
    peer.end()
  }),
  begun("a whole tool call and a reset", (peer, wire) => {
    peer.chunk(call(wire, true))
    peer.reset()
  }),
  begun(
    "a line without an end",
    (peer) => {
      const junk = Buffer.alloc(9 * 1024 * 1024, 97)
      peer.chunk(junk)
    },
    false,
  ),
]

test.each(
  wires.flatMap((wire) =>
    cases.map((each) => [wire.name, each.name, wire, each] as [string, string, Wire, Case]),
  ),
)("%s: %s is one provider_failed", async (_wire, _case, wire, { script, expected }) => {
  await using remote = startRemote((peer) => script(peer, wire))
  const { error, chunks } = await fail(await connect(wire, remote.url), { tools: [weather] })
  expect(error).toBeInstanceOf(AppError)
  const { code, data } = error as AppError
  const { reason, status, ...rest } = data
  const stated = status !== undefined && expected.status === undefined ? {} : { status }
  expect<unknown>({ code, ...rest, ...stated }).toEqual({
    code: "provider_failed",
    provider: "it",
    ...expected,
  })
  expect(reason).toBeString()
  expect(reason as string).not.toContain(key)
  expect(reason as string).not.toMatch(/[\n<]/)
  expect((reason as string).length).toBeLessThanOrEqual(301)
  expect(chunks.filter(({ type }) => type === "tool_use" || type === "done")).toEqual([])
})

test.each(wires.map((wire) => [wire.name, wire] as const))("%s: a refused connection", async (_, wire) => {
  const gone = startRemote(() => undefined)
  await gone[Symbol.asyncDispose]()
  const { error } = await fail(await connect(wire, gone.url))
  expect(error).toMatchObject({ code: "provider_failed", data: { provider: "it", retryable: true } })
})

test.each(wires.map((wire) => [wire.name, wire] as const))("%s: a broken compression", async (_, wire) => {
  await using remote = startRemote((peer) => {
    peer.head({ "content-encoding": "gzip" })
    peer.chunk("this is not gzip at all")
    peer.end()
  })
  const { error } = await fail(await connect(wire, remote.url))
  expect(error).toMatchObject({ code: "provider_failed", data: { provider: "it", retryable: true } })
})

test("a used-up quota is not worth another attempt", async () => {
  const body = JSON.stringify({
    error: { message: "You exceeded your quota.", type: "insufficient_quota", code: "insufficient_quota" },
  })
  await using remote = startRemote((peer) => peer.reply("429 Too Many Requests", json, body))
  const { error } = await fail(await connect(wires[1]!, remote.url))
  expect(error).toMatchObject({ data: { status: 429, retryable: false } })
})

test("Google says in the body how long to wait", async () => {
  const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "37s" }]
  const body = JSON.stringify({
    error: { code: 429, message: "Slow", status: "RESOURCE_EXHAUSTED", details },
  })
  await using remote = startRemote((peer) => peer.reply("429 Too Many Requests", json, body))
  const { error } = await fail(await connect(wires[3]!, remote.url))
  expect(error).toMatchObject({ data: { status: 429, retryable: true, retry_after_ms: 37_000 } })
})
