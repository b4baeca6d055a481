import { type Static, Type } from "@sinclair/typebox"
import { defineSection, Secret } from "../config/section.ts"

const Patterns = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { default: [], description })

const Permissions = Type.Object(
  {
    allow: Patterns('Effects, tools or "tool:argument" patterns that run without asking.'),
    ask: Patterns("The same, for what an operator must approve."),
    deny: Patterns("The same, for what never runs."),
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
      Type.String({ minLength: 1, description: "The agent's own folder, relative to the home." }),
    ),
    read: Patterns("Further folders that may be read."),
    write: Patterns("Further folders that may be written."),
    network: Patterns("Hosts that an executed program may reach; empty: none."),
  },
  { additionalProperties: false, description: "The walls around what the agent executes." },
)

const model_fields = {
  provider: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'A name from [providers]; unset: the first with a key, else "offline".',
    }),
  ),
  model: Type.Optional(
    Type.String({ minLength: 1, description: "The provider's name of the model; unset: its default." }),
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
    }),
  ),
  api_key: Type.Optional(Secret({ description: "A key for this agent only; better under [providers]." })),
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
  }),
  system_prompt: Type.Optional(Type.String({ description: "What the model is told first." })),
  soul_path: Type.Optional(
    Type.String({
      minLength: 1,
      description: "A file with who the agent is, relative to the configuration; read again when it changes.",
    }),
  ),
  tools: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: "Names of tools; unset: the built-in ones that need no grant.",
    }),
  ),
  fallback: Type.Optional(Type.Unsafe<Fallback>(FallbackSchema)),
  permissions: Type.Optional(Permissions),
  sandbox: Type.Optional(Sandbox),
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
      { id: Type.String({ pattern: id_pattern, description: "The agent's name." }), ...agent_fields },
      { additionalProperties: false },
    ),
    { default: [], description: "Further agents: the fields of [agent] and an id." },
  ),
)

export type AgentConfig = Static<typeof agentSection.schema>

export const budgetsSection = defineSection(
  "budgets",
  Type.Object(
    Object.fromEntries(
      ["session", "daily", "monthly"].flatMap((scope) => [
        [scope, Type.Optional(Type.Integer({ minimum: 0, description: `Tokens a ${scope} budget allows.` }))],
        [
          `${scope}_usd`,
          Type.Optional(Type.Number({ minimum: 0, description: `Dollars a ${scope} budget allows.` })),
        ],
      ]),
    ),
    { additionalProperties: false, description: "Limits on what models may cost; unset: none." },
  ),
)
