import ipaddr from "ipaddr.js"
import { checkGrants } from "./check-grants.ts"
import { dangling } from "./dangling.ts"
import { nearest } from "./nearest.ts"
import type { Finding } from "./problem.ts"
import type { Path } from "./schema-tree.ts"

/** What there is outside of the configuration that it may name. */
export type KnownNames = {
  /** Built-in tools, the names of groups of them, and "*". */
  tools: readonly string[]
  /** What a rule may be about: the same, and effects. */
  subjects: readonly string[]
  /** Providers whose kind and address are known from their name. */
  providers: readonly string[]
  /** How requests to channels are signed, each with what a channel's table lacks for it. */
  signatures: readonly { name: string; check(channel: Channel): ChannelProblem[] }[]
}

type ChannelProblem = { field: string; expected: string; got: string; hint?: string }

type Model = { provider?: string; fallback?: Model }
type Rules = { allow?: (string | undefined)[]; ask?: (string | undefined)[]; deny?: (string | undefined)[] }
type Agent = Model & { id?: string; tools?: (string | undefined)[]; permissions?: Rules }
type Plugin = { name?: string; path?: string; capabilities?: (string | undefined)[] }
type Channel = { plugin?: string; signature?: string; secret?: string; public_key?: string }

/**
 * The parts of a configuration that refer to each other. Whatever was of the wrong type is left out, and what might
 * refer to it is not checked then, so that one mistake is one problem.
 */
export type Checked = {
  gateway?: {
    bind?: string
    auth?: string
    origins?: (string | undefined)[]
    trusted_proxies?: (string | undefined)[]
  }
  agent?: Agent
  agents?: (Agent | undefined)[]
  providers?: Record<string, { kind?: string; base_url?: string }>
  plugins?: (Plugin | undefined)[]
  bindings?: ({ agent_id?: string; [selector: string]: string | undefined } | undefined)[]
  channels?: Record<string, Channel>
  secrets?: Record<string, unknown>
  memory?: { embedder?: string | { provider?: string } }
}

/** What no single field shows: references that lead nowhere, doubles, and doors left open. */
export function checkConfig(config: Checked, names: KnownNames): Finding[] {
  return [
    ...checkGateway(config),
    ...checkAgents(config, names),
    ...checkProviders(config, names),
    ...checkPlugins(config, names),
    ...checkBindings(config),
    ...checkChannels(config, names),
  ]
}

/** Addresses that nobody but this machine can reach. */
/** The version of a whole address, or 0; the short, octal and hexadecimal forms of IPv4 are none. */
const isIP = (text: string): 0 | 4 | 6 =>
  ipaddr.IPv4.isValidFourPartDecimal(text) ? 4 : ipaddr.IPv6.isValid(text) ? 6 : 0

export const isLoopback = (bind: string): boolean =>
  bind === "localhost" || bind === "::1" || (isIP(bind) === 4 && bind.startsWith("127."))

function* checkGateway({ gateway = {} }: Checked): Generator<Finding> {
  const { bind = "127.0.0.1", auth, origins = [], trusted_proxies = [] } = gateway
  if (auth === "none" && !isLoopback(bind)) {
    const hint = `without tokens everybody who reaches ${bind} is an operator; bind to 127.0.0.1 or use tokens`
    yield {
      path: ["gateway", "auth"],
      expected: '"token" on an address that others can reach',
      got: '"none"',
      hint,
    }
  }
  if (bind.includes(":") && isIP(bind) === 0) {
    const hint = "the port is gateway.port"
    yield {
      path: ["gateway", "bind"],
      expected: "an address without a port",
      got: JSON.stringify(bind),
      hint,
    }
  }
  for (const [index, origin] of origins.entries()) {
    if (origin === undefined || (URL.canParse(origin) && new URL(origin).origin === origin)) continue
    const expected = 'an origin such as "https://panel.example.com"'
    yield { path: ["gateway", "origins", index], expected, got: JSON.stringify(origin) }
  }
  for (const [index, range] of trusted_proxies.entries()) {
    if (range === undefined || isRange(range)) continue
    const expected = 'an address or a range such as "10.0.0.0/8"'
    yield { path: ["gateway", "trusted_proxies", index], expected, got: JSON.stringify(range) }
  }
}

