import { type Static, Type } from "@sinclair/typebox"
import { defineSection } from "../config/section.ts"

const Count = (description: string, value: number, minimum = 0) =>
  Type.Integer({ default: value, minimum, description })

const Context = Type.Object(
  {
    facts_tokens: Count("Most tokens of what is known.", 400),
    recalled_tokens: Count("Most tokens of passages that were found for the message.", 900),
    summary_tokens: Count("Most tokens of summaries of older stretches.", 1_500),
    recent_tokens: Count("Most tokens of recent turns; the last one is always whole.", 12_000),
  },
  {
    default: {},
    additionalProperties: false,
    description: "How much of a model's context each part of the memory may take. 0: nothing of it.",
  },
)

const Tiers = Type.Object(
  {
    hot_rows_max: Count("Most rows whose exact vectors are in a mapped file as well.", 200_000),
    warm_rows_max: Count("Most further rows of which bytes are in a mapped file.", 2_000_000),
    warm_after_days: Count("Days without use after which a row is no longer hot.", 90, 1),
    cold_after_days: Count(
      "Days without use after which only bits of it are in a mapped file, its text and vector in the database.",
      365,
      1,
    ),
  },
  {
    default: {},
    additionalProperties: false,
    description:
      "Where vectors are kept. Rows move by themselves, by when they were last used; up to 100,000 rows all of them are hot.",
  },
)

export const memorySection = defineSection(
  "memory",
  Type.Object(
    {
      episodic_window: Type.Integer({
        default: 5,
        minimum: 0,
        maximum: 1000,
        description:
          "Past turns of a session that the model always sees whole. Up to as many older ones are seen until they are summarised.",
      }),
      semantic_enabled: Type.Boolean({
        default: true,
        description: "Whether facts are learnt from conversations, and what was said before is found again.",
      }),
      senders: Type.Union([Type.Literal("apart"), Type.Literal("together")], {
        default: "apart",
        description:
          'Whether what one sender says to an agent is for himself only ("apart"), or for all senders of that agent ("together": where they are one person, or a team).',
      }),
      learn_from: Type.Union([Type.Literal("patterns"), Type.Literal("model"), Type.Literal("none")], {
        default: "patterns",
        description:
          'How facts are learnt: "patterns" (at once, offline), "model" (patterns at once, then the agent\'s model in the background, which costs tokens), or "none".',
      }),
      summaries: Type.Union([Type.Literal("model"), Type.Literal("sentences"), Type.Literal("none")], {
        default: "model",
        description:
          'How older stretches become summaries, in the background: "model" (the agent\'s; with "offline" as "sentences"), "sentences" (the weightiest are picked), or "none".',
      }),
      embedder: Type.Union(
        [
          Type.Literal("hash"),
          Type.Object(
            {
              provider: Type.String({
                minLength: 1,
                description: "A name from [providers].",
                examples: ["openai"],
              }),
              model: Type.String({
                minLength: 1,
                description: "Its embedding model.",
                examples: ["text-embedding-3-small"],
              }),
              batch_max: Type.Integer({
                default: 96,
                minimum: 1,
                maximum: 2048,
                description: "Most texts in one request.",
              }),
              dimensions: Type.Optional(
                Type.Integer({
                  minimum: 1,
                  maximum: 4096,
                  description: "Length of its vectors, for models that can shorten them.",
                  examples: [512],
                }),
              ),
            },
            { additionalProperties: false },
          ),
        ],
        { default: "hash", description: 'What makes vectors: "hash" (offline) or a provider\'s model.' },
      ),
      index: Type.Union([Type.Literal("auto"), Type.Literal("exact"), Type.Literal("hnsw")], {
        default: "auto",
        description:
          'How vectors are searched: all of them ("exact"), by a graph ("hnsw"), or by a graph from 200,000 on ("auto").',
      }),
      context: Context,
      tiers: Tiers,
    },
    { additionalProperties: false, description: "What the agents remember." },
  ),
)

export type MemoryConfig = Static<typeof memorySection.schema>
