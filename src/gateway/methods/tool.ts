import { Type } from "@sinclair/typebox"
import { callTool } from "../../agent/loop.ts"
import { searchMessages } from "../../store/messages.ts"
import { agentFor } from "../access.ts"
import { reaches } from "../auth.ts"
import { defineMethod, Params } from "../rpc.ts"

export const toolList = defineMethod({
  name: "tool.list",
  summary: "The tools and the agents that have them.",
  scope: "read",
  params: Params({}),
  result: Type.Object({
    tools: Type.Array(
      Type.Object({
        name: Type.String(),
        description: Type.String(),
        effect: Type.String({ description: "none, read, write, execute, network or send." }),
        input_schema: Type.Unknown(),
        agents: Type.Array(Type.String()),
      }),
    ),
  }),
  run(_params, { app, caller }) {
    const { tools, agents } = app.live()
    const seen = [...agents.values()].filter(({ id }) => reaches(caller, id))
    return {
      tools: tools.map((tool) => ({
        name: tool.name,
        description: tool.description,
        effect: tool.effect,
        input_schema: tool.params,
        agents: seen.filter((agent) => agent.tools.includes(tool)).map(({ id }) => id),
      })),
    }
  },
})

export const toolCall = defineMethod({
  name: "tool.call",
  summary: "Run one of an agent's tools, as its model would.",
  scope: "admin",
  params: Params({
    name: Type.String({ minLength: 1 }),
    input: Type.Unknown({ default: {} }),
    agent: Type.Optional(Type.String({ description: "Unset: the default agent." })),
  }),
  result: Type.Object({ content: Type.String(), is_error: Type.Boolean(), duration_ms: Type.Number() }),
  async run({ name, input, agent: id }, { app, peer, caller }) {
    const agent = agentFor(app, caller, id ?? app.live().default_agent)
    const { content, is_error, duration_ms } = await callTool(
      { type: "tool_use", id: "tool.call", name, input },
      {
        tools: agent.tools,
        signal: peer.signal,
        tool_context: {
          agent: agent.id,
          session_key: "",
          signal: peer.signal,
          now_ms: app.now_ms,
          searchSessions: (query, limit) =>
            searchMessages(app.store.db, { query, agents: [agent.id], limit }),
        },
      },
    )
    return { content, is_error, duration_ms }
  },
})
