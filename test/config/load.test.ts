import { expect, test } from "bun:test"
import { Value } from "@sinclair/typebox/value"
import { AppError } from "../../src/base/errors.ts"
import type { Problem } from "../../src/config/problem.ts"
import { sections } from "../../src/registry.ts"
import { load } from "./needs.ts"

async function problemsOf(loading: Promise<unknown>): Promise<Problem[]> {
  const thrown = await loading.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(thrown instanceof AppError)) throw thrown ?? new Error("it was accepted")
  expect(thrown.code).toBe("invalid_config")
  const problems = thrown.data.problems as Problem[]
  expect(thrown.data).toMatchObject(problems[0]!)
  return problems
}

test("no configuration at all is a gateway on loopback with tokens", async () => {
  const { config, warnings } = await load("")
  expect(warnings).toEqual([])
  expect(config.gateway).toMatchObject({ bind: "127.0.0.1", port: 7200, auth: "token", hosts: [] })
  expect(config.agent).toEqual({ id: "default", max_tokens: 4096, models: [] })
  expect(config).toMatchObject({
    agents: [],
    providers: {},
    plugins: [],
    bindings: [],
    channels: {},
    secrets: {},
  })
  expect(config.memory).toEqual({
    episodic_window: 5,
    semantic_enabled: true,
    senders: "apart",
    learn_from: "patterns",
    summaries: "model",
    embedder: "hash",
    index: "auto",
    context: { facts_tokens: 400, recalled_tokens: 900, summary_tokens: 1_500, recent_tokens: 12_000 },
    tiers: { hot_rows_max: 200_000, warm_rows_max: 2_000_000, warm_after_days: 90, cold_after_days: 365 },
  })
})

