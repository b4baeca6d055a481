import { expect, test } from "bun:test"
import { join } from "node:path"
import { describeProblem } from "../../src/config/problem.ts"
import { load } from "./needs.ts"

const read = (name: string) => Bun.file(join(import.meta.dir, "files", name)).text()

const env = { ANTHROPIC_API_KEY: "a", GITHUB_TOKEN: "g", MOCK_SECRET: "mock-secret", BRAVE_API_KEY: "b" }
const plugin = '\n[[plugins]]\nname = "mock-channel"\npath = "plugins/mock.wasm"\n[providers.openai]\n'

test("the whole documented file loads, with everything that it says", async () => {
  const files = ["/home/plugins/echo.wasm", "/home/plugins/mock.wasm"]
  const { config, warnings } = await load((await read("whole.toml")) + plugin, { env, files })
  expect(warnings.map(describeProblem)).toEqual([])
  expect(config).toMatchObject({
    gateway: { bind: "127.0.0.1", port: 7200, auth: "token", payload_bytes_max: 1_048_576 },
    agent: {
      provider: "anthropic",
      tools: ["current_time"],
      fallback: { provider: "openai", model: "gpt-4o", max_tokens: 4096 },
      permissions: { deny: ["exec:rm", "network:*.internal"] },
      sandbox: { mode: "require", workspace: "agents/default/workspace", network: [] },
    },
    agents: [{ id: "work", max_tokens: 4096 }],
    providers: { anthropic: { api_key: "a", base_url: "https://api.anthropic.com" } },
    plugins: [
      { name: "echo", capabilities: ["http:api.example.com", "store:notes"] },
      { name: "mock-channel" },
    ],
    bindings: [{ agent_id: "work", channel: "telegram", peer_id: "12345" }],
    secrets: { GITHUB: "g" },
    channels: { mock: { plugin: "mock-channel", signature: "hmac-sha256", secret: "mock-secret" } },
    budgets: { session: 200_000, daily: 2_000_000, monthly_usd: 50 },
    memory: { episodic_window: 5, semantic_enabled: true, embedder: "hash" },
    retention: { messages_days: 365, turn_events_hours: 24 },
  })
})

test("a configuration of exoclaw loads, with tokens on", async () => {
  const files = ["/home/plugins/echo.wasm"]
  const { config, warnings } = await load(await read("exoclaw.toml"), { files })
  expect(config.gateway.auth).toBe("token")
  expect(config.agent).toMatchObject({ tools: ["echo"], fallback: { provider: "openai", max_tokens: 2048 } })
  expect(config.bindings).toHaveLength(2)
  expect(config.budgets).toEqual({ session: 10_000, daily: 100_000, monthly: 1_000_000 })
  // The name of a fallback means nothing here, and the second plugin's file is missing.
  expect(warnings.map(({ key }) => key)).toEqual(["agent.fallback.id", "plugins[1].path"])
})
