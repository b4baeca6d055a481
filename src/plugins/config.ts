import { type Static, Type } from "@sinclair/typebox"
import { capability_forms } from "../config/capability.ts"
import { defineSection } from "../config/section.ts"

export const pluginsSection = defineSection(
  "plugins",
  Type.Array(
    Type.Object(
      {
        name: Type.String({
          pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
          description: "The plugin's name.",
          examples: ["echo"],
        }),
        path: Type.String({
          minLength: 1,
          description:
            "Its WebAssembly module, relative to the configuration; its manifest lies beside it (x.toml for x.wasm).",
          examples: ["plugins/echo.wasm"],
          file: true,
        }),
        capabilities: Type.Array(Type.String(), {
          default: [],
          description: `What it is granted: ${capability_forms}.`,
          examples: [["http:api.example.com", "store:notes"]],
        }),
        sha256: Type.Optional(
          Type.String({
            pattern: "^[0-9a-f]{64}$",
            description:
              "The module that is meant, by its SHA-256; another one does not run. Unset: the first one seen.",
            examples: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
          }),
        ),
      },
      { additionalProperties: false },
    ),
    { default: [], description: "Plugins and what each is granted." },
  ),
)

export type PluginConfig = Static<typeof pluginsSection.schema>[number]

export const runnersSection = defineSection(
  "runners",
  Type.Object(
    {
      processes_max: Type.Integer({
        default: 4,
        minimum: 1,
        maximum: 64,
        description: "Most processes that run plugins at once, each for one plugin.",
      }),
      idle_ms: Type.Integer({
        default: 300_000,
        minimum: 0,
        maximum: 86_400_000,
        description: "How long a process without a call is kept, in milliseconds.",
      }),
    },
    { additionalProperties: false, description: "The processes that plugins run in.", restart: true },
  ),
)

export type RunnersConfig = Static<typeof runnersSection.schema>
