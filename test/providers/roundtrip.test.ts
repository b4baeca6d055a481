import { expect, test } from "bun:test"
import type { Part } from "../../src/base/parts.ts"
import type { ModelMessage } from "../../src/providers/provider.ts"
import { ask, connect, openNamed, result, user, weather } from "./ask.ts"
import { saying, startRemote } from "./remote.ts"
import { type Wire, wires } from "./wires.ts"

const [anthropic, responses, _chat, google, compatible] = wires as [Wire, Wire, Wire, Wire, Wire]

/** Asks, answers the tool call, asks again, and returns what the second request carried. */
async function converse(wire: Wire, frames: string[], model = "m") {
  await using remote = startRemote(saying(...frames))
  const providers = await connect(wire, remote.url)
  const choice = { provider: "it", model }
  const { parts } = await ask(providers, { tools: [weather] }, choice)
  const calls = parts.flatMap((part) => (part.type === "tool_use" ? [part.id] : []))
  // What is stored is JSON.
  const stored = JSON.parse(JSON.stringify(parts)) as Part[]
  const messages: ModelMessage[] = [
    user("hello"),
    { role: "assistant", parts: stored, provider: "it" },
    ...calls.map((id) => result(id)),
  ]
  await ask(providers, { messages, tools: [weather] }, choice)
  return { parts, body: remote.requests[1]!.body }
}

const event = (value: { type: string } & Record<string, unknown>) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`

test("Anthropic gets its thoughts back, signed, each as its own block", async () => {
  const delta = (index: number, fields: object) =>
    event({ type: "content_block_delta", index, delta: fields })
  const block = (index: number, content_block: object, ...deltas: string[]) =>
    event({ type: "content_block_start", index, content_block }) +
    deltas.join("") +
    event({ type: "content_block_stop", index })
  const { parts, body } = await converse(anthropic, [
    anthropic.begin,
    block(
      0,
      { type: "thinking", thinking: "", signature: "" },
      delta(0, { type: "thinking_delta", thinking: "Bern, " }),
      delta(0, { type: "thinking_delta", thinking: "I think." }),
      delta(0, { type: "signature_delta", signature: "c2lnbmVk" }),
    ),
    block(1, { type: "redacted_thinking", data: "aGlkZGVu" }),
    block(
      2,
      { type: "tool_use", id: "toolu_1", name: "weather", input: {} },
      delta(2, { type: "input_json_delta", partial_json: '{"city":"Bern"}' }),
    ),
    anthropic.end("tool_use"),
  ])
  expect(parts.map(({ type }) => type)).toEqual(["reasoning", "reasoning", "tool_use"])
  expect(body.messages[1]).toEqual({
    role: "assistant",
    content: [
      { type: "thinking", thinking: "Bern, I think.", signature: "c2lnbmVk" },
      { type: "redacted_thinking", data: "aGlkZGVu" },
      { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Bern" } },
    ],
  })
  expect(body.messages[2]).toMatchObject({
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "sunny" }],
  })
})

test("Anthropic caches the system prompt and the conversation so far", async () => {
  const { body } = await converse(anthropic, [anthropic.begin, anthropic.text("Hi."), anthropic.end("end")])
  expect(body.system).toEqual([{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }])
  expect(JSON.stringify(body.messages.at(-1))).toContain('"cache_control":{"type":"ephemeral"}')
})

test("OpenAI's responses get their reasoning back, encrypted, and are not stored there", async () => {
  const reasoning = (encrypted_content: string | null) => ({
    type: "reasoning",
    id: "rs_1",
    summary: [],
    encrypted_content,
  })
  const { parts, body } = await converse(
    responses,
    [
      responses.begin,
      event({ type: "response.output_item.added", output_index: 0, item: reasoning(null) }),
      event({ type: "response.output_item.done", output_index: 0, item: reasoning("c2VjcmV0") }),
      responses.tool("call_1", "weather", ['{"city":"Bern"}']),
      responses.end("tool_use"),
    ],
    "gpt-5.4",
  )
  expect(parts.map(({ type }) => type)).toEqual(["reasoning", "tool_use"])
  expect(body).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] })
  expect(body.tools[0]).toMatchObject({ type: "function", name: "weather", strict: false })
  expect(body.input.slice(2)).toEqual([
    expect.objectContaining({ type: "reasoning", encrypted_content: "c2VjcmV0", summary: [] }),
    expect.objectContaining({
      type: "function_call",
      call_id: "call_1",
      name: "weather",
      arguments: '{"city":"Bern"}',
    }),
    { type: "function_call_output", call_id: "call_1", output: "sunny" },
  ])
})

test("Google gets its thought's signature back with the call that it led to", async () => {
  const parts_sent = [
    { text: "Bern, I think.", thought: true },
    { functionCall: { name: "weather", args: { city: "Bern" } }, thoughtSignature: "c2lnbmVk" },
  ]
  const frame = `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: parts_sent }, index: 0 }] })}\n\n`
  const { parts, body } = await converse(google, [frame, google.end("tool_use")], "gemini-3.5-flash")
  expect(parts.map(({ type }) => type)).toEqual(["reasoning", "tool_use"])
  expect(body.contents[1].role).toBe("model")
  expect(body.contents[1].parts.at(-1)).toEqual({
    functionCall: expect.objectContaining({ name: "weather", args: { city: "Bern" } }),
    thoughtSignature: "c2lnbmVk",
  })
  expect(body.contents[2].parts[0].functionResponse).toMatchObject({ name: "weather" })
  expect(JSON.stringify(body.contents[2])).toContain("sunny")
})

test.each([
  ["deepseek", "Bern, I think."],
  ["mistral", undefined],
  ["custom", undefined],
])("the compatible service %s gets back the reasoning %j", async (name, expected) => {
  const thought = compatible.text("").replace('"content":""', '"reasoning_content":"Bern, I think."')
  await using remote = startRemote(
    saying(thought, compatible.tool("call_1", "weather", ['{"city":"Bern"}']), compatible.end("tool_use")),
  )
  const providers = await openNamed(name, remote.url)
  const choice = { provider: name, model: "m" }
  const { parts } = await ask(providers, { tools: [weather] }, choice)
  expect(parts[0]).toEqual({ type: "reasoning", text: "Bern, I think." })
  const messages = [user("hello"), { role: "assistant" as const, parts, provider: name }, result("call_1")]
  await ask(providers, { messages, tools: [weather] }, choice)
  const { body } = remote.requests[1]!
  expect(body.messages.slice(2)).toEqual([
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } },
      ],
      ...(expected ? { reasoning_content: expected } : {}),
    },
    { role: "tool", tool_call_id: "call_1", content: "sunny" },
  ])
  expect(body.stream_options).toEqual(name === "mistral" ? undefined : { include_usage: true })
})