/** Title, text, and where the first problem is: line, column, key, and a part of what is expected. */
const bad: [string, string, number, number, string, string][] = [
  ["a text for a port", '[gateway]\nport = "80"', 2, 1, "gateway.port", "an integer from 0 to 65535"],
  ["a port out of range", "[gateway]\nbind = '::1'\n  port = 70000", 3, 3, "gateway.port", "from 0 to 65535"],
  ["a fraction for a port", "[gateway]\nport = 80.5", 2, 1, "gateway.port", "an integer"],
  [
    "an infinite limit",
    "[budgets]\nmonthly_usd = inf",
    2,
    1,
    "budgets.monthly_usd",
    "a number of at least 0",
  ],
  ["a word that is none of the choices", 'gateway.auth = "off"', 1, 9, "gateway.auth", '"token" or "none"'],
  ["a date for a text", "[agent]\nmodel = 2026-01-01", 2, 1, "agent.model", "a text that is not empty"],
  ["a list for a table", "gateway = [1]", 1, 1, "gateway", "a table"],
  ["a table for a list", "[agents]\nid = 'x'", 1, 2, "agents", "a list"],
  ["a number in a list of texts", "[gateway]\nhosts = ['a', 5]", 2, 15, "gateway.hosts[1]", "a text"],
  ["a field that is missing", "[[plugins]]\nname = 'a'", 1, 3, "plugins[0].path", "a text"],
  ["half a TLS table", "[gateway]\ntls = { cert = 'c' }", 2, 1, "gateway.tls.key", "a text"],
  [
    "a nested fallback",
    "[agent.fallback.fallback]\nmax_tokens = 0",
    2,
    1,
    "agent.fallback.fallback.max_tokens",
    "at least 1",
  ],
  ["a key in quotes", '[agent]\n"max_tokens" = 0', 2, 1, "agent.max_tokens", "at least 1"],
  [
    "the second of a list",
    "[[agents]]\nid='a'\n[[agents]]\nid='b'\nmax_tokens=-1",
    5,
    1,
    "agents[1].max_tokens",
    "at least 1",
  ],
  ["a name of the wrong form", "[secrets]\nlower = 'x'", 2, 1, "secrets.lower", "a name that matches"],
  [
    "half a secret",
    "[providers.openai]\napi_key = { env = 5 }",
    2,
    1,
    "providers.openai.api_key",
    '{ env = "NAME" }',
  ],
  [
    "a secret from nowhere",
    "[providers.openai]\napi_key = { vault = 'x' }",
    2,
    1,
    "providers.openai.api_key",
    '{ env = "NAME" }',
  ],
  [
    "a variable that is not set",
    "[secrets]\nA = { env = 'NO' }",
    2,
    1,
    "secrets.A",
    "the environment variable NO",
  ],
  ["a file that is not there", "[secrets]\nA = { file = 'key' }", 2, 1, "secrets.A", "a secret in /home/key"],
  ["text that is not TOML", "[gateway]\nport = 80\nbind = \n", 3, 8, "", "TOML"],
  ["a key twice", "[gateway]\nport = 80\nport = 81\n", 3, 1, "", "TOML"],
  ["no tokens for everybody", "[gateway]\nbind = '0.0.0.0'\nauth = 'none'", 3, 1, "gateway.auth", '"token"'],
  ["a port in the address", "[gateway]\nbind = 'localhost:80'", 2, 1, "gateway.bind", "without a port"],
  ["any origin", "[gateway]\norigins = ['*']", 2, 12, "gateway.origins[0]", "an origin"],
  [
    "an origin with a path",
    "[gateway]\norigins = ['https://a.b/c']",
    2,
    12,
    "gateway.origins[0]",
    "an origin",
  ],
  [
    "a range of too many bits",
    "[gateway]\ntrusted_proxies = ['10.0.0.0/33']",
    2,
    20,
    "gateway.trusted_proxies[0]",
    "a range",
  ],
  [
    "a provider that is not there",
    "[agent]\nprovider = 'opnai'",
    2,
    1,
    "agent.provider",
    "the name of a provider",
  ],
  [
    "a fallback's provider",
    "[agent.fallback]\nprovider = 'x'",
    2,
    1,
    "agent.fallback.provider",
    "the name of a provider",
  ],
  [
    "an embedder's provider",
    "[memory]\nembedder = { provider = 'x', model = 'y' }",
    2,
    14,
    "memory.embedder.provider",
    "a provider",
  ],
  [
    "half an embedder",
    "[memory]\nembedder = { provider = 'openai' }",
    2,
    1,
    "memory.embedder.model",
    "a text",
  ],
  [
    "another embedder",
    "[memory]\nembedder = 'md5'",
    2,
    1,
    "memory.embedder",
    '"hash" or a table with provider and model',
  ],
  ["a provider without a kind", "[providers.mine]\nmodel = 'x'", 1, 12, "providers.mine.kind", "a kind"],
  [
    "a provider without an address",
    "[providers.mine]\nkind = 'openai-compatible'",
    1,
    12,
    "providers.mine.base_url",
    "the address",
  ],
  [
    "a tool that is not there",
    "[agent]\ntools = ['current_time', 'curent_time']",
    2,
    26,
    "agent.tools[1]",
    "a tool",
  ],
  ["an agent twice", "[[agents]]\nid = 'default'", 2, 1, "agents[0].id", "no other agent"],
  [
    "a binding to nobody",
    "[[bindings]]\nagent_id = 'wrk'\nchannel = 'x'\n[[agents]]\nid = 'work'",
    2,
    1,
    "bindings[0].agent_id",
    "an agent",
  ],
  ["a binding of everybody", "[[bindings]]\nagent_id = 'default'", 1, 3, "bindings[0]", "at least one of"],
  [
    "a plugin twice",
    "[[plugins]]\nname='a'\npath='a'\n[[plugins]]\nname='a'\npath='b'",
    5,
    1,
    "plugins[1].name",
    "no other plugin",
  ],
  [
    "a plugin named as a group of tools",
    "[[plugins]]\nname='files'\npath='a'",
    2,
    1,
    "plugins[0].name",
    "built-in",
  ],
  [
    "a plugin named as an effect",
    "[[plugins]]\nname='network'\npath='a'",
    2,
    1,
    "plugins[0].name",
    "built-in",
  ],
  [
    "a grant of a secret that is none",
    "[[plugins]]\nname='a'\npath='a'\ncapabilities=['env:A', 'secret:KEZ']\n[secrets]\nKEY='k'",
    4,
    24,
    "plugins[0].capabilities[1]",
    "value of [secrets]",
  ],
  [
    "a grant of a secret that is none, for one host",
    "[[plugins]]\nname='a'\npath='a'\ncapabilities=['http:a.test', 'secret:KEZ@a.test']\n[secrets]\nKEY='k'",
    4,
    30,
    "plugins[0].capabilities[1]",
    "value of [secrets]",
  ],
  [
    "a secret for a host that is not granted",
    "[[plugins]]\nname='a'\npath='a'\ncapabilities=['secret:KEY@a.test', 'http:b.test']\n[secrets]\nKEY='k'",
    4,
    15,
    "plugins[0].capabilities[0]",
    "http: grants",
  ],
  [
    "a grant of nothing",
    "[[plugins]]\nname='a'\npath='a'\ncapabilities=['http:']",
    4,
    15,
    "plugins[0].capabilities[0]",
    "http:<host>",
  ],
  [
    "a grant of everything",
    "[[plugins]]\nname='a'\npath='a'\ncapabilities=['http:*']",
    4,
    15,
    "plugins[0].capabilities[0]",
    "http:<host>",
  ],
  [
    "a channel's plugin",
    "[channels.c]\nplugin = 'p'\nsignature = 'github'\nsecret = 'any word'",
    2,
    1,
    "channels.c.plugin",
    "a plugin",
  ],
  [
    "a channel without a signature",
    "[[plugins]]\nname='p'\npath='p'\n[channels.c]\nplugin='p'",
    4,
    11,
    "channels.c.signature",
    "one of slack, github",
  ],
  ["a signature that is none", "[channels.c]\nsignature = 'md5'", 2, 1, "channels.c.signature", '"slack"'],
  [
    "a signature without a secret",
    "[channels.c]\nsignature = 'hmac-sha256'",
    1,
    11,
    "channels.c.secret",
    "a secret",
  ],
]

