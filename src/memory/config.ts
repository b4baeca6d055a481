import { type Static, Type } from "@sinclair/typebox"
import { defineSection } from "../config/section.ts"

export const memorySection = defineSection(
  "memory",
  Type.Object(
    {
      episodic_window: Type.Integer({
        default: 5,
        minimum: 0,
        maximum: 1000,
        description: "Past turns of a session that the model sees.",
      }),
      semantic_enabled: Type.Boolean({
        default: true,
        description: "Whether facts are learnt from conversations.",
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
            },
            { additionalProperties: false },
          ),
        ],
        { default: "hash", description: 'What makes vectors: "hash" (offline) or a provider\'s model.' },
      ),
    },
    { additionalProperties: false, description: "What the agents remember." },
  ),
)

export type MemoryConfig = Static<typeof memorySection.schema>
