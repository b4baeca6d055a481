import { type Static, Type } from "@sinclair/typebox"
import { defineSection, Secret } from "../config/section.ts"

const WebSearch = Type.Object(
  {
    engine: Type.Optional(
      Type.Union([Type.Literal("brave"), Type.Literal("searxng"), Type.Literal("duckduckgo")], {
        description: 'Who searches; unset: "searxng" with a base_url, "brave" with a key, else "duckduckgo".',
      }),
    ),
    api_key: Type.Optional(Secret({ description: "Brave's key.", examples: [{ env: "BRAVE_API_KEY" }] })),
    base_url: Type.Optional(
      Type.String({
        pattern: "^https?://",
        description: "Where a SearXNG answers; it may be on this machine.",
        examples: ["http://127.0.0.1:8888"],
      }),
    ),
  },
  { additionalProperties: false, default: {}, description: "The web search." },
)

export const toolsSection = defineSection(
  "tools",
  Type.Object(
    {
      web_search: WebSearch,
      approval_timeout_ms: Type.Integer({
        default: 300_000,
        minimum: 1_000,
        maximum: 2_147_483_647,
        description: "How long somebody may take to answer before a call that asks is denied.",
      }),
      output_bytes_max: Type.Integer({
        default: 262_144,
        minimum: 4_096,
        description:
          "What the tools of one turn may add to the conversation; beyond it only the ends are shown.",
      }),
      exec_timeout_ms: Type.Integer({
        default: 60_000,
        minimum: 100,
        description: "How long a program may run where the call does not say.",
      }),
      exec_memory_bytes_max: Type.Integer({
        default: 2_147_483_648,
        minimum: 16_777_216,
        description: "Memory of a program and all that it starts.",
      }),
      exec_processes_max: Type.Integer({
        default: 256,
        minimum: 1,
        description: "Processes and threads of a program and all that it starts.",
      }),
      exec_file_bytes_max: Type.Integer({
        default: 1_073_741_824,
        minimum: 0,
        description: "The largest file that a program may write.",
      }),
    },
    { additionalProperties: false, description: "What holds for the tools of all agents." },
  ),
)

export type ToolsConfig = Static<typeof toolsSection.schema>
