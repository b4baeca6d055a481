import { expect, test } from "bun:test"
import fc from "fast-check"
import {
  DescriptionRefused,
  describeTools,
  modelName,
  readDescription,
} from "../../../src/plugins/description/describe.ts"

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const schema = { type: "object", properties: { text: { type: "string" } } }
const tool = { name: "echo", description: "Repeats.", input_schema: schema }

test.each([
  ["a tool", tool, { kind: "tool", tools: [tool] }],
  ["a list", [tool, { ...tool, name: "b" }], { kind: "tool", tools: [tool, { ...tool, name: "b" }] }],
  ["a tool by its type", { ...tool, type: "tool", version: 1 }, { kind: "tool", tools: [tool] }],
  [
    "an adapter",
    { name: "tg", type: "channel_adapter", channel: "telegram" },
    { kind: "channel", name: "tg", channel: "telegram" },
  ],
  [
    "an adapter in the words of others",
    { name: "telegram", plugin_type: "channel_adapter" },
    { kind: "channel", name: "telegram", channel: "telegram" },
  ],
])("%s is read", (_, value, described) => {
  expect<unknown>(readDescription(encode(value), undefined, "echo")).toEqual(described)
})

const long_schema = { ...schema, title: "x".repeat(32_000) }
const bytes = (text: string) => new TextEncoder().encode(text)

test.each([
  ["nothing", new Uint8Array(), "describe returned no bytes"],
  ["text", bytes("echo"), "not JSON"],
  ["other bytes", Uint8Array.of(0x22, 0xff, 0x22), "not JSON"],
  ["a million levels", bytes("[".repeat(1_000_000)), "at most 64 levels"],
  ["null", encode(null), "something else than an object"],
  ["no tools", encode([]), "describes no tool"],
  ["65 tools", encode(Array(65).fill(tool)), "65 tools; at most 64"],
  [
    "too much of many tools",
    encode(Array.from({ length: 9 }, (_, i) => ({ ...tool, name: `t${i}`, input_schema: long_schema }))),
    "its 9 tools together have 2",
  ],
  ["another type", encode({ ...tool, type: "voice" }), 'of the type voice; there are "tool"'],
  ["no name", encode({ ...tool, name: undefined }), "has the name nothing"],
  ["a name with a dot", encode({ ...tool, name: "a.b" }), "has the name a.b"],
  ["a name that does not show", encode({ ...tool, name: "\u202ea" }), 'has the name "\\u{202e}a"'],
  ["a long name", encode({ ...tool, name: "a".repeat(65) }), "has the name aaa"],
  ["no description", encode({ ...tool, description: " " }), "no description"],
  ["a long description", encode({ ...tool, description: "é".repeat(2001) }), "more than 2000 characters"],
  [
    "half a character",
    encode({ ...tool, description: "a\ud83d" }),
    "description of its tool echo has half a character",
  ],
  [
    "half a character in a key",
    encode({ ...tool, input_schema: { ...schema, "\udc00": 1 } }),
    "input_schema of its tool",
  ],
  ["no schema", encode({ name: "a", description: "b" }), "no input_schema"],
  [
    "a misspelt schema",
    encode({ name: "a", description: "b", inputSchema: {} }),
    "is it what stands under inputSchema?",
  ],
  ["a schema that is a list", encode({ ...tool, input_schema: [] }), "not an object"],
  [
    "a schema of text",
    encode({ ...tool, input_schema: { type: "string" } }),
    "is not the schema of an object",
  ],
  [
    "a large schema",
    encode({ ...tool, input_schema: { ...schema, title: "x".repeat(32_768) } }),
    "at most 32768",
  ],
  [
    "a remote reference",
    encode({ ...tool, input_schema: { ...schema, $ref: "http://a/" } }),
    "another document",
  ],
  ["a tool twice", encode([tool, tool]), "two tools by the name echo"],
  [
    "two that models could not tell apart",
    encode([tool, { ...tool, name: "p_echo" }]),
    "both be called p_echo",
  ],
  ["an adapter without a name", encode({ type: "channel_adapter" }), "for name,"],
  [
    "an adapter for no channel",
    encode({ name: "a", type: "channel_adapter", channel: "a/../b" }),
    "for channel,",
  ],
])("%s is refused", (_, output, reason) => {
  expect(() => readDescription(output, undefined, "p")).toThrow(DescriptionRefused)
  expect(() => readDescription(output, undefined, "p")).toThrow(reason)
})

test("what it describes has to be what its manifest says", () => {
  const adapter = { name: "a", type: "channel_adapter", channel: "a" }
  expect(() => readDescription(encode(adapter), "tool", "p")).toThrow(
    "describes a channel's adapter, but its",
  )
  expect(() => readDescription(encode(tool), "channel", "p")).toThrow(
    "describes tools, but its manifest says",
  )
})

test("a manifest's tools are held to the same", () => {
  expect<unknown>(describeTools("p", [tool])).toEqual({ kind: "tool", tools: [tool] })
  expect(() => describeTools("p", [tool, { ...tool, name: "p_echo" }])).toThrow("both be called p_echo")
})

test.each([
  ["echo", "echo", "echo"],
  ["text", "text_count", "text_count"],
  ["text", "text-count", "text-count"],
  ["text", "textual", "text_textual"],
  ["text", "count", "text_count"],
  ["acme.text", "count", "acme_text_count"],
  ["acme.text", "acme_text_count", "acme_text_count"],
])("of the plugin %s, the tool %s is called %s", (plugin, name, called) => {
  expect(modelName(plugin, name)).toBe(called)
})

test("every name is one that models may be given, begins with the plugin's and is that tool's alone", () => {
  const plugins = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)
  const tools = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(plugins, tools, (plugin, names) => {
      const called = names.map((name) => modelName(plugin, name))
      for (const name of called) {
        expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
        expect(name.startsWith(plugin.replaceAll(".", "_").slice(0, 50))).toBe(true)
      }
      const output = encode(names.map((name) => ({ ...tool, name })))
      if (new Set(called).size < names.length) {
        expect(() => readDescription(output, "tool", plugin)).toThrow("would both be called")
      } else expect(readDescription(output, "tool", plugin)).toMatchObject({ kind: "tool" })
    }),
  )
})

test("any bytes are a description or refused", () => {
  const output = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytes), fc.jsonValue().map(encode))
  fc.assert(
    fc.property(output, (given) => {
      try {
        readDescription(given, undefined, "p")
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(DescriptionRefused)
      }
    }),
    { numRuns: 500 },
  )
})
