import { type Static, Type } from "@sinclair/typebox"

const Nullable = (schema: ReturnType<typeof Type.Number>) => Type.Union([schema, Type.Null()])

/** Everything that a turn tells, in the order in which it happens; the wire's `chat.event` without its envelope. */
export const TurnEvent = Type.Union([
  Type.Object({
    type: Type.Literal("started"),
    session_key: Type.Union([Type.String(), Type.Null()]),
    agent: Type.String(),
    matched_by: Type.String(),
    provider: Type.String(),
    model: Type.String(),
  }),
  Type.Object({ type: Type.Literal("text"), text: Type.String() }),
  Type.Object({ type: Type.Literal("reasoning"), text: Type.String() }),
  Type.Object({
    type: Type.Literal("tool_use"),
    id: Type.String(),
    name: Type.String(),
    input: Type.Unknown(),
  }),
  Type.Object({
    type: Type.Literal("tool_result"),
    id: Type.String(),
    name: Type.String(),
    content: Type.String(),
    is_error: Type.Boolean(),
    duration_ms: Type.Number(),
  }),
  Type.Object({
    type: Type.Literal("usage"),
    input_tokens: Type.Integer(),
    output_tokens: Type.Integer(),
    cached_tokens: Type.Integer(),
    cost_usd: Nullable(Type.Number()),
    provider: Type.String(),
    model: Type.String(),
  }),
  Type.Object({
    type: Type.Literal("retry"),
    attempt: Type.Integer(),
    wait_ms: Type.Integer(),
    reason: Type.String(),
  }),
  Type.Object({
    type: Type.Literal("failover"),
    from: Type.String(),
    to: Type.String(),
    reason: Type.String(),
  }),
  Type.Object({
    type: Type.Literal("approval"),
    approval_id: Type.String(),
    hash: Type.String({ description: "Of what is shown; an answer names it." }),
    tool: Type.String(),
    summary: Type.String({ description: "All that the call would do, control characters made visible." }),
    expires_ms: Type.Integer({ description: "When it is denied for want of an answer." }),
  }),
  Type.Object({
    type: Type.Literal("error"),
    code: Type.String(),
    message: Type.String(),
    data: Type.Unknown(),
  }),
  Type.Object({ type: Type.Literal("done"), stop_reason: Type.String() }),
])

export type TurnEvent = Static<typeof TurnEvent>
export type UsageEvent = Extract<TurnEvent, { type: "usage" }>
export type ToolResultEvent = Extract<TurnEvent, { type: "tool_result" }>

export type TurnStop = "end" | "length" | "aborted" | "interrupted" | "iterations" | "budget" | "error"

export const TurnResult = Type.Object({
  turn_id: Type.String(),
  session_key: Type.Union([Type.String(), Type.Null()], {
    description: "null for a turn without a session.",
  }),
  message_id: Type.Union([Type.String(), Type.Null()], {
    description: "The stored answer; null where there is none.",
  }),
  text: Type.String({ description: "The last answer's text." }),
  stop_reason: Type.String({ description: "end, length, aborted or iterations; the others are errors." }),
  usage: Type.Object({
    input_tokens: Type.Integer(),
    output_tokens: Type.Integer(),
    cost_usd: Type.Union([Type.Number(), Type.Null()], {
      description: "null where a model's price is not known.",
    }),
  }),
})

export type TurnResult = Static<typeof TurnResult>
