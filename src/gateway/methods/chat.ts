import { type Static, Type } from "@sinclair/typebox"
import { TurnResult } from "../../agent/events.ts"
import type { Turn } from "../../agent/turn.ts"
import { AppError } from "../../base/errors.ts"
import { Part } from "../../base/parts.ts"
import { parseSessionKey, toSessionKey } from "../../base/session-key.ts"
import { listMessages, type Message } from "../../store/messages.ts"
import { rateTurn } from "../../store/turns.ts"
import { isOwnChannel, ownSessionFor, sessionFor } from "../access.ts"
import type { App } from "../app.ts"
import { reaches } from "../auth.ts"
import { type Address, answerWith, routeTo, toParts, turnFor } from "../chat.ts"
import { defineMethod, Params } from "../rpc.ts"

const Name = (description: string, options = {}) =>
  Type.String({ minLength: 1, maxLength: 256, description, ...options })

const SendParams = Params({
  content: Type.String({ description: "What is said; may be empty beside attachments." }),
  channel: Name("The channel it comes in by.", { default: "ws" }),
  account: Name("The channel's account.", { default: "default" }),
  peer: Name("Whose conversation it is.", { default: "main" }),
  guild: Type.Optional(Name("The guild it comes from.")),
  team: Type.Optional(Name("The team it comes from.")),
  agent: Type.Optional(Name("The agent to answer, past the bindings.")),
  model: Type.Optional(Name("One of the agent's models, for this turn.")),
  idempotency_key: Type.Optional(Name("Within 24 h the same key in the same session is the same turn.")),
  attachments: Type.Array(Type.String(), {
    default: [],
    maxItems: 32,
    description: "File ids that POST /files answered; together no larger than one file may be.",
  }),
  metadata: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "Kept with the message." }),
  ),
  on_disconnect: Type.Union([Type.Literal("continue"), Type.Literal("abort")], {
    default: "continue",
    description: "What becomes of the turn when this client goes away.",
  }),
})

export const chatSend = defineMethod({
  name: "chat.send",
  summary: "Say something to an agent. Events come as `chat.event` notifications, then the result.",
  scope: "chat",
  params: SendParams,
  result: TurnResult,
  order: (params, { app }) => keyOf(app, params),
  run(params, { app, peer, caller, request_id }) {
    const { content, attachments, model, metadata, idempotency_key, on_disconnect, ...address } = params
    const turn = app.turns.submit({
      ...routeTo(app, caller, defined(address)),
      parts: toParts(app, caller, content, attachments),
      revocable: peer.revocable,
      ...defined({ model, metadata, idempotency_key }),
    })
    if (on_disconnect === "abort") abortWith(peer.signal, turn)
    return answerWith(turn, -1, peer, request_id)
  },
})

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** Without the fields that are undefined. */
const defined = <T extends object>(value: T): Defined<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Defined<T>

function abortWith(signal: AbortSignal, turn: Turn): void {
  const stop = () => turn.abort(new AppError("aborted"))
  if (signal.aborted) stop()
  signal.addEventListener("abort", stop)
  // A socket may outlive thousands of turns.
  void turn.outcome.then(() => signal.removeEventListener("abort", stop))
}

/** The session that the parameters will lead to; undefined where they are not what the schema asks for. */
function keyOf(app: App, params: Record<string, unknown>): string | undefined {
  const { channel = "ws", account = "default", peer = "main", guild, team, agent } = params
  const address = { channel, account, peer, ...defined({ guild, team, agent }) } as Address
  if (Object.values(address).some((part) => typeof part !== "string")) return undefined
  return toSessionKey({ ...address, agent: address.agent ?? app.live().route(address).agent })
}

/** For the methods that take a session key: they wait for what came before them in their batch. */
const bySessionKey = ({ session_key }: Record<string, unknown>): string | undefined =>
  typeof session_key === "string" ? session_key : undefined

export const chatAbort = defineMethod({
  name: "chat.abort",
  summary: "Stop a turn, or all that runs and waits in a session.",
  scope: "chat",
  urgent: true,
  params: Type.Union([Params({ turn_id: Type.String() }), Params({ session_key: Type.String() })]),
  result: Type.Object({ aborted: Type.Integer() }),
  run(params, { app, caller }) {
    const session_key =
      "session_key" in params ? params.session_key : turnFor({ app, caller }, params.turn_id, -1).session_key
    const parts = session_key === null ? undefined : parseSessionKey(session_key)
    // A session whose first turn is just beginning is not in the store yet; its key tells whose it is.
    const starting = parts && reaches(caller, parts.agent) && isOwnChannel(caller, parts)
    if (session_key !== null && !starting) ownSessionFor(app, caller, session_key)
    return { aborted: app.turns.abort(params) }
  },
})

export const chatAttach = defineMethod({
  name: "chat.attach",
  summary: "Replay a turn's events, follow it while it runs, and answer as chat.send does.",
  scope: "chat",
  params: Params({
    turn_id: Type.String(),
    after_seq: Type.Integer({ default: -1, minimum: -1, description: "The last event that was seen." }),
  }),
  result: TurnResult,
  run: ({ turn_id, after_seq }, { app, peer, caller, request_id }) =>
    answerWith(turnFor({ app, caller }, turn_id, after_seq), after_seq, peer, request_id),
})

/** Enough for a page to stay well below what one frame may weigh. */
export const page_bytes_max = 4_194_304

export const MessageOut = Type.Object({
  message_id: Type.String(),
  turn_id: Type.String(),
  role: Type.String(),
  parts: Type.Array(Part),
  provider: Type.Optional(Type.String()),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  created_ms: Type.Integer(),
})

export const toMessageOut = ({ id, ...message }: Message): Static<typeof MessageOut> => ({
  message_id: String(id),
  ...message,
})

export const chatHistory = defineMethod({
  name: "chat.history",
  summary: "The messages of a session, the newest page first, oldest first within a page.",
  scope: "read",
  params: Params({
    session_key: Type.String(),
    before: Type.Optional(
      Type.String({ pattern: "^[0-9]{1,15}$", description: "A message id; the page ends before it." }),
    ),
    limit: Type.Integer({ default: 50, minimum: 1, maximum: 500 }),
  }),
  result: Type.Object({ messages: Type.Array(MessageOut), next: Type.Optional(Type.String()) }),
  order: bySessionKey,
  run({ session_key, before, limit }, { app, caller }) {
    const session = sessionFor(app, caller, session_key)
    const before_id = before === undefined ? undefined : Number(before)
    const page = { before: before_id, limit, bytes_max: page_bytes_max }
    const messages = listMessages(app.store.db, session.id, page).map(toMessageOut)
    const first = messages[0]
    const older =
      first && listMessages(app.store.db, session.id, { before: Number(first.message_id), limit: 1 })
    return older?.length ? { messages, next: first!.message_id } : { messages }
  },
})

export const turnRate = defineMethod({
  name: "turn.rate",
  summary: "Say whether a turn was good.",
  scope: "chat",
  params: Params({
    turn_id: Type.String(),
    rating: Type.Union([Type.Literal(1), Type.Literal(-1)]),
    note: Type.Optional(Type.String({ maxLength: 4000 })),
  }),
  result: Type.Object({ turn_id: Type.String(), rating: Type.Integer() }),
  async run({ turn_id, rating, note }, { app, caller }) {
    const { session_key } = turnFor({ app, caller }, turn_id, -1)
    if (session_key !== null) ownSessionFor(app, caller, session_key)
    await app.store.commit((db) => rateTurn(db, { id: turn_id, rating, note: note ?? null }))
    return { turn_id, rating }
  },
})
