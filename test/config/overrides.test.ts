import { expect, test } from "bun:test"
import { load } from "./needs.ts"

test("flags win over the environment, that over the file, and that over defaults", async () => {
  const text = "[gateway]\nport = 1\nqueue_max = 1\nbind = '127.0.0.1'\n[agent]\nmax_tokens = 1"
  const env = { WEFT_GATEWAY_PORT: "2", WEFT_GATEWAY_QUEUE_MAX: "2", WEFT_RETENTION_MESSAGES_DAYS: "30" }
  const flags = [{ flag: "--port", key: "gateway.port", value: "3" }]
  const { config } = await load(text, { env, flags })
  expect(config.gateway).toMatchObject({ port: 3, queue_max: 2, drain_ms: 10_000 })
  expect(config.agent.max_tokens).toBe(1)
  expect(config.retention).toEqual({ messages_days: 30, turn_events_hours: 24, tool_results_hours: 168 })
})

test.each([
  ["WEFT_GATEWAY_METRICS_PUBLIC", "true", "gateway.metrics_public", true],
  ["WEFT_GATEWAY_METRICS_PUBLIC", "0", "gateway.metrics_public", false],
  ["WEFT_AGENT_TEMPERATURE", "0.5", "agent.temperature", 0.5],
  ["WEFT_AGENT_MODEL", "123", "agent.model", "123"],
  ["WEFT_AGENT_FALLBACK_MODEL", "m", "agent.fallback.model", "m"],
  ["WEFT_AGENT_FALLBACK_FALLBACK_MODEL", "m", "agent.fallback.fallback.model", "m"],
  ["WEFT_AGENT_SANDBOX_MODE", "off", "agent.sandbox.mode", "off"],
  ["WEFT_BUDGETS_MONTHLY_USD", "12.5", "budgets.monthly_usd", 12.5],
  ["WEFT_MEMORY_EMBEDDER", "hash", "memory.embedder", "hash"],
  ["WEFT_PROVIDERS_OPENAI_BASE_URL", "http://x", "providers.openai.base_url", "http://x"],
  ["WEFT_PROVIDERS_OPENAI_TIMEOUT_MS", "500", "providers.openai.timeout_ms", 500],
  ["WEFT_PROVIDERS_OPENAI_IDLE_TIMEOUT_MS", "500", "providers.openai.idle_timeout_ms", 500],
  ["WEFT_SECRETS_GITHUB", "ghp", "secrets.GITHUB", "ghp"],
  ["WEFT_CHANNELS_MOCK_SECRET", "s", "channels.mock.secret", "s"],
] as const)("%s=%s sets %s", async (variable, text, key, value) => {
  const { config, warnings } = await load("", { env: { [variable]: text } })
  expect(config).toHaveProperty(key, value)
  expect(warnings).toEqual([])
})

test("a TLS certificate can come from the environment, and half of one names its variable", async () => {
  const env = { WEFT_GATEWAY_TLS_CERT: "c", WEFT_GATEWAY_TLS_KEY: "k" }
  expect((await load("", { env })).config.gateway.tls).toEqual({ cert: "/home/c", key: "/home/k" })
  await expect(load("", { env: { WEFT_GATEWAY_TLS_CERT: "c" } })).rejects.toMatchObject({
    data: { key: "gateway.tls.key", variable: "WEFT_GATEWAY_TLS_CERT", got: "nothing" },
  })
})

test("a provider's variable finds the name as the file spells it", async () => {
  const text = "[providers.My_Own]\nkind = 'openai-compatible'\n[agent]\nprovider = 'lm-studio'"
  const env = {
    WEFT_PROVIDERS_MY_OWN_BASE_URL: "http://a",
    WEFT_PROVIDERS_LM_STUDIO_BASE_URL: "http://b",
    WEFT_PROVIDERS_LM_STUDIO_KIND: "openai-compatible",
  }
  const { providers } = (await load(text, { env })).config
  expect(providers.My_Own!.base_url).toBe("http://a")
  expect(providers["lm-studio"]).toMatchObject({ base_url: "http://b", kind: "openai-compatible" })
})

test("an embedder from the environment replaces the one of the file", async () => {
  const env = { WEFT_MEMORY_EMBEDDER_PROVIDER: "openai", WEFT_MEMORY_EMBEDDER_MODEL: "m" }
  const { config } = await load("[memory]\nembedder = 'hash'", { env })
  expect(config.memory.embedder).toEqual({ provider: "openai", model: "m", batch_max: 96 })
})

test.each([
  [{ WEFT_GATEWAY_PORT: "eighty" }, "gateway.port", "WEFT_GATEWAY_PORT", '"eighty"'],
  [{ WEFT_GATEWAY_PORT: "70000" }, "gateway.port", "WEFT_GATEWAY_PORT", "70000"],
  [{ WEFT_GATEWAY_METRICS_PUBLIC: "yes" }, "gateway.metrics_public", "WEFT_GATEWAY_METRICS_PUBLIC", '"yes"'],
  [{ WEFT_AGENT_PROVIDER: "opnai" }, "agent.provider", "WEFT_AGENT_PROVIDER", '"opnai"'],
  [{ WEFT_GATEWAY_BIND: "0.0.0.0:80" }, "gateway.bind", "WEFT_GATEWAY_BIND", '"0.0.0.0:80"'],
])("a wrong variable is named, not a line of the file: %o", async (env, key, variable, got) => {
  const failed = load("[gateway]\nport = 80", { env })
  await expect(failed).rejects.toMatchObject({ code: "invalid_config", data: { key, variable, got } })
  await expect(failed).rejects.not.toHaveProperty("data.line")
})

test("a wrong flag is named", async () => {
  const flags = [{ flag: "--auth", key: "gateway.auth", value: "off" }]
  await expect(load("", { flags })).rejects.toMatchObject({ data: { key: "gateway.auth", flag: "--auth" } })
})

test("the environment cannot take the tokens off an open door", async () => {
  const env = { WEFT_GATEWAY_AUTH: "none" }
  await expect(load("[gateway]\nbind = '0.0.0.0'", { env })).rejects.toMatchObject({
    data: { key: "gateway.auth", variable: "WEFT_GATEWAY_AUTH" },
  })
})

test("an empty variable is an unset one", async () => {
  expect((await load("", { env: { WEFT_GATEWAY_PORT: "" } })).config.gateway.port).toBe(7200)
})

test("a variable that sets nothing is a warning with the nearest one; those of others are none", async () => {
  const env = {
    WEFT_GATEWAY_PROT: "1",
    WEFT_GATEWAY_HOSTS: "a",
    WEFT_GATWAY_PORT: "1",
    WEFT_HOME: "/x",
    WEFT_TOKEN: "t",
    WEFT_LOG: "info",
    WEFT_CONFIG: "/y",
    WEFT_SOMETHING_ELSE_ENTIRELY: "1",
    PORT: "1",
  }
  const { warnings } = await load("", { env })
  expect(warnings.map(({ variable, nearest }) => [variable, nearest])).toEqual([
    ["WEFT_GATEWAY_PROT", "WEFT_GATEWAY_PORT"],
    ["WEFT_GATEWAY_HOSTS", undefined],
    ["WEFT_GATWAY_PORT", "WEFT_GATEWAY_PORT"],
  ])
  expect(warnings[1]!.hint).toContain("file")
})

test("a table that the file has something else for is still the file's mistake", async () => {
  const failed = load("gateway = 5", { env: { WEFT_GATEWAY_PORT: "80" } })
  await expect(failed).rejects.toMatchObject({ data: { key: "gateway", line: 1, expected: "a table" } })
})
