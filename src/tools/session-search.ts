import { Type } from "@sinclair/typebox"
import { defineTool } from "./tool.ts"

export const sessionSearch = defineTool({
  name: "session_search",
  description: "Search past conversations for words; all of them must occur in a message.",
  effect: "none",
  params: Type.Object(
    {
      query: Type.String({ minLength: 1, maxLength: 500, description: "The words." }),
      limit: Type.Integer({ default: 8, minimum: 1, maximum: 50, description: "Most messages to show." }),
    },
    { additionalProperties: false },
  ),
  run({ query, limit }, { searchSessions }) {
    const hits = searchSessions(query, limit)
    if (hits.length === 0) return `No message has all the words of "${query}". Try fewer or other words.`
    return hits
      .map(({ session_key, role, created_ms, snippet }) => {
        const when = new Date(created_ms).toISOString().slice(0, 16)
        return `${when} ${role} in ${session_key}: ${snippet.replace(/\s+/g, " ")}`
      })
      .join("\n")
  },
})
