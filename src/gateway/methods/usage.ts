import { Type } from "@sinclair/typebox"
import { groupings, sumUsage } from "../../store/usage.ts"
import { agentsFilter } from "../access.ts"
import { defineMethod, Params } from "../rpc.ts"

const By = Type.Union(
  Object.keys(groupings).map((name) => Type.Literal(name as keyof typeof groupings)),
  { default: "none", description: "What to sum by; days are UTC." },
)

export const usageGet = defineMethod({
  name: "usage.get",
  summary: "Tokens and money that models cost.",
  scope: "read",
  params: Params({
    by: By,
    since_ms: Type.Integer({ default: 0, minimum: 0, description: "From this time on." }),
    until_ms: Type.Integer({
      default: Number.MAX_SAFE_INTEGER,
      minimum: 0,
      description: "Before this time.",
    }),
    agent: Type.Optional(Type.String()),
    session_key: Type.Optional(Type.String()),
  }),
  result: Type.Object({
    groups: Type.Array(
      Type.Object({
        group: Type.String(),
        calls: Type.Integer(),
        input_tokens: Type.Integer(),
        output_tokens: Type.Integer(),
        cached_tokens: Type.Integer(),
        cost_usd: Type.Number({ description: "Of the calls whose price is known." }),
        unpriced_calls: Type.Integer({ description: "Calls of models whose price is not known." }),
      }),
    ),
  }),
  run: ({ agent, ...filter }, { app, caller }) => ({
    groups: sumUsage(app.store.db, { ...filter, agents: agentsFilter(caller, agent) }),
  }),
})