function isRange(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/")
  const bits_max = { 0: undefined, 4: 32, 6: 128 }[isIP(address)]
  if (bits_max === undefined || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bits_max)
}

function* checkAgents(config: Checked, names: KnownNames): Generator<Finding> {
  const { providers, plugins } = config
  const all = agentsOf(config)
  const plugin_names = known(plugins?.map((plugin) => plugin?.name))
  const provider_names = providers && [...names.providers, ...Object.keys(providers)]
  for (const [index, [path, agent]] of all.entries()) {
    const { id, tools = [], permissions = {} } = agent
    if (id !== undefined && all.slice(0, index).some(([, other]) => other.id === id)) {
      yield { path: [...path, "id"], expected: "a name that no other agent has", got: JSON.stringify(id) }
    }
    if (provider_names) yield* checkModel(path, agent, provider_names)
    if (!plugin_names) continue
    yield* checkTools([...path, "tools"], tools, names.tools, plugin_names)
    yield* checkRules([...path, "permissions"], permissions, names.subjects, plugin_names)
  }
  const embedder = config.memory?.embedder
  if (typeof embedder !== "object" || embedder.provider === undefined || !provider_names) return
  if (provider_names.includes(embedder.provider)) return
  yield dangling(["memory", "embedder", "provider"], "a provider", embedder.provider, provider_names)
}

function agentsOf({ agent, agents = [] }: Checked): [Path, Agent][] {
  const further = agents.map((entry, index): [Path, Agent] => [["agents", index], entry ?? {}])
  return agent ? [[["agent"], agent], ...further] : further
}

/** A list of names, or undefined if one of them is not known because of another problem. */
const known = (names: (string | undefined)[] | undefined): string[] | undefined =>
  names?.every((name) => name !== undefined) ? names : undefined

function* checkModel(path: Path, { provider, fallback }: Model, providers: string[]): Generator<Finding> {
  if (provider !== undefined && !providers.includes(provider)) {
    yield dangling([...path, "provider"], "a provider", provider, providers)
  }
  if (fallback) yield* checkModel([...path, "fallback"], fallback, providers)
}

function* checkTools(
  path: Path,
  tools: (string | undefined)[],
  built_in: readonly string[],
  plugins: string[],
): Generator<Finding> {
  const names = [...built_in, ...plugins]
  for (const [index, tool] of tools.entries()) {
    if (tool === undefined || names.includes(tool)) continue
    if (isOfPlugin(tool, plugins)) continue
    yield dangling([...path, index], "a tool, a group of tools or a plugin", tool, names)
  }
}

/**
 * A plugin's tools are known only once it runs; here its name vouches for them: before a dot, before a colon, or as models
 * know it, before an underscore.
 */
const isOfPlugin = (tool: string, plugins: readonly string[]): boolean =>
  plugins.some((name) =>
    [`${name}.`, `${name}:`, `${name.replaceAll(".", "_")}_`].some((start) => tool.startsWith(start)),
  )

/** "subject" or "subject:pattern". A rule that is about nothing would protect from nothing. */
function* checkRules(
  path: Path,
  rules: Rules,
  subjects: readonly string[],
  plugins: string[],
): Generator<Finding> {
  const known_names = [...subjects, ...plugins]
  for (const verdict of ["allow", "ask", "deny"] as const) {
    for (const [index, rule] of (rules[verdict] ?? []).entries()) {
      if (rule === undefined) continue
      const at = [...path, verdict, index]
      const [subject = ""] = rule.split(":", 1)
      if (/:\s*$/.test(rule)) {
        const expected = `a pattern after the colon, or ${JSON.stringify(subject)} alone`
        yield { path: at, expected, got: JSON.stringify(rule) }
      } else if (!known_names.includes(subject) && !isOfPlugin(rule, plugins)) {
        yield dangling(at, "an effect, a tool or a group of tools", subject, known_names)
      }
    }
  }
}

