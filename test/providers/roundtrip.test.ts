import { expect, test } from "bun:test"
import type { Part } from "../../src/base/parts.ts"
import type { ModelMessage } from "../../src/providers/provider.ts"
import { ask, connect, user, weather } from "./ask.ts"
import { type Script, startRemote } from "./remote.ts"
import { type Wire, wires } from "./wires.ts"

const [anthropic, responses, chat, google, compatible] = wires as [Wire, Wire, Wire, Wire, Wire]

/** Answers every request with the same frames. */
const saying =
  (...frames: string[]): Script =>
  (peer) => {
    peer.head()
    for (const frame of frames) if (frame) peer.chunk(frame)
    peer.end()
  }

const result = (id: string, name = "weather", content = "sunny", is_error = false): ModelMessage => ({
  role: "tool",
  parts: [{ type: "tool_result", id, name, content, is_error }],
})

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
  const { openProviders } = await import("../../src/providers/providers.ts")
  const { declarations, key } = await import("./ask.ts")
  const config = { base_url: remote.url, api_key: key, headers: {}, timeout_ms: 5000, idle_timeout_ms: 5000 }
  const providers = await openProviders({
    providers: { [name]: config },
    findKey: () => undefined,
    declarations,
  })
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

/** What a wire makes of a conversation that no wire should see as it is. */
async function bodyOf(wire: Wire, messages: ModelMessage[]) {
  await using remote = startRemote(saying(wire.begin, wire.text("Hi."), wire.end("end")))
  await ask(await connect(wire, remote.url), { messages })
  return remote.requests[0]!.body
}

const each = wires.map((wire) => [wire.name, wire] as const)

test.each(each)("%s: another provider's reasoning and metadata stay away", async (_, wire) => {
  const signed = {
    anthropic: { signature: "FOREIGN" },
    openai: { itemId: "FOREIGN" },
    google: { thoughtSignature: "FOREIGN" },
  }
  const parts: Part[] = [
    { type: "reasoning", text: "FOREIGN thoughts", metadata: signed },
    { type: "text", text: "Said before.", metadata: signed },
    { type: "tool_use", id: "call_1", name: "weather", input: { city: "Bern" }, metadata: signed },
  ]
  const body = await bodyOf(wire, [
    user("hello"),
    { role: "assistant", parts, provider: "other" },
    result("call_1"),
    user("and now?"),
  ])
  expect(JSON.stringify(body)).toContain("Said before.")
  expect(JSON.stringify(body)).toContain("sunny")
  expect(JSON.stringify(body)).not.toContain("FOREIGN")
})

test.each(each)("%s: calls without results and results without calls are left out", async (_, wire) => {
  const tool_use = (id: string): Part => ({ type: "tool_use", id, name: "weather", input: { city: id } })
  const body = await bodyOf(wire, [
    result("LOST_0"),
    user("hello"),
    {
      role: "assistant",
      parts: [{ type: "text", text: "Hm." }, tool_use("LOST_1"), tool_use("kept_1")],
      provider: "it",
    },
    result("kept_1"),
    result("LOST_2", "weather", "LOST"),
    user("go on"),
    { role: "assistant", parts: [tool_use("LOST_3")], provider: "it" },
    user("still there?"),
  ])
  expect(JSON.stringify(body)).not.toContain("LOST")
  expect(JSON.stringify(body)).toContain('"kept_1"')
})

test.each(each)(
  "%s: input that was no JSON goes back as an object, with the error it got",
  async (_, wire) => {
    const body = await bodyOf(wire, [
      user("hello"),
      {
        role: "assistant",
        parts: [{ type: "tool_use", id: "call_1", name: "weather", input: "{city: Bern}" }],
        provider: "it",
      },
      result("call_1", "weather", "The input is not JSON.", true),
    ])
    expect(JSON.stringify(body).replaceAll("\\", "")).toContain('{"invalid_json":"{city: Bern}"}')
    expect(JSON.stringify(body)).toContain("The input is not JSON.")
  },
)

test.each(each)("%s: roles alternate and nothing is empty", async (_, wire) => {
  const said = (text: string): ModelMessage => ({
    role: "assistant",
    parts: [{ type: "text", text }],
    provider: "it",
  })
  const body = await bodyOf(wire, [
    user("one"),
    user("two"),
    said("three"),
    said("four"),
    { role: "assistant", parts: [{ type: "reasoning", text: "unfinished" }], provider: "it" },
    user("  "),
    user("five"),
  ])
  const turns: { role?: string }[] = body.messages ?? body.contents ?? body.input
  const roles = turns.map(({ role }) => role).filter((role) => role && !/system|developer/.test(role))
  const alternating = roles.every((role, index) => index === 0 || role !== roles[index - 1])
  // The responses API has an item a part, so that merged parts are two items of one role there.
  expect(alternating || wire.name === "openai responses").toBe(true)
  expect(JSON.stringify(body)).not.toMatch(/unfinished|"text":"\s*"/)
})

const png: Part = { type: "image", file_id: "f1", mime: "image/png" }
const base64 = Buffer.from([137, 80, 78, 71]).toString("base64")

test.each([
  [
    "anthropic",
    anthropic,
    { type: "image", source: { type: "base64", media_type: "image/png", data: base64 } },
  ],
  ["openai responses", responses, { type: "input_image", image_url: `data:image/png;base64,${base64}` }],
  ["openai chat", chat, { type: "image_url", image_url: { url: `data:image/png;base64,${base64}` } }],
  ["google", google, { inlineData: { mimeType: "image/png", data: base64 } }],
  [
    "openai-compatible",
    compatible,
    { type: "image_url", image_url: { url: `data:image/png;base64,${base64}` } },
  ],
] as const)("%s: an image goes inline", async (_, wire, expected) => {
  const body = await bodyOf(wire, [{ role: "user", parts: [{ type: "text", text: "What is it?" }, png] }])
  const [turn] = (body.messages ?? body.contents ?? body.input).slice(-1)
  expect((turn.content ?? turn.parts)[1]).toMatchObject(expected)
})

test.each(each)("%s: text files go as text, others as a note", async (_, wire) => {
  const body = await bodyOf(wire, [
    {
      role: "user",
      parts: [
        { type: "file", file_id: "f2", mime: "text/markdown", name: "notes.md" },
        { type: "file", file_id: "f3", mime: "application/zip", name: "all.zip" },
      ],
    },
  ])
  expect(JSON.stringify(body)).toContain("notes.md")
  expect(JSON.stringify(body)).toContain("[An attachment that you cannot see: all.zip (application/zip)]")
})
