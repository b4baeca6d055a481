import { type Static, Type } from "@sinclair/typebox"
import type { Agent } from "../../agent/agents.ts"
import { nameOf } from "../../agent/model.ts"
import { AppError } from "../../base/errors.ts"
import { agentFor } from "../access.ts"
import type { App } from "../app.ts"
import { reaches } from "../auth.ts"
import { defineMethod, Params } from "../rpc.ts"

const AgentOut = Type.Object({
  id: Type.String(),
  is_default: Type.Boolean(),
  model: Type.String({ description: '"provider/model".' }),
  fallbacks: Type.Array(Type.String()),
  models: Type.Array(Type.String(), { description: "All that may be asked for." }),
  tools: Type.Array(Type.String()),
})

const toOut = (app: App, { id, chain, models, tools }: Agent): Static<typeof AgentOut> => {
  const [model, ...fallbacks] = chain.map(nameOf)
  const is_default = id === app.live().default_agent
  return { id, is_default, model: model!, fallbacks, models, tools: tools.map(({ name }) => name) }
}

export const agentList = defineMethod({
  name: "agent.list",
  summary: "The agents that the token reaches.",
  scope: "read",
  params: Params({}),
  result: Type.Object({ agents: Type.Array(AgentOut) }),
  run(_params, { app, caller }) {
    const agents = [...app.live().agents.values()].filter(({ id }) => reaches(caller, id))
    return { agents: agents.map((agent) => toOut(app, agent)) }
  },
})

export const agentGet = defineMethod({
  name: "agent.get",
  summary: "One agent.",
  scope: "read",
  params: Params({ id: Type.String() }),
  result: AgentOut,
  run({ id }, { app, caller }) {
    if (!reaches(caller, id)) throw new AppError("not_found", { what: "agent", agent: id })
    return toOut(app, agentFor(app, caller, id))
  },
})
