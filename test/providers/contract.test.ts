import { expect, test } from "bun:test"
import { ask, connect, weather } from "./ask.ts"
import { saying, startRemote } from "./remote.ts"
import { type Wire, wires } from "./wires.ts"

const each = wires.map((wire) => [wire.name, wire] as const)
const usage = { input_tokens: 12, output_tokens: 7, cached_tokens: 4 }

const textsOf = (answer: Awaited<ReturnType<typeof ask>>) =>
  answer.parts.map((part) => (part.type === "text" ? part.text : part.type))

test.each(each)("%s: words are streamed in order and end with their usage", async (_, wire) => {
  await using remote = startRemote(
    saying(wire.begin, wire.text("Hello "), wire.text("you."), wire.end("end")),
  )
  const answer = await ask(await connect(wire, remote.url))
  expect(answer.parts.map((part) => (part.type === "text" ? part.text : "")).join("")).toBe("Hello you.")
  expect(answer.done).toEqual({ type: "done", stop_reason: "end", usage })
})

test.each(each)("%s: an answer that comes byte by byte is the same answer", async (_, wire) => {
  const bytes = Buffer.from(wire.begin + wire.text("Grüße, 世界 🌍") + wire.end("end"))
  await using remote = startRemote((peer) => {
    peer.head()
    for (const byte of bytes) peer.chunk(new Uint8Array([byte]))
    peer.end()
  })
  expect(textsOf(await ask(await connect(wire, remote.url)))).toEqual(["Grüße, 世界 🌍"])
})

test.each(each)("%s: a compressed answer is read", async (_, wire) => {
  const body = Bun.gzipSync(Buffer.from(wire.begin + wire.text("Hello") + wire.end("end")))
  await using remote = startRemote((peer) => {
    peer.head({ "content-encoding": "gzip" })
    peer.chunk(body)
    peer.end()
  })
  expect(textsOf(await ask(await connect(wire, remote.url)))).toEqual(["Hello"])
})

test.each(each)("%s: a tool call comes whole, with its input parsed", async (_, wire) => {
  const call = wire.tool("call_1", "weather", ['{"city"', ':"Bern"}'])
  await using remote = startRemote(saying(wire.begin, wire.text("Let me see."), call, wire.end("tool_use")))
  const answer = await ask(await connect(wire, remote.url), { tools: [weather] })
  expect(answer.chunks.filter((chunk) => chunk.type === "tool_use")).toEqual([
    expect.objectContaining({ type: "tool_use", name: "weather", input: { city: "Bern" } }),
  ])
  expect(answer.done).toEqual({ type: "done", stop_reason: "tool_use", usage })
})

const without = (name: string) => each.filter(([, wire]) => wire.kind !== name)

test.each(without("google"))("%s: a tool call without arguments has an empty input", async (_, wire) => {
  await using remote = startRemote(saying(wire.begin, wire.tool("call_1", "now", [""]), wire.end("tool_use")))
  const { parts } = await ask(await connect(wire, remote.url), { tools: [{ ...weather, name: "now" }] })
  expect(parts).toEqual([expect.objectContaining({ type: "tool_use", id: "call_1", name: "now", input: {} })])
})

test.each(without("google"))("%s: input that is not JSON is handed on as its text", async (_, wire) => {
  const call = wire.tool("call_1", "weather", ["{city: Bern}"])
  await using remote = startRemote(saying(wire.begin, call, wire.end("tool_use")))
  const { parts } = await ask(await connect(wire, remote.url), { tools: [weather] })
  expect(parts).toEqual([expect.objectContaining({ type: "tool_use", input: "{city: Bern}" })])
})

test.each(without("google"))("%s: a call cut off by the token limit never was one", async (_, wire) => {
  const call = wire.tool("call_1", "weather", ['{"city"'])
  await using remote = startRemote(saying(wire.begin, wire.text("Hm."), call, wire.end("length")))
  const answer = await ask(await connect(wire, remote.url), { tools: [weather] })
  expect(textsOf(answer)).toEqual(["Hm."])
  expect(answer.done).toMatchObject({ type: "done", stop_reason: "length" })
})

test.each(
  wires.flatMap((wire) =>
    (["length", "refused"] as const).map((reason) => [wire.name, reason, wire] as const),
  ),
)("%s: an answer may end for the reason %s", async (_, reason, wire) => {
  await using remote = startRemote(saying(wire.begin, wire.text("Well"), wire.end(reason)))
  expect((await ask(await connect(wire, remote.url))).done).toMatchObject({
    type: "done",
    stop_reason: reason,
  })
})

test.each(each)("%s: the same connection serves the next request", async (_, wire) => {
  const connections = new Set<Promise<void>>()
  let ended: Promise<void> = Promise.resolve()
  await using remote = startRemote((peer) => {
    connections.add(peer.gone)
    peer.head()
    peer.chunk(wire.begin + wire.text("Hello") + wire.end("end"))
    // The end of the stream comes after the end of the answer, as it does on a real network.
    const { promise, resolve } = Promise.withResolvers<void>()
    ended = promise
    setTimeout(() => {
      peer.end()
      setTimeout(resolve, 5)
    }, 5)
  })
  const providers = await connect(wire, remote.url)
  for (let i = 0; i < 3; i++) {
    await ask(providers)
    await ended
  }
  expect({ requests: remote.requests.length, connections: connections.size }).toEqual({
    requests: 3,
    connections: 1,
  })
})

test.each(each)(
  "%s: the request carries the model, the limit, the tools and the key",
  async (_, wire: Wire) => {
    await using remote = startRemote(saying(wire.begin, wire.text("Hello"), wire.end("end")))
    await ask(await connect(wire, remote.url, { headers: { "x-extra": "yes" } }), { tools: [weather] })
    const { body, headers, path } = remote.requests[0]!
    expect(JSON.stringify(body)).toContain('"city"')
    expect(JSON.stringify(body)).toContain("100")
    expect(JSON.stringify([body.model, path])).toMatch(/"m"|models\/m:/)
    expect(JSON.stringify(headers)).toContain("sk-secret-0123456789")
    expect(headers["x-extra"]).toBe("yes")
  },
)
