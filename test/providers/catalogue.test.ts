import { expect, test } from "bun:test"
import { costUsd, modelFacts } from "../../src/providers/catalogue.ts"
import list from "../../src/providers/models.json"
import { presets } from "../../src/providers/table.ts"

const usage = (fields: object = {}) => ({ input_tokens: 0, output_tokens: 0, cached_tokens: 0, ...fields })

test.each([
  ["anthropic", "claude-sonnet-5", { input_tokens: 1_000_000 }, 2],
  ["anthropic", "claude-sonnet-5", { output_tokens: 1_000_000 }, 10],
  ["anthropic", "claude-sonnet-5", { input_tokens: 1_000_000, cached_tokens: 1_000_000 }, 0.2],
  ["anthropic", "claude-sonnet-5", { input_tokens: 1_000_000, cache_write_tokens: 1_000_000 }, 2.5],
  ["anthropic", "claude-sonnet-5-20260101", { input_tokens: 1_000_000 }, 2],
  ["groq", "openai/gpt-oss-20b", { input_tokens: 2000, output_tokens: 1000, cached_tokens: 1000 }, 0.0004125],
  ["zai", "glm-4.7-flash", { input_tokens: 1000, output_tokens: 1000 }, 0],
  ["google", "gemini-2.5-pro", { input_tokens: 200_000 }, 0.25],
  ["google", "gemini-2.5-pro", { input_tokens: 200_001, cached_tokens: 1 }, 0.50000025],
  ["nobody", "knows", { input_tokens: 1000 }, null],
])("%s %s for %j costs %j", (provider, model, tokens, expected) => {
  const cost = costUsd(provider, model, usage(tokens))
  if (expected === null) expect(cost).toBeNull()
  else expect(cost).toBeCloseTo(expected, 10)
})

test("the list says where it is from and when it was taken", () => {
  expect(list.source).toContain("models.dev")
  expect(list.as_of).toMatch(/^\d{4}-\d\d-\d\d$/)
})

test("every default model that the list could know is in it and can call tools", () => {
  const unlisted = ["openrouter", "together"]
  for (const [name, { model, local, listed_as }] of Object.entries(presets)) {
    if (!model || local || unlisted.includes(name)) continue
    expect([name, modelFacts(listed_as ?? name, model)?.tools]).toEqual([name, true])
  }
})