test.each(bad)("%s is refused at its place", async (_title, text, line, column, key, expected) => {
  const problems = await problemsOf(load(text))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatchObject({ file: "/home/weft.toml", line, column, key })
  expect(problems[0]!.expected).toContain(expected)
})

test("all problems are named at once, as they stand in the file", async () => {
  const text =
    "[agent]\nprovider = 'opnai'\nmax_tokens = 0\n[[bindings]]\nagent_id = 'wrk'\n[gateway]\nport = 'x'"
  const problems = await problemsOf(load(text))
  expect(problems.map(({ line, key }) => [line, key])).toEqual([
    [2, "agent.provider"],
    [3, "agent.max_tokens"],
    [4, "bindings[0]"],
    [5, "bindings[0].agent_id"],
    [7, "gateway.port"],
  ])
  expect(problems[0]).toMatchObject({ got: '"opnai"', nearest: "openai" })
})

test("one mistake is one problem: what refers to a name that is wrong itself is not blamed", async () => {
  const text = "[[agents]]\nid = 'no good'\n[[bindings]]\nagent_id = 'no good'\nchannel = 'x'"
  expect((await problemsOf(load(text))).map(({ key }) => key)).toEqual(["agents[0].id"])
  const twice = "[channels.c]\nsignature = 'hmac-sha256'\nsecret = 5"
  expect(await problemsOf(load(twice))).toMatchObject([{ key: "channels.c.secret", got: "a number" }])
})

test.each([
  ['deny = ["exce:rm"]', { line: 2, key: "agent.permissions.deny[0]", got: '"exce"', nearest: "exec" }],
  ['ask = ["write", "reed"]', { line: 2, key: "agent.permissions.ask[1]", got: '"reed"', nearest: "read" }],
  ['allow = ["exec:"]', { line: 2, expected: 'a pattern after the colon, or "exec" alone' }],
  ['allow = ["exec: "]', { line: 2, got: '"exec: "' }],
  ['allow = ["nothing.of.this:x"]', { line: 2, key: "agent.permissions.allow[0]" }],
])("a rule that is about nothing is refused where it stands: %s", async (line, problem) => {
  const problems = await problemsOf(load(`[agent.permissions]\n${line}`))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatchObject(problem)
})

test("rules may be about tools, groups, effects, everything, and tools of plugins", async () => {
  const rules = '["exec:git status", "files", "read:**/x", "*", "weather", "weather.now:here", "weather:say"]'
  const plugin = '[[plugins]]\nname = "weather"\npath = "weather.wasm"'
  const text = `agent.tools = ["*", "files", "weather.now"]\nagent.permissions.deny = ${rules}\n${plugin}`
  const { config } = await load(text, { files: ["/home/weather.wasm"] })
  expect(config.agent.permissions?.deny).toHaveLength(7)
})

test("an unknown key is a warning with the nearest known name, and is left out", async () => {
  const text =
    "[gateway]\nprot = 80\n[gatway]\nport = 1\n[agent.fallback]\nmodle = 'x'\n[memory.embedder]\nprovider='openai'\nmodel='m'\nzebra=1"
  const { config, warnings } = await load(text)
  expect(warnings.map(({ line, column, key, nearest }) => [line, column, key, nearest])).toEqual([
    [2, 1, "gateway.prot", "port"],
    [3, 2, "gatway", "gateway"],
    [6, 1, "agent.fallback.modle", "model"],
    [10, 1, "memory.embedder.zebra", undefined],
  ])
  expect(warnings[3]!.hint).toContain("provider, model")
  expect(config.gateway).not.toHaveProperty("prot")
  expect(config).not.toHaveProperty("gatway")
  expect(config.agent.fallback).toEqual({ max_tokens: 4096 })
})

