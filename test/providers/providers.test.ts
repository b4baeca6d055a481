import { expect, test } from "bun:test"
import type { ProviderConfig } from "../../src/providers/config.ts"
import { openProviders } from "../../src/providers/providers.ts"
import { presets } from "../../src/providers/table.ts"
import { declarations, request } from "./ask.ts"
import { startRemote } from "./remote.ts"
import { wires } from "./wires.ts"

type Some = Record<string, Partial<ProviderConfig>>

const open = (providers: Some, keys: Record<string, string> = {}) =>
  openProviders({
    providers: providers as Record<string, ProviderConfig>,
    findKey: (name, variables) => variables.map((variable) => keys[variable]).find(Boolean) ?? keys[name],
    declarations,
  })

test.each([
  ["nothing", {}, {}, "offline", "echo"],
  ["a key in the environment", {}, { GROQ_API_KEY: "k" }, "groq", "openai/gpt-oss-120b"],
  ["two keys", {}, { GROQ_API_KEY: "k", ANTHROPIC_API_KEY: "k" }, "anthropic", "claude-sonnet-5"],
  ["a key in a file", {}, { deepseek: "k" }, "deepseek", "deepseek-v4-flash"],
  ["a configured one first", { xai: { api_key: "k" } }, { ANTHROPIC_API_KEY: "k" }, "xai", "grok-4.3"],
  ["a configured one without key", { openai: {} }, { GROQ_API_KEY: "k" }, "groq", "openai/gpt-oss-120b"],
  ["a model of one's own", { xai: { api_key: "k", model: "mine" } }, {}, "xai", "mine"],
  ["a server of one's own", { ollama: { model: "qwen" } }, {}, "ollama", "qwen"],
  ["a proxy", { openai: { base_url: "http://127.0.0.1:1" } }, {}, "openai", "gpt-5.4"],
  ["offline configured", { offline: {} }, {}, "offline", "echo"],
] as [string, Some, Record<string, string>, string, string][])(
  "with %s, what is left open becomes %j",
  async (_, providers, keys, provider, model) => {
    expect((await open(providers, keys)).pick()).toEqual({ provider, model })
  },
)

test("what is named is taken as it is", async () => {
  const providers = await open({}, { ANTHROPIC_API_KEY: "k" })
  expect(providers.pick("openai", "gpt-4o")).toEqual({ provider: "openai", model: "gpt-4o" })
  expect(providers.pick("openai")).toEqual({ provider: "openai", model: "gpt-5.4" })
  expect([providers.has("openai"), providers.has("nobody")]).toEqual([true, false])
})

test("the state lists what is configured or has a key, and offline", async () => {
  const providers = await open(
    { xai: {}, mine: { kind: "openai-compatible", base_url: "http://127.0.0.1:1" } },
    { GEMINI_API_KEY: "k" },
  )
  expect(providers.state()).toEqual([
    { id: "xai", state: "no_key" },
    { id: "mine", state: "ready" },
    { id: "google", state: "ready" },
    { id: "offline", state: "ready" },
  ])
  expect(providers.names()).toEqual(["xai", "mine", "google", "offline"])
})

test.each([
  ["a missing key", "anthropic", {}, /ANTHROPIC_API_KEY.*\[providers\.anthropic\]/],
  ["a key missing from a kind", "mine", { mine: { kind: "openai" } }, /api_key under \[providers\.mine\]/],
  ["an unknown name", "nobody", {}, /Set kind under \[providers\.nobody\]/],
  ["a name that says no kind", "mine", { mine: { base_url: "http://127.0.0.1:1" } }, /Set kind/],
  ["no address", "custom", { custom: { api_key: "k" } }, /\[providers\.custom\] needs a base_url/],
  ["no model", "vllm", {}, /No model is named/],
] as [string, string, Some, RegExp][])(
  "%s is said when it is needed",
  async (_, provider, config, reason) => {
    const providers = await open(config)
    const { model } = providers.pick(provider)
    const read = async () => {
      for await (const _chunk of providers.stream({ provider, model }, request({ model })));
    }
    await expect(read()).rejects.toMatchObject({
      code: "provider_failed",
      data: { provider, retryable: false, reason: expect.stringMatching(reason) },
    })
  },
)

test("an agent's own key takes the place of the provider's", async () => {
  const wire = wires[4]!
  await using remote = startRemote((peer) => {
    peer.head()
    peer.chunk(wire.text("Hi.") + wire.end("end"))
    peer.end()
  })
  const providers = await open({ groq: { base_url: remote.url } }, { GROQ_API_KEY: "common" })
  for (const key of [{}, { api_key: "private" }, {}]) {
    const choice = { provider: "groq", model: "m", ...key }
    for await (const _chunk of providers.stream(choice, request()));
  }
  const sent = remote.requests.map(({ headers, path }) => `${path} ${headers.authorization}`)
  expect(sent).toEqual([
    "/v1/chat/completions Bearer common",
    "/v1/chat/completions Bearer private",
    "/v1/chat/completions Bearer common",
  ])
})

test.each([
  ["anthropic", "claude-sonnet-5", {}, 2],
  ["gemini", "gemini-3.5-flash", {}, 1.5],
  ["work", "claude-sonnet-5", { work: { kind: "anthropic" } }, 2],
  ["ollama", "anything", {}, 0],
  ["offline", "echo", {}, 0],
  ["openrouter", "openrouter/auto", {}, null],
  ["mine", "gpt-5.4", { mine: { kind: "openai-compatible" } }, null],
] as [string, string, Some, number | null][])(
  "a million tokens into %s %s",
  async (provider, model, config, usd) => {
    const usage = { input_tokens: 1_000_000, output_tokens: 0, cached_tokens: 0 }
    expect((await open(config)).cost({ provider, model }, usage)).toBe(usd)
  },
)

test("every provider known by name opens once it has what it needs", async () => {
  for (const [name, preset] of Object.entries(presets)) {
    const address = name === "custom" ? { base_url: "http://127.0.0.1:1" } : {}
    const providers = await open({ [name]: { ...address, api_key: "k" } })
    expect(providers.state().find(({ id }) => id === name)?.state).toBe("ready")
    if (preset.base_url) expect(new URL(preset.base_url).pathname).toMatch(/\/v\d/)
    expect(() => providers.stream({ provider: name, model: "m" }, request())).not.toThrow()
  }
})
