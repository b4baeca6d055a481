import { type Static, Type } from "@sinclair/typebox"
import { type Agent, chainFor } from "../../agent/agents.ts"
import type { Turn, TurnRequest } from "../../agent/turn.ts"
import { isDeeper } from "../../base/depth.ts"
import { AppError, errors } from "../../base/errors.ts"
import type { Part } from "../../base/parts.ts"
import { parser } from "../../base/schema.ts"
import type { ModelMessage, ToolSpec } from "../../providers/provider.ts"
import { agentFor } from "../access.ts"
import type { Caller } from "../auth.ts"
import { reaches } from "../auth.ts"
import { routeTo } from "../chat.ts"
import { sniff } from "../files.ts"
import { depth_max } from "../rpc.ts"
import { json, readText, retryHeaders } from "./body.ts"
import { type Endpoint, type HttpContext, requireCaller } from "./endpoint.ts"
import { OpenAiMessage, toConversation } from "./openai-messages.ts"
import { completionOf, streamOf } from "./openai-stream.ts"

/** What is taken of a request; its other members are ignored, as OpenAI-compatible servers do. */
const Body = Type.Object({
  model: Type.String(),
  messages: Type.Array(OpenAiMessage, { minItems: 1 }),
  stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  stream_options: Type.Optional(
    Type.Union([Type.Object({ include_usage: Type.Optional(Type.Boolean()) }), Type.Null()]),
  ),
  user: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  max_tokens: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  max_completion_tokens: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  temperature: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 2 }), Type.Null()])),
  tools: Type.Optional(
    Type.Array(
      Type.Object({
        type: Type.Literal("function"),
        function: Type.Object({
          name: Type.String({ minLength: 1 }),
          description: Type.Optional(Type.String()),
          parameters: Type.Optional(Type.Object({}, { additionalProperties: true })),
        }),
      }),
    ),
  ),
  // A model cannot be made to call a tool here, and a client that asks for it should know.
  tool_choice: Type.Optional(
    Type.Union([Type.Literal("auto"), Type.Literal("none"), Type.Null()], {
      description: '"auto" or "none".',
    }),
  ),
})

type Body = Static<typeof Body>

const parseBody = parser(Body)

/** Errors in the form that OpenAI's clients know. */
const fail = (error: AppError): Response => {
  const { code, message, data } = error
  const kinds: Record<number, string> = { 400: "invalid_request_error", 401: "authentication_error" }
  const status = errors[code].http
  const where = typeof data.path === "string" ? ` ${data.path}: ${data.expected}` : ""
  return json(
    {
      error: {
        message: `${message}${where}`,
        type: kinds[status] ?? "api_error",
        code,
        param: data.path ?? null,
      },
    },
    status,
    retryHeaders({ code, data }),
  )
}

export const postChatCompletion: Pick<Endpoint, "run" | "fail"> = {
  fail,
  async run(context) {
    const { app, request } = context
    const caller = requireCaller(context)
    const body = parseBody(await readJson(context))
    const asked = await toTurn(context, caller, body)
    // Gone while its images were kept: nothing would tell the turn to stop.
    if (request.signal.aborted) throw new AppError("aborted")
    const turn = app.turns.submit(asked)
    const client_tools = (body.tools ?? []).map((tool) => tool.function.name)
    const head = { turn, model: body.model, created_s: Math.floor(app.now_ms() / 1000), client_tools }
    if (body.stream) return streamOf(head, body.stream_options?.include_usage === true)
    request.signal.addEventListener("abort", () => stop(turn), { once: true })
    return completionOf(head)
  },
}

const stop = (turn: Turn) => turn.abort(new AppError("aborted"))

async function readJson({ app, request, waitForModel }: HttpContext): Promise<unknown> {
  const text = await readText(request, app.live().gateway.payload_bytes_max)
  waitForModel()
  if (isDeeper(text, depth_max)) throw new AppError("invalid_request", { depth_max })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError("parse_error", {}, cause)
  }
}

async function toTurn(context: HttpContext, caller: Caller, body: Body): Promise<TurnRequest> {
  const { app } = context
  const keepImage = async (bytes: Uint8Array): Promise<Part> => {
    if (!sniff(bytes).startsWith("image/")) {
      throw new AppError("invalid_params", { path: "/messages", expected: "an image" })
    }
    const { id, mime } = await app.files.put({ bytes, name: null, token_id: caller.token_id })
    return { type: "image", file_id: id, mime }
  }
  // Who may not speak there leaves no image either.
  const target = targetOf(context, caller, body)
  const { system, messages } = await toConversation(body.messages, keepImage)
  const { last, history } = split(messages)
  const tokens_max = body.max_completion_tokens ?? body.max_tokens
  return {
    ...target,
    parts: last.parts,
    role: last.role === "tool" ? "tool" : "user",
    ...(target.session === undefined && { history }),
    ...(system !== "" && { system }),
    ...(typeof tokens_max === "number" && { tokens_max }),
    ...(typeof body.temperature === "number" && { temperature: body.temperature }),
    client_tools: body.tool_choice === "none" ? [] : (body.tools ?? []).map(toSpec),
    revocable: false,
  }
}

/** `model` names an agent ("weft/<agent>", or "weft" for the one that the bindings give) or a model that one may use. */
function targetOf(
  { app }: HttpContext,
  caller: Caller,
  { model, user }: Body,
): Pick<TurnRequest, "agent" | "matched_by" | "session" | "model"> {
  const named = /^weft\/(.+)$/.exec(model)?.[1]
  const address = { channel: "api", account: "default", peer: user || "main" }
  const routed = routeTo(app, caller, named === undefined ? address : { ...address, agent: named })
  const { session: _session, ...stateless } = routed
  const target = user ? routed : stateless
  if (named !== undefined || model === "weft") return target
  requireModel(target.agent, model, context(app))
  return { ...target, model }
}

const context = (app: HttpContext["app"]) => app.live().models

function requireModel(agent: Agent, model: string, models: ReturnType<typeof context>): void {
  try {
    chainFor(agent, model, models)
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    throw new AppError("not_found", { what: "model", model, models: agent.models }, thrown)
  }
}

/** The last thing that was said, and what came before it. */
function split(messages: ModelMessage[]): { last: ModelMessage; history: ModelMessage[] } {
  const last = messages.at(-1)
  if (!last || last.parts.length === 0 || last.role === "assistant") {
    throw new AppError("invalid_params", {
      path: "/messages",
      expected: "a user's or a tool's message at the end",
    })
  }
  return { last, history: messages.slice(0, -1) }
}

const toSpec = ({
  function: { name, description, parameters },
}: NonNullable<Body["tools"]>[number]): ToolSpec => ({
  name,
  description: description ?? "",
  input_schema: (parameters ?? { type: "object", properties: {} }) as ToolSpec["input_schema"],
})

export const listModels: Pick<Endpoint, "run" | "fail"> = {
  fail,
  run(context) {
    const { app } = context
    const caller = requireCaller(context)
    const created = Math.floor(app.started_ms / 1000)
    const agents = [...app.live().agents.values()].filter(({ id }) => reaches(caller, id))
    const fallback = agents.find(({ id }) => id === app.live().default_agent)
    const ids = [
      ...agents.map(({ id }) => `weft/${agentFor(app, caller, id).id}`),
      ...(fallback?.models ?? []),
    ]
    return json({
      object: "list",
      data: ids.map((id) => ({ id, object: "model", created, owned_by: "weft" })),
    })
  },
}
