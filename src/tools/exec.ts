import { Type } from "@sinclair/typebox"
import { defineTool } from "./tool.ts"

// What reads commands is much, and most turns run none.
const load = () => import("./run-command.ts")

export const exec = defineTool({
  name: "exec",
  description: "Run a command in the workspace.",
  effect: "execute",
  group: "shell",
  params: Type.Object(
    {
      command: Type.Union([Type.String(), Type.Array(Type.String())], {
        description: "Shell text, or argv.",
      }),
      working_dir: Type.Optional(Type.String({ description: "Folder." })),
      timeout_ms: Type.Optional(Type.Integer({ description: "Its time." })),
      stdin: Type.Optional(Type.String({ description: "Input." })),
    },
    { additionalProperties: false },
  ),
  targets: async (input, context) => (await load()).targetsOf(input, context),
  run: async (input, context) => (await load()).runCommand(input, context),
})
