import { expect, test } from "bun:test"
import type { Part } from "../../src/base/parts.ts"
import type { ModelMessage } from "../../src/providers/provider.ts"
import { ask, connect, openNamed, result, user } from "./ask.ts"
import { saying, startRemote } from "./remote.ts"
import { type Wire, wires } from "./wires.ts"

const [anthropic, responses, chat, google, compatible] = wires as [Wire, Wire, Wire, Wire, Wire]

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

test("a service that needs reasoning before a call gets a word in place of another's", async () => {
  await using remote = startRemote(saying(compatible.text("Hi."), compatible.end("end")))
  const providers = await openNamed("deepseek", remote.url)
  const messages: ModelMessage[] = [
    user("hello"),
    {
      role: "assistant",
      parts: [{ type: "tool_use", id: "call_1", name: "weather", input: { city: "Bern" } }],
      provider: "other",
    },
    result("call_1"),
  ]
  await ask(providers, { messages }, { provider: "deepseek", model: "m" })
  expect(remote.requests[0]!.body.messages[2]).toMatchObject({ reasoning_content: "(not kept)" })
})

test("a model that is known to be blind is told of images instead of shown them", async () => {
  await using remote = startRemote(saying(compatible.text("Hi."), compatible.end("end")))
  const providers = await openNamed("deepseek", remote.url)
  for (const model of ["deepseek-v4-flash", "unknown"]) {
    await ask(providers, { messages: [{ role: "user", parts: [png] }] }, { provider: "deepseek", model })
  }
  const [blind, unknown] = remote.requests.map(({ body }) => JSON.stringify(body.messages.at(-1)))
  expect(blind).toContain("An image, which this model cannot see")
  expect(unknown).toContain("data:image/png;base64")
})

const looked: ModelMessage[] = [
  user("hello"),
  {
    role: "assistant",
    parts: [
      { type: "tool_use", id: "call_1", name: "read_file", input: { path: "a.png" } },
      { type: "tool_use", id: "call_2", name: "weather", input: { city: "Bern" } },
    ],
    provider: "it",
  },
  {
    role: "tool",
    parts: [
      {
        type: "tool_result",
        id: "call_1",
        name: "read_file",
        content: "a.png: image/png",
        is_error: false,
        images: [
          { file_id: "f1", mime: "image/png" },
          { file_id: "f2", mime: "text/html" },
        ],
      },
    ],
  },
  result("call_2"),
]
const unseen = "a.png: image/png\n[An image that you cannot see: text/html]"

test("Anthropic gets a tool's image in its result", async () => {
  const body = await bodyOf(anthropic, looked)
  expect(body.messages.at(-1).content[0]).toMatchObject({
    type: "tool_result",
    tool_use_id: "call_1",
    content: [
      { type: "text", text: unseen },
      { type: "image", source: { type: "base64", media_type: "image/png", data: base64 } },
    ],
  })
  expect(body.messages.at(-1).content[1]).toMatchObject({ tool_use_id: "call_2", content: "sunny" })
})

test("OpenAI's responses get a tool's image in its result", async () => {
  const body = await bodyOf(responses, looked)
  expect(body.input.find(({ type }: { type?: string }) => type === "function_call_output")).toMatchObject({
    call_id: "call_1",
    output: [
      { type: "input_text", text: unseen },
      { type: "input_image", image_url: `data:image/png;base64,${base64}` },
    ],
  })
})

test("Google gets a tool's image beside its result, as the model takes it", async () => {
  const body = JSON.stringify(await bodyOf(google, looked))
  expect(body).toContain(JSON.stringify({ inlineData: { mimeType: "image/png", data: base64 } }))
  expect(body).toContain(JSON.stringify(unseen))
})

test.each([chat, compatible].map((wire) => [wire.name, wire] as const))(
  "%s: a tool's image follows all results, as the user's",
  async (_, wire) => {
    const { messages } = await bodyOf(wire, looked)
    expect(messages.slice(-3)).toEqual([
      { role: "tool", tool_call_id: "call_1", content: unseen },
      { role: "tool", tool_call_id: "call_2", content: "sunny" },
      {
        role: "user",
        content: [
          { type: "text", text: "[The image that read_file (call_1) returned:]" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${base64}` } },
        ],
      },
    ])
  },
)

test("a service that takes no user's message after a result is told that there was an image", async () => {
  await using remote = startRemote(saying(compatible.text("Hi."), compatible.end("end")))
  await ask(await openNamed("mistral", remote.url), { messages: looked }, { provider: "mistral", model: "m" })
  const { messages } = remote.requests[0]!.body
  expect(messages.at(-1).role).toBe("tool")
  expect(messages.at(-2).content).toBe(
    "a.png: image/png\n[An image that you cannot see: image/png]\n[An image that you cannot see: text/html]",
  )
})
