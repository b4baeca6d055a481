import { type Static, Type } from "@sinclair/typebox"
import { chainFor } from "../../agent/agents.ts"
import { nameOf } from "../../agent/model.ts"
import { AppError } from "../../base/errors.ts"
import { foldAway } from "../../store/forget.ts"
import { listMessages, listMessagesAfter, searchMessages } from "../../store/messages.ts"
import {
  deleteMessagesStep,
  deleteSession,
  getSession,
  listSessions,
  patchSession,
  resetSession,
  type SessionRow,
} from "../../store/sessions.ts"
import { agentFor, agentsFilter, ownSessionFor, sessionFor } from "../access.ts"
import { defineMethod, Params } from "../rpc.ts"
import { MessageOut, page_bytes_max, toMessageOut } from "./chat.ts"

const Nullable = Type.Union([Type.String(), Type.Null()])
const SessionOut = Type.Object({
  session_key: Type.String(),
  agent: Type.String(),
  channel: Type.String(),
  account: Type.String(),
  peer: Type.String(),
  title: Nullable,
  model: Nullable,
  message_count: Type.Integer(),
  created_ms: Type.Integer(),
  updated_ms: Type.Integer(),
})

const toOut = ({
  id: _id,
  key,
  context_after: _after,
  ...session
}: SessionRow): Static<typeof SessionOut> => ({
  session_key: key,
  ...session,
})

const Key = { session_key: Type.String() }
const order = ({ session_key }: Record<string, unknown>) =>
  typeof session_key === "string" ? session_key : undefined

export const sessionList = defineMethod({
  name: "session.list",
  summary: "Sessions, the last used first.",
  scope: "read",
  params: Params({
    agent: Type.Optional(Type.String()),
    channel: Type.Optional(Type.String()),
    cursor: Type.Optional(
      Type.String({ pattern: "^[0-9]{1,16}\\.[0-9]{1,16}$", description: "`next` of the page before." }),
    ),
    limit: Type.Integer({ default: 50, minimum: 1, maximum: 500 }),
  }),
  result: Type.Object({ sessions: Type.Array(SessionOut), next: Type.Optional(Type.String()) }),
  run({ agent, channel, cursor, limit }, { app, caller }) {
    const [updated_ms, id] = cursor?.split(".").map(Number) ?? []
    const before = cursor === undefined ? undefined : { updated_ms: updated_ms!, id: id! }
    const agents = agentsFilter(caller, agent)
    const rows = listSessions(app.store.db, { agents, channel, before, limit: limit + 1 })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const sessions = page.map(toOut)
    return rows.length > limit && last ? { sessions, next: `${last.updated_ms}.${last.id}` } : { sessions }
  },
})

export const sessionGet = defineMethod({
  name: "session.get",
  summary: "One session.",
  scope: "read",
  params: Params(Key),
  result: SessionOut,
  order,
  run: ({ session_key }, { app, caller }) => toOut(sessionFor(app, caller, session_key)),
})

export const sessionReset = defineMethod({
  name: "session.reset",
  summary: "Let the model's context start anew. The messages stay and can be searched.",
  scope: "chat",
  params: Params(Key),
  result: SessionOut,
  order,
  async run({ session_key }, { app, caller }) {
    const { agent } = ownSessionFor(app, caller, session_key)
    await app.turns.between(session_key, () =>
      app.store.commit((db) => resetSession(db, getSession(db, session_key).id)),
    )
    app.hub.publish({ topic: "session.reset", data: { session_key }, agent })
    return toOut(sessionFor(app, caller, session_key))
  },
})