function* checkProviders({ providers = {} }: Checked, names: KnownNames): Generator<Finding> {
  for (const [name, { kind, base_url }] of Object.entries(providers)) {
    if (names.providers.includes(name)) continue
    const near = nearest(name, names.providers)
    if (kind === undefined) {
      const hint = `${JSON.stringify(name)} does not say which wire it speaks`
      const expected = 'a kind, such as "openai-compatible"'
      yield {
        path: ["providers", name, "kind"],
        expected,
        got: "nothing",
        ...(near && { nearest: near }),
        hint,
      }
    } else if (kind === "openai-compatible" && base_url === undefined) {
      yield { path: ["providers", name, "base_url"], expected: "the address of the API", got: "nothing" }
    }
  }
}

function* checkPlugins({ plugins = [], secrets }: Checked, { subjects }: KnownNames): Generator<Finding> {
  for (const [index, { name, capabilities = [] } = {}] of plugins.entries()) {
    if (name !== undefined && subjects.includes(name)) {
      const hint = "a rule with that name would be about both"
      const expected = "a name that is not that of a built-in tool, a group of tools or an effect"
      yield { path: ["plugins", index, "name"], expected, got: JSON.stringify(name), hint }
    }
    if (name !== undefined && plugins.findIndex((other) => other?.name === name) < index) {
      const expected = "a name that no other plugin has"
      yield { path: ["plugins", index, "name"], expected, got: JSON.stringify(name) }
    }
    yield* checkGrants(["plugins", index, "capabilities"], capabilities, secrets)
  }
}

function* checkBindings({ bindings = [], agent, agents }: Checked): Generator<Finding> {
  const ids = agents && known([agent, ...agents].map((entry) => entry?.id))
  for (const [index, binding] of bindings.entries()) {
    if (!binding) continue
    const { agent_id, ...selectors } = binding
    const path: Path = ["bindings", index]
    if (Object.keys(selectors).length === 0) {
      const expected = "at least one of channel, account_id, peer_id, guild_id and team_id"
      yield { path, expected, got: "none", hint: "where no binding matches the default agent answers anyway" }
    }
    if (agent_id === undefined || !ids || ids.includes(agent_id)) continue
    yield dangling([...path, "agent_id"], "an agent", agent_id, ids)
  }
}

/** The gateway's own sockets, where who speaks has a token. */
export const own_channels = ["ws", "api"]

/** A table without a plugin and a signature is another program's, and nobody writes to it. */
function* checkChannels({ channels = {}, plugins }: Checked, names: KnownNames): Generator<Finding> {
  const plugin_names = known(plugins?.map((plugin) => plugin?.name))
  for (const [name, channel] of Object.entries(channels)) {
    const path: Path = ["channels", name]
    const { plugin, signature } = channel
    if (own_channels.includes(name) && (plugin ?? signature) !== undefined) {
      const hint = "whoever has a token speaks there; a platform's people would share their sessions"
      yield { path, expected: "another name than those of the gateway's own channels", got: name, hint }
    }
    if (plugin_names && plugin !== undefined && !plugin_names.includes(plugin)) {
      yield dangling([...path, "plugin"], "a plugin", plugin, plugin_names)
    }
    const scheme = names.signatures.find((one) => one.name === signature)
    for (const { field, ...problem } of scheme?.check(channel) ?? []) {
      yield { path: [...path, field], ...problem }
    }
    if (signature !== undefined || plugin === undefined) continue
    const hint = "without one anybody could write in the name of the platform"
    const expected = `one of ${names.signatures.map((one) => one.name).join(", ")}`
    yield { path: [...path, "signature"], expected, got: "nothing", hint }
  }
}
