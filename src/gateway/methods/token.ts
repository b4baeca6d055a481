import { type Static, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import type { TokenRow } from "../../store/tokens.ts"
import { type Caller, scopes } from "../auth.ts"
import { defineMethod, Params } from "../rpc.ts"

const ScopeName = Type.Union(scopes.map((scope) => Type.Literal(scope)))
const NullableMs = Type.Union([Type.Integer(), Type.Null()])
const TokenOut = Type.Object({
  token_id: Type.String(),
  name: Type.String(),
  scope: Type.String({ description: 'What it was given, such as "admin" or "chat approve".' }),
  agents: Type.Union([Type.Array(Type.String()), Type.Null()]),
  created_ms: Type.Integer(),
  expires_ms: NullableMs,
  last_used_ms: NullableMs,
  revoked_ms: NullableMs,
})

const toOut = ({ id, hash: _hash, scopes: scope, ...row }: TokenRow): Static<typeof TokenOut> => ({
  token_id: id,
  scope,
  ...row,
})

/** Whether a token reaches no agent that the caller does not. */
const isWithin = ({ agents }: Pick<TokenRow, "agents">, caller: Caller) =>
  caller.agents === null || agents?.every((agent) => caller.agents!.includes(agent)) === true

export const tokenList = defineMethod({
  name: "token.list",
  summary: "The tokens, without their secrets.",
  scope: "admin",
  params: Params({}),
  result: Type.Object({ tokens: Type.Array(TokenOut) }),
  run: (_params, { app, caller }) => ({
    tokens: app.auth
      .list()
      .filter((row) => isWithin(row, caller))
      .map(toOut),
  }),
})

export const tokenCreate = defineMethod({
  name: "token.create",
  summary:
    "Make a token. Its text is in this answer and nowhere else. It never gives more than the caller has.",
  scope: "admin",
  params: Params({
    name: Type.String({ minLength: 1, maxLength: 100 }),
    scope: Type.Union([ScopeName, Type.Array(ScopeName, { minItems: 1, maxItems: scopes.length })], {
      default: "chat",
      description:
        "chat contains read; admin contains all; approve, to answer what tools ask, is in admin only.",
    }),
    agents: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "The agents that it reaches; unset: all of the caller's. An empty list reaches none.",
      }),
    ),
    expires_ms: Type.Optional(
      Type.Integer({ minimum: 1, description: "When it ends; unset: with the caller's." }),
    ),
  }),
  result: Type.Composite([TokenOut, Type.Object({ token: Type.String() })]),
  async run({ name, scope, agents, expires_ms }, { app, caller }) {
    const wanted = agents ?? (caller.agents && [...caller.agents])
    if (!isWithin({ agents: wanted }, caller)) throw new AppError("forbidden", { scope: "agents" })
    const ends = [expires_ms, caller.expires_ms].filter((one) => typeof one === "number")
    const { token, row } = await app.auth.create({
      name,
      scopes: [scope].flat(),
      agents: wanted,
      expires_ms: ends.length > 0 ? Math.min(...ends) : null,
    })
    return { ...toOut(row), token }
  },
})

export const tokenRevoke = defineMethod({
  name: "token.revoke",
  summary: "End a token; its sockets are closed.",
  scope: "admin",
  params: Params({ token_id: Type.String() }),
  result: TokenOut,
  async run({ token_id }, { app, caller }) {
    const row = app.auth.list().find(({ id }) => id === token_id)
    if (!row || !isWithin(row, caller)) throw new AppError("not_found", { what: "token", token_id })
    return toOut(await app.auth.revoke(token_id))
  },
})

export const tokenCode = defineMethod({
  name: "token.code",
  summary: "A code for token.exchange: for one use within a minute, to hand a browser a token.",
  scope: "admin",
  params: Params({}),
  result: Type.Object({ code: Type.String(), expires_ms: Type.Integer() }),
  run: (_params, { app, caller }) => app.auth.createCode(caller),
})

export const tokenExchange = defineMethod({
  name: "token.exchange",
  summary: "Turn a one-time code into a token of its maker's rights, for 30 days.",
  scope: "none",
  before_connect: true,
  params: Params({ code: Type.String({ minLength: 1, maxLength: 512 }) }),
  result: Type.Object({ token: Type.String() }),
  async run({ code }, { app, peer }) {
    return { token: await app.auth.exchange(code, peer.address) }
  },
})
