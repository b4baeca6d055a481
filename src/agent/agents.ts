import { join, resolve } from "node:path"
import { AppError } from "../base/errors.ts"
import { openSoul, openSoulFolder } from "../memory/soul.ts"
import type { AnyTool } from "../tools/tool.ts"
import type { AgentConfig, Fallback } from "./config.ts"
import type { Walls } from "./hands.ts"
import { type ModelChoice, type Models, nameOf } from "./model.ts"
import { openWalls, type WallsOptions } from "./walls.ts"

export type Agent = {
  id: string
  /** The models that answer, in the order in which they are tried. */
  chain: ModelChoice[]
  /** The models that a client may ask for, as "provider/model". */
  models: string[]
  tools: AnyTool[]
  /** What limits them. */
  walls: Walls
  /** What the model is told first; the soul file is read again when it changes. */
  system(): string
  /** What stands in the files of its folder, for a turn without a session; in one the memory tells it. */
  soul(): string
}

export type Agents = ReadonlyMap<string, Agent>

export type AgentsOptions = {
  agent: AgentConfig
  agents: AgentConfig[]
  models: Models
  tools: readonly AnyTool[]
  /** The folder that relative paths of the configuration start from. */
  folder: string
  /** Whether people reach the agent from elsewhere than this gateway's own sockets. */
  isReached(id: string): boolean
} & WallsOptions

export function openAgents({ agent, agents, ...options }: AgentsOptions): Agents {
  return new Map([agent, ...agents].map((config) => [config.id, openAgent(config, options)]))
}

function openAgent(config: AgentConfig, options: Omit<AgentsOptions, "agent" | "agents">): Agent {
  const { models, tools, folder, home, isReached } = options
  const chain = toChain(config, models)
  const soul = config.soul_path === undefined ? undefined : openSoul(resolve(folder, config.soul_path))
  const readFolder = openSoulFolder(join(home, "agents", config.id))
  const asked = config.models.map((name) => nameOf(toChoice(name, chain[0]!, models)))
  return {
    id: config.id,
    chain,
    models: [...new Set([...chain.map(nameOf), ...asked])],
    tools: pickTools(tools, config),
    walls: openWalls(config, isReached(config.id), options),
    system: () => [config.system_prompt, soul?.()].filter(Boolean).join("\n\n"),
    soul: () =>
      readFolder()
        .map(({ text }) => text)
        .filter(Boolean)
        .join("\n\n"),
  }
}

/** By name, by group, or all by "*"; unset: of those that are built in what does nothing or only reads. */
function pickTools(tools: readonly AnyTool[], { tools: wanted, permissions }: AgentConfig): AnyTool[] {
  const picked = tools.filter(({ name, alias, group, effect }) =>
    wanted
      ? wanted.some((one) => one === name || one === alias || one === group || one === "*")
      : alias === undefined && (effect === "none" || effect === "read"),
  )
  // The rules are asked about effects; one that has none and is denied nevertheless is taken away.
  const denied = permissions?.deny ?? []
  return picked.filter(
    ({ name, alias = name, group = name, effect }) =>
      effect !== "none" || ![name, alias, group].some((one) => denied.includes(one)),
  )
}

function toChain(config: AgentConfig | Fallback, models: Models): ModelChoice[] {
  const { provider, model, max_tokens, temperature, api_key, fallback } = config
  const choice: ModelChoice = {
    ...models.pick(provider, model),
    tokens_max: max_tokens,
    ...(temperature !== undefined && { temperature }),
    ...(api_key !== undefined && { api_key }),
  }
  return fallback ? [choice, ...toChain(fallback, models)] : [choice]
}

/** "provider/model" where the first part is a provider, else a model of the first one's provider. */
function toChoice(name: string, first: ModelChoice, models: Models): ModelChoice {
  const slash = name.indexOf("/")
  const provider = name.slice(0, Math.max(0, slash))
  if (!models.has(provider)) return { ...first, model: name }
  const { api_key: _key, ...shared } = first
  return { ...shared, provider, model: name.slice(slash + 1) }
}

/** The agent's chain with the asked-for model in front. Throws forbidden where the agent may not use it. */
export function chainFor(agent: Agent, model: string | undefined, models: Models): ModelChoice[] {
  if (model === undefined) return agent.chain
  const choice = toChoice(model, agent.chain[0]!, models)
  const name = nameOf(choice)
  if (!agent.models.includes(name)) {
    throw new AppError("forbidden", { what: "model", model, allowed: agent.models })
  }
  const own = agent.chain.find((one) => nameOf(one) === name)
  return [own ?? choice, ...agent.chain.filter((one) => nameOf(one) !== name)]
}

/** What a turn asks: its own model, else the session's, with its own limits. */
export function chainOf(
  {
    agent,
    model,
    tokens_max,
    temperature,
  }: { agent: Agent; model?: string; tokens_max?: number; temperature?: number },
  session_model: string | null,
  models: Models,
): ModelChoice[] {
  // A session's model that the configuration no longer allows falls back to the agent's own.
  const kept = session_model !== null && agent.models.includes(session_model) ? session_model : undefined
  return chainFor(agent, model ?? kept, models).map((choice) => ({
    ...choice,
    tokens_max: Math.min(choice.tokens_max, tokens_max ?? choice.tokens_max),
    ...(temperature !== undefined && { temperature }),
  }))
}
