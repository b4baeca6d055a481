import { expect, test } from "bun:test"
import { LLMock } from "@copilotkit/aimock"
import type { ModelMessage } from "../../src/providers/provider.ts"
import { type Answer, ask, connect, fail, user, weather } from "./ask.ts"
import { type Wire, wires } from "./wires.ts"

/** A public imitation of the five APIs: it knows their dialects better than our own frames do. */
async function startMock() {
  const mock = new LLMock({ port: 0, chunkSize: 4 })
  mock.on({ userMessage: "hello", hasToolResult: false }, { content: "Hello there, friend." })
  mock.on({ userMessage: "think" }, { content: "It is 42.", reasoning: "Six times seven." })
  mock.on(
    { userMessage: "weather", hasToolResult: false },
    { toolCalls: [{ name: "weather", arguments: '{"city":"Bern"}' }] },
  )
  mock.on({ userMessage: "weather", hasToolResult: true }, { content: "It is sunny in Bern." })
  mock.on(
    { userMessage: "busy" },
    { error: { message: "Slow down", type: "rate_limit_error" }, status: 429, retryAfter: 3 },
  )
  await mock.start()
  return Object.assign(mock, { [Symbol.asyncDispose]: () => mock.stop() })
}

const each = wires.map((wire) => [wire.name, wire] as const)

const textOf = ({ parts }: Answer) => parts.map((part) => (part.type === "text" ? part.text : "")).join("")

const asked = (wire: Wire, text: string) => ({
  messages: [user(text)],
  tools: [weather],
  model: modelOf(wire),
})
const modelOf = ({ kind }: Wire) =>
  ({ anthropic: "claude-sonnet-5", google: "gemini-3.5-flash" })[kind as string] ?? "gpt-5.4"

test.each(each)("aimock, %s: text comes in several chunks, with its usage", async (_, wire) => {
  await using mock = await startMock()
  const answer = await ask(await connect(wire, mock.url), asked(wire, "hello"))
  expect(textOf(answer)).toBe("Hello there, friend.")
  expect(answer.chunks.filter(({ type }) => type === "text").length).toBeGreaterThan(3)
  expect(answer.done).toMatchObject({ type: "done", stop_reason: "end" })
})

const thinking = each.filter(([, { api }]) => api !== "chat")

test.each(thinking)("aimock, %s: reasoning is told apart from the answer", async (_, wire) => {
  await using mock = await startMock()
  const answer = await ask(await connect(wire, mock.url), asked(wire, "think"))
  expect(textOf(answer)).toBe("It is 42.")
  expect(answer.parts[0]).toMatchObject({ type: "reasoning", text: "Six times seven." })
})

test.each(each)("aimock, %s: a tool is called, answered and told of", async (_, wire) => {
  await using mock = await startMock()
  const providers = await connect(wire, mock.url)
  const first = await ask(providers, asked(wire, "weather"))
  expect(first.done).toMatchObject({ stop_reason: "tool_use" })
  const call = first.parts.find((part) => part.type === "tool_use")!
  expect(call).toMatchObject({ name: "weather", input: { city: "Bern" } })
  const messages: ModelMessage[] = [
    user("weather"),
    { role: "assistant", parts: first.parts, provider: "it" },
    {
      role: "tool",
      parts: [{ type: "tool_result", id: call.id, name: "weather", content: "sunny", is_error: false }],
    },
  ]
  const second = await ask(providers, { ...asked(wire, ""), messages })
  expect(textOf(second)).toBe("It is sunny in Bern.")
})

test.each(each)("aimock, %s: a rate limit says how long it lasts", async (_, wire) => {
  await using mock = await startMock()
  const { error } = await fail(await connect(wire, mock.url), asked(wire, "busy"))
  expect(error).toMatchObject({
    code: "provider_failed",
    data: { status: 429, retryable: true, retry_after_ms: 3000 },
  })
})

const chaos = ["dropRate", "malformedRate", "disconnectRate"] as const

test.each(wires.flatMap((wire) => chaos.map((kind) => [wire.name, kind, wire] as const)))(
  "aimock, %s: chaos of the kind %s is one provider_failed",
  async (_, kind, wire) => {
    await using mock = await startMock()
    mock.setChaos({ [kind]: 1 })
    const { error } = await fail(await connect(wire, mock.url), asked(wire, "hello"))
    expect(error).toMatchObject({ code: "provider_failed", data: { provider: "it", retryable: true } })
  },
)
