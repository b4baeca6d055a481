import { type Static, Type } from "@sinclair/typebox"
import type { Approval, Grant } from "../../agent/approvals.ts"
import { AppError } from "../../base/errors.ts"
import { reaches } from "../auth.ts"
import { defineMethod, Params } from "../rpc.ts"

const NullableText = Type.Union([Type.String(), Type.Null()])

const ApprovalOut = Type.Object({
  approval_id: Type.String(),
  hash: Type.String({ description: "Of all that is shown; an answer names it." }),
  agent: Type.String(),
  session_key: NullableText,
  turn_id: NullableText,
  tool: Type.String(),
  summary: Type.String({
    description: "What the call would do: whole, with control characters made visible.",
  }),
  targets: Type.Array(Type.Object({ effect: Type.String(), text: Type.String() })),
  input: Type.Unknown(),
  created_ms: Type.Integer(),
  expires_ms: Type.Integer({ description: "What nobody has answered by then is denied." }),
})

const GrantOut = Type.Object({
  grant_id: Type.String(),
  agent: Type.String(),
  session_key: Type.Union([Type.String(), Type.Null()], { description: "null: for every session." }),
  tool: Type.String(),
  summary: Type.String(),
  given_by: Type.String({ description: "The name of the token that gave it." }),
  created_ms: Type.Integer(),
})

const toApprovalOut = ({ targets, ...approval }: Approval): Static<typeof ApprovalOut> => ({
  ...approval,
  targets: targets.map(({ effect, text }) => ({ effect, text })),
})

const toGrantOut = (grant: Grant): Static<typeof GrantOut> => ({ ...grant })

export const approvalList = defineMethod({
  name: "approval.list",
  summary: "What waits for a person, and what was allowed for longer than once.",
  scope: "approve",
  params: Params({}),
  result: Type.Object({ approvals: Type.Array(ApprovalOut), grants: Type.Array(GrantOut) }),
  run: (_params, { app, caller }) => ({
    approvals: app.approvals
      .list()
      .filter(({ agent }) => reaches(caller, agent))
      .map(toApprovalOut),
    grants: app.approvals
      .grants()
      .filter(({ agent }) => reaches(caller, agent))
      .map(toGrantOut),
  }),
})

export const approvalResolve = defineMethod({
  name: "approval.resolve",
  summary: "Answer what waits. The first answer counts; one to something else than was shown is a conflict.",
  scope: "approve",
  urgent: true,
  params: Params({
    approval_id: Type.String({ minLength: 1, maxLength: 100 }),
    hash: Type.String({ minLength: 1, maxLength: 200, description: "Of what was shown to who answers." }),
    decision: Type.Union([Type.Literal("allow"), Type.Literal("deny")]),
    lasts: Type.Union([Type.Literal("once"), Type.Literal("session"), Type.Literal("always")], {
      default: "once",
      description: "How long a permission holds, for the same tool with the same targets.",
    }),
  }),
  result: Type.Object({ approval_id: Type.String(), decision: Type.String() }),
  async run(answer, { app, caller }) {
    const { approval_id, decision } = answer
    const waiting = app.approvals.list().find((one) => one.approval_id === approval_id)
    if (!waiting || !reaches(caller, waiting.agent)) {
      throw new AppError("not_found", { what: "approval", approval_id })
    }
    await app.approvals.resolve({ ...answer, by: caller.name })
    return { approval_id, decision }
  },
})

export const approvalRevoke = defineMethod({
  name: "approval.revoke",
  summary: "Take back what was allowed for longer than once.",
  scope: "approve",
  params: Params({ grant_id: Type.String({ minLength: 1, maxLength: 100 }) }),
  result: GrantOut,
  async run({ grant_id }, { app, caller }) {
    const grant = app.approvals.grants().find((one) => one.grant_id === grant_id)
    if (!grant || !reaches(caller, grant.agent)) throw new AppError("not_found", { what: "grant", grant_id })
    return toGrantOut(await app.approvals.revoke(grant_id))
  },
})
