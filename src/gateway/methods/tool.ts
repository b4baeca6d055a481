import { type TSchema, Type } from "@sinclair/typebox"
import { openCaller } from "../../agent/call.ts"
import { openToolbox } from "../../agent/toolbox.ts"
import { AppError } from "../../base/errors.ts"
import { listToolCalls } from "../../store/tool-calls.ts"
import { agentFor, agentsFilter, sessionFor } from "../access.ts"
import { reaches } from "../auth.ts"
import { defineMethod, Params } from "../rpc.ts"

const Nullable = (schema: TSchema, options = {}) => Type.Union([schema, Type.Null()], options)

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
    agent: Type.Optional(Type.String({ description: "Unset: the session's, else the default agent." })),
    session_key: Type.Optional(
      Type.String({
        description: "As a call in this conversation; unset: in none, which has no stores of its own.",
      }),
    ),
  }),
  result: Type.Object({ content: Type.String(), is_error: Type.Boolean(), duration_ms: Type.Number() }),
  async run({ name, input, agent: id, session_key }, { app, peer, caller }) {
    const session = session_key === undefined ? undefined : sessionFor(app, caller, session_key)
    if (session && id !== undefined && id !== session.agent) {
      throw new AppError("invalid_params", { path: "/agent", expected: "the agent of the session, or none" })
    }
    const agent = agentFor(app, caller, session?.agent ?? id ?? app.live().default_agent)
    const call = openCaller(
      {
        agent,
        toolbox: openToolbox(agent.tools, []),
        session_key: session_key ?? null,
        turn_id: null,
        signal: peer.signal,
        tell: () => undefined,
        is_bounded: false,
      },
      app.calls,
    )
    const { event } = await call.call({ type: "tool_use", id: "tool.call", name, input })
    const writes = call.takeWrites()
    await app.store.commit((db) => {
      for (const write of writes) write(db)
    })
    const { content, is_error, duration_ms } = event
    return { content, is_error, duration_ms }
  },
})

const Row = Type.Object({
  id: Type.String(),
  turn_id: Nullable(Type.String()),
  session_key: Nullable(Type.String()),
  agent: Type.String(),
  tool: Type.String(),
  targets: Type.Array(Type.Unknown(), { description: "What it would do." }),
  verdict: Type.String({ description: "allow or deny." }),
  decided_by: Type.String({ description: "The rule, the grant or the person." }),
  outcome: Nullable(Type.String(), {
    description: "ok, error, denied or aborted; null while it runs, and for ever where a crash ended it.",
  }),
  duration_ms: Nullable(Type.Number()),
  output_bytes: Nullable(Type.Integer()),
  created_ms: Type.Integer(),
})

export const toolCalls = defineMethod({
  name: "tool.calls",
  summary: "The record of tool calls and of who decided them, newest first.",
  scope: "admin",
  params: Params({
    agent: Type.Optional(Type.String()),
    session_key: Type.Optional(Type.String()),
    before: Type.Optional(Type.String({ description: "The id that the last answer ended with." })),
    limit: Type.Integer({ default: 50, minimum: 1, maximum: 500 }),
  }),
  result: Type.Object({ calls: Type.Array(Row), next: Type.Optional(Type.String()) }),
  run({ agent, session_key, before, limit }, { app, caller }) {
    const filter = { agents: agentsFilter(caller, agent), session_key, before, limit }
    const rows = listToolCalls(app.store.db, filter)
    const calls = rows.map((row) => ({ ...row, targets: JSON.parse(row.targets) as unknown[] }))
    return { calls, ...(rows.length === limit && { next: rows.at(-1)!.id }) }
  },
})
