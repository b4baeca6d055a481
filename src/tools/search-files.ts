import { Type } from "@sinclair/typebox"
import { defineTool } from "./tool.ts"

export const searchFiles = defineTool({
  name: "search_files",
  description: "Find lines, or files by glob; not in git-ignored files.",
  effect: "read",
  group: "files",
  params: Type.Object(
    {
      pattern: Type.Optional(Type.String({ description: "Regex; (?i) ignores case." })),
      glob: Type.Optional(Type.String({ description: 'As "*.{ts,js}".' })),
      path: Type.Optional(Type.String({ description: "Where." })),
      limit: Type.Optional(Type.Integer({ description: "Default 100." })),
    },
    { additionalProperties: false },
  ),
  targets: ({ path = "." }, { files }) => [files.toTarget(path, "read")],
  async run(input, context) {
    // With it come a language of patterns and what reads it: much for a start that searches nothing.
    const { search } = await import("./search/search.ts")
    return search(input, context, context.findProgram("rg"))
  },
})
