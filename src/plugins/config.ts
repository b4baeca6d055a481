import { type Static, Type } from "@sinclair/typebox"
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
          description: "Its WASI module, relative to the configuration.",
          examples: ["plugins/echo.wasm"],
          file: true,
        }),
        capabilities: Type.Array(Type.String(), {
          default: [],
          description: "What it is granted: http:<host>, store:<name>, env:<NAME>, fs:<path>:ro|rw.",
          examples: [["http:api.example.com", "store:notes"]],
        }),
      },
      { additionalProperties: false },
    ),
    { default: [], description: "WASI plugins and what each is granted." },
  ),
)

export type PluginConfig = Static<typeof pluginsSection.schema>[number]