test.each([
  "[__proto__]\nadmin = true",
  "__proto__.admin = true",
  "[agent.__proto__]\nadmin = true",
  "[agent]\n__proto__ = { admin = true }",
  "[channels.mock.__proto__]\nadmin = true",
  "[channels.mock.deep.__proto__]\nadmin = true",
  "[constructor.prototype]\nadmin = true",
])("a key of the language itself is ignored with a warning: %s", async (text) => {
  const { config, warnings } = await load(text)
  expect(warnings).toHaveLength(1)
  expect(({} as Record<string, unknown>).admin).toBeUndefined()
  expect(JSON.stringify(config)).not.toContain("admin")
  expect(Object.getPrototypeOf(config.channels.mock ?? {})).toBe(Object.prototype)
})

test.each(["[providers.__proto__]\nmodel = 'x'", "[providers.openai.headers]\n__proto__ = 'x'"])(
  "a free name of the language itself is refused: %s",
  async (text) => {
    expect(await problemsOf(load(text))).toHaveLength(1)
  },
)

test("a plugin file that is missing is a warning", async () => {
  const text =
    "[[plugins]]\nname = 'echo'\npath = 'plugins/echo.wasm'\ncapabilities = ['fs:/srv/a:b:ro', 'env:HOME']"
  const { warnings } = await load(text)
  expect(warnings).toMatchObject([{ line: 3, column: 1, key: "plugins[0].path" }])
  expect((await load(text, { files: ["/home/plugins/echo.wasm"] })).warnings).toEqual([])
})

test("a host function of another system is refused with what to do instead", async () => {
  const text = "[[plugins]]\nname = 'a'\npath = 'a'\ncapabilities = ['store:x', 'host_function:now']"
  const [problem] = await problemsOf(load(text))
  expect(problem).toMatchObject({ line: 4, column: 28, key: "plugins[0].capabilities[1]" })
  expect(problem!.hint).toContain("WASI")
})

test("a plugin vouches for its tools, and its name may have capitals", async () => {
  const text = "[agent]\ntools = ['Echo', 'Echo.say']\n[[plugins]]\nname = 'Echo'\npath = 'e'"
  expect((await load(text)).config.agent.tools).toEqual(["Echo", "Echo.say"])
})

test.each(["127.0.0.1", "127.8.8.8", "::1", "localhost"])("no tokens are fine on %s", async (bind) => {
  expect((await load(`[gateway]\nauth = 'none'\nbind = '${bind}'`)).config.gateway.auth).toBe("none")
})

test.each([
  "0.0.0.0",
  "::",
  "127.1",
  "2130706433",
  "localhost.example.com",
  "::ffff:127.0.0.1",
  "127.evil.com",
  "10.0.0.1",
])("no tokens are refused on %s", async (bind) => {
  expect(await problemsOf(load(`[gateway]\nauth = 'none'\nbind = '${bind}'`))).toHaveLength(1)
})

test("paths start at the configuration's folder, and a tilde is the user's own", async () => {
  const text =
    "[agent]\nsoul_path = 'SOUL.md'\n[gateway.tls]\ncert = '/etc/c'\nkey = '~/k'\n[secrets]\nA = { file = '~/a' }"
  const secrets = { "/users/ada/a": { text: "s", shared: false } }
  const { config, shown } = await load(text, { env: { HOME: "/users/ada" }, secrets })
  expect(config.agent.soul_path).toBe("/home/SOUL.md")
  expect(config.gateway.tls).toEqual({ cert: "/etc/c", key: "/users/ada/k" })
  expect(shown.gateway.tls).toEqual({ cert: "/etc/c", key: "~/k" })
  expect(config.secrets).toEqual({ A: "s" })
})

test("what was filled in satisfies the schemas that it came from", async () => {
  const { config } = await load(
    "[agent.fallback.fallback]\nmodel='x'\n[channels.a]\nb=1\n[agent.sandbox]\nmode='off'",
  )
  for (const { name, schema } of sections) expect(Value.Check(schema, config[name])).toBe(true)
  expect(config.agent.sandbox).toEqual({ mode: "off", read: [], write: [], network: [] })
})
