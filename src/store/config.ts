import { type Static, Type } from "@sinclair/typebox"
import { defineSection } from "../config/section.ts"

export const retentionSection = defineSection(
  "retention",
  Type.Object(
    {
      messages_days: Type.Optional(
        Type.Integer({
          minimum: 1,
          description: "Days that messages are kept; unset: for ever.",
          examples: [365],
        }),
      ),
      turn_events_hours: Type.Integer({
        default: 24,
        minimum: 1,
        description: "Hours that a turn's events can be replayed.",
      }),
      tool_results_hours: Type.Integer({
        default: 168,
        minimum: 1,
        description: "Hours that a tool's result which was too long to show can be read.",
      }),
      tool_calls_days: Type.Optional(
        Type.Integer({
          minimum: 1,
          description: "Days that the record of tool calls and who decided them is kept; unset: for ever.",
          examples: [365],
        }),
      ),
    },
    { additionalProperties: false, description: "How long things are kept." },
  ),
)

export type RetentionConfig = Static<typeof retentionSection.schema>