export const sessionDelete = defineMethod({
  name: "session.delete",
  summary: "Delete a session with its messages and turns, stopping what runs in it.",
  scope: "chat",
  params: Params(Key),
  result: Type.Object({ session_key: Type.String(), deleted: Type.Literal(true) }),
  order,
  async run({ session_key }, { app, caller }) {
    const { agent } = ownSessionFor(app, caller, session_key)
    app.turns.abort({ session_key })
    // Found anew: the id of a session that was deleted meanwhile may be another one's by now.
    await app.turns.between(session_key, async () => {
      while (await app.store.commit((db) => deleteMessagesStep(db, getSession(db, session_key).id)));
      await app.store.commit((db) => deleteSession(db, getSession(db, session_key)))
    })
    // What the files beside the database and its log still have of it.
    await app.memory.settle()
    foldAway(app.store.db)
    app.hub.publish({ topic: "session.deleted", data: { session_key }, agent })
    return { session_key, deleted: true as const }
  },
})

export const sessionPatch = defineMethod({
  name: "session.patch",
  summary: "Change a session's title or model; null takes it away.",
  scope: "chat",
  params: Params({
    ...Key,
    title: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()])),
    model: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Null()], { description: "One of the agent's models." }),
    ),
  }),
  result: SessionOut,
  order,
  async run({ session_key, title, model }, { app, caller }) {
    const session = ownSessionFor(app, caller, session_key)
    const chosen = typeof model === "string" ? modelOf(model) : model
    // Read where it is written: another change may have come in between.
    await app.store.commit((db) => {
      const now = getSession(db, session_key)
      patchSession(db, now.id, {
        title: title === undefined ? now.title : title,
        model: chosen === undefined ? now.model : chosen,
      })
    })
    return toOut(getSession(app.store.db, session_key))

    function modelOf(name: string): string {
      return nameOf(chainFor(agentFor(app, caller, session.agent), name, app.live().models)[0]!)
    }
  },
})

export const sessionExport = defineMethod({
  name: "session.export",
  summary: "A session and its messages from the first on, in pages.",
  scope: "read",
  params: Params({
    ...Key,
    after: Type.Optional(
      Type.String({ pattern: "^[0-9]{1,15}$", description: "`next` of the page before." }),
    ),
    limit: Type.Integer({ default: 500, minimum: 1, maximum: 5000 }),
  }),
  result: Type.Object({
    session: SessionOut,
    messages: Type.Array(MessageOut),
    next: Type.Optional(Type.String()),
  }),
  order,
  run({ session_key, after = "0", limit }, { app, caller }) {
    const session = sessionFor(app, caller, session_key)
    const found = listMessagesAfter(app.store.db, session.id, {
      after: Number(after),
      limit,
      bytes_max: page_bytes_max,
    })
    const messages = found.map(toMessageOut)
    const last = messages.at(-1)
    const newest = listMessages(app.store.db, session.id, { limit: 1 })[0]
    const more = last !== undefined && newest !== undefined && newest.id > Number(last.message_id)
    return { session: toOut(session), messages, ...(more && { next: last.message_id }) }
  },
})

export const sessionSearch = defineMethod({
  name: "session.search",
  summary: "Full-text search over messages, best first; all words must occur.",
  scope: "read",
  params: Params({
    query: Type.String({ minLength: 1, maxLength: 500 }),
    agent: Type.Optional(Type.String()),
    limit: Type.Integer({ default: 20, minimum: 1, maximum: 200 }),
  }),
  result: Type.Object({
    hits: Type.Array(
      Type.Object({
        session_key: Type.String(),
        agent: Type.String(),
        message_id: Type.String(),
        role: Type.String(),
        created_ms: Type.Integer(),
        snippet: Type.String({ description: "The words are in brackets." }),
      }),
    ),
  }),
  run({ query, agent, limit }, { app, caller }) {
    if (!/[\p{L}\p{N}]/u.test(query)) {
      throw new AppError("invalid_params", { path: "/query", expected: "at least one letter or digit" })
    }
    const hits = searchMessages(app.store.db, { query, agents: agentsFilter(caller, agent), limit })
    return { hits: hits.map((hit) => ({ ...hit, message_id: String(hit.message_id) })) }
  },
})
