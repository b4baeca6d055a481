import { type Static, Type } from "@sinclair/typebox"
import { defineSection, Secret } from "../config/section.ts"

const Patterns = (description: string, example: string[]) =>
  Type.Array(Type.String({ minLength: 1 }), { default: [], description, examples: [example] })

const Permissions = Type.Object(
  {
    allow: Patterns('Effects, tools or "tool:argument" patterns that run without asking.', [
      "read",
      "exec:git status",
      "web_fetch:*.example.com",
    ]),
    ask: Patterns("The same, for what an operator must approve.", ["write", "execute"]),
    deny: Patterns("The same, for what never runs.", ["exec:rm", "network:*.internal"]),
  },
  { additionalProperties: false, description: "What the agent's tools may do." },
)

const Sandbox = Type.Object(
  {
    mode: Type.Optional(
      Type.Union([Type.Literal("require"), Type.Literal("prefer"), Type.Literal("off")], {
        description: 'Whether programs run sandboxed; unset: "require" where a channel reaches the agent.',
      }),
    ),
    workspace: Type.Optional(
      Type.String({
        minLength: 1,
        description: "The agent's own folder, relative to the home.",
        examples: ["agents/default/workspace"],
      }),
    ),
    read: Patterns("Further folders that may be read.", ["/srv/docs"]),
    write: Patterns("Further folders that may be written.", ["/srv/reports"]),
    network: Patterns("Hosts that an executed program may reach; empty: none.", ["api.example.com"]),
  },
  { additionalProperties: false, description: "The walls around what the agent executes." },
)

const Namespaces = (description: string) =>
  Type.Array(Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,63}$" }), {
    default: [],
    description,
    examples: [["team"]],
  })

const SharedMemory = Type.Object(
  {
    share: Namespaces("Shared namespaces that the agent may put memories into, for agents that read them."),
    read: Namespaces("Shared namespaces that the agent reads, of what other agents share there."),
  },
  {
    additionalProperties: false,
    description: "What agents remember together; both sides have to name the namespace.",
  },
)

const model_fields = {
  provider: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'A name from [providers]; unset: the first with a key, else "offline".',
      examples: ["anthropic"],
    }),
  ),
  model: Type.Optional(
    Type.String({
      minLength: 1,
      description: "The provider's name of the model; unset: its default.",
      examples: ["claude-sonnet-5"],
    }),
  ),
  max_tokens: Type.Integer({
    default: 4096,
    minimum: 1,
    description: "Most tokens of one answer.",
  }),
  temperature: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 2,
      description: "Sampling temperature; unset: the provider's default.",
      examples: [0.7],
    }),
  ),
  api_key: Type.Optional(
    Secret({
      description: "A key for this agent only; better under [providers].",
      examples: [{ env: "ANTHROPIC_API_KEY" }],
    }),
  ),
}

/** Recursive: a fallback may have a fallback. */
export type Fallback = {
  provider?: string
  model?: string
  max_tokens: number
  temperature?: number
  api_key?: string
  fallback?: Fallback
}

const FallbackSchema = Type.Recursive(
  (self) => Type.Object({ ...model_fields, fallback: Type.Optional(self) }, { additionalProperties: false }),
  { $id: "fallback", description: "Answers when this one cannot: the same fields; may nest." },
)

const agent_fields = {
  ...model_fields,
  models: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description: 'Further models that clients may ask this agent for: "model" or "provider/model".',
    examples: [["claude-haiku-4-5", "openai/gpt-4o"]],
  }),
  system_prompt: Type.Optional(
    Type.String({ description: "What the model is told first.", examples: ["Answer briefly."] }),
  ),
  soul_path: Type.Optional(
    Type.String({
      minLength: 1,
      description: "A file with who the agent is, relative to the configuration; read again when it changes.",
      examples: ["SOUL.md"],
      file: true,
    }),
  ),
  tools: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: "Names of tools, groups or plugins; unset: the built-in tools that need no grant.",
      examples: [["current_time"]],
    }),
  ),
  fallback: Type.Optional(Type.Unsafe<Fallback>(FallbackSchema)),
  permissions: Type.Optional(Permissions),
  sandbox: Type.Optional(Sandbox),
  memory: Type.Optional(SharedMemory),
}

const id_pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"

export const agentSection = defineSection(
  "agent",
  Type.Object(
    {
      id: Type.String({
        default: "default",
        pattern: id_pattern,
        description: "Name of the agent that answers where no binding says otherwise.",
      }),
      ...agent_fields,
    },
    { additionalProperties: false, description: "The default agent." },
  ),
)

export const agentsSection = defineSection(
  "agents",
  Type.Array(
    Type.Object(
      {
        id: Type.String({ pattern: id_pattern, description: "The agent's name.", examples: ["work"] }),
        ...agent_fields,
      },
      { additionalProperties: false },
    ),
    { default: [], description: "Further agents: the fields of [agent] and an id." },
  ),
)

export type AgentConfig = Static<typeof agentSection.schema>

const Tokens = (scope: string, example: number) =>
  Type.Optional(Type.Integer({ minimum: 0, description: `Tokens ${scope} may use.`, examples: [example] }))
const Dollars = (scope: string, example: number) =>
  Type.Optional(
    Type.Number({ minimum: 0, description: `US dollars ${scope} may cost.`, examples: [example] }),
  )

export const budgetsSection = defineSection(
  "budgets",
  Type.Object(
    {
      session: Tokens("a session", 200_000),
      daily: Tokens("a day (UTC)", 2_000_000),
      monthly: Tokens("a month (UTC)", 40_000_000),
      session_usd: Dollars("a session", 1),
      daily_usd: Dollars("a day (UTC)", 5),
      monthly_usd: Dollars("a month (UTC)", 50),
    },
    { additionalProperties: false, description: "Limits on what models may cost; unset: none." },
  ),
)

export type BudgetsConfig = Static<typeof budgetsSection.schema>
