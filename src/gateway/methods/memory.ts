import { type Static, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import type { Audience, ContextPiece } from "../../memory/memory.ts"
import { getSession } from "../../store/sessions.ts"
import { agentFor } from "../access.ts"
import { holds } from "../auth.ts"
import { checkReach, isChangeable, readerFor } from "../memory-access.ts"
import {
  Hit,
  Id,
  Item,
  Kinds,
  Nullable,
  SearchedOut,
  StatsOut,
  Tags,
  toOut,
  toSearched,
  toStats,
  Whose,
  Words,
} from "../memory-shapes.ts"
import { defineMethod, Params } from "../rpc.ts"

export const memorySearch = defineMethod({
  name: "memory.search",
  summary: "Search the memory by words and meaning, best first, and say what was looked at.",
  scope: "read",
  params: Params({
    query: Words(4000, "What it is about."),
    ...Whose,
    kinds: Type.Optional(Kinds),
    tags: Type.Optional(Tags),
    after_ms: Type.Optional(Type.Integer({ minimum: 0, description: "From this time on." })),
    before_ms: Type.Optional(Type.Integer({ minimum: 0, description: "Before this time." })),
    include_superseded: Type.Boolean({ default: false, description: "Facts that hold no more, too." }),
    limit: Type.Integer({ default: 20, minimum: 1, maximum: 200 }),
  }),
  result: Type.Object({ hits: Type.Array(Hit), searched: SearchedOut }),
  async run({ query, agent, sender, ...filter }, { app, caller, peer }) {
    const reader = readerFor(app, caller, { agent, sender, session_key: filter.session_key })
    const memory = await app.memory.ready()
    const { hits, searched } = await memory.search({ text: query, reader, ...filter }, peer.signal)
    const shown = hits.map(({ score, why, ...item }) => ({ ...toOut(item), score, why: [...why] }))
    return { hits: shown, searched: toSearched(searched) }
  },
})

export const memoryList = defineMethod({
  name: "memory.list",
  summary: "What is remembered, the latest first.",
  scope: "read",
  params: Params({
    ...Whose,
    kinds: Type.Optional(Kinds),
    tags: Type.Optional(Tags),
    include_superseded: Type.Boolean({ default: false, description: "Facts that hold no more, too." }),
    cursor: Type.Optional(Type.String({ pattern: Id.pattern!, description: "`next` of the page before." })),
    limit: Type.Integer({ default: 50, minimum: 1, maximum: 500 }),
  }),
  result: Type.Object({ items: Type.Array(Item), next: Type.Optional(Type.String()) }),
  async run({ agent, sender, cursor, limit, ...filter }, { app, caller }) {
    const reader = readerFor(app, caller, { agent, sender, session_key: filter.session_key })
    const before = cursor === undefined ? undefined : Number(cursor)
    const found = (await app.memory.ready()).list({ reader, ...filter, before, limit: limit + 1 })
    const items = found.slice(0, limit).map(toOut)
    return { items, ...(found.length > limit && { next: items.at(-1)!.memory_id }) }
  },
})

export const memoryAdd = defineMethod({
  name: "memory.add",
  summary:
    "Remember something: for one sender, for all of the agent's (which takes an admin), or in a namespace.",
  scope: "chat",
  params: Params({
    text: Words(16_000, "Understandable by itself."),
    ...Whose,
    namespace: Type.Optional(
      Words(64, "A shared namespace in place of a sender; the agent must be allowed to share there."),
    ),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { default: [], maxItems: 16 }),
    importance: Type.Number({ default: 0.7, minimum: 0, maximum: 1 }),
    fact: Type.Optional(
      Type.Object(
        {
          subject: Words(200, 'As in "user".'),
          predicate: Words(200, 'As in "city".'),
          object: Words(1000, "Replaces the value that was known."),
        },
        { additionalProperties: false, description: "A fact in place of a note." },
      ),
    ),
  }),
  result: Item,
  async run({ text, namespace, tags, importance, fact, ...whose }, { app, caller }) {
    const reader = readerFor(app, caller, whose)
    const audience = audienceFor(reader.sender, namespace, holds(caller, "admin"))
    const note = { reader, audience, text, tags, importance, source: "user" as const, ...(fact && { fact }) }
    return toOut(await (await app.memory.ready()).add(note))
  },
})

function audienceFor(sender: string | undefined, namespace: string | undefined, is_admin: boolean): Audience {
  if (namespace !== undefined) return { to: "namespace", namespace }
  if (sender) return { to: "sender" }
  // Every sender would be told.
  if (!is_admin) throw new AppError("forbidden", { scope: "admin", hint: "name a sender" })
  return { to: "agent" }
}

export const memoryForget = defineMethod({
  name: "memory.forget",
  summary:
    "Forget rows for good, with the text of the messages that they are from. What is not the sender's own is not counted; an admin may forget whatever is of the agent.",
  scope: "chat",
  params: Params({ memory_ids: Type.Array(Id, { minItems: 1, maxItems: 500 }), ...Whose }),
  result: Type.Object({
    forgotten: Type.Integer(),
    related: Type.Array(Item, { description: "What still has the same words; nothing of it was touched." }),
  }),
  async run({ memory_ids, ...whose }, { app, caller }) {
    const reader = readerFor(app, caller, whose)
    const memory = await app.memory.ready()
    const found = memory.get(reader, memory_ids.map(Number)).filter(isChangeable(caller, reader))
    const ids = found.map(({ id }) => id)
    const { forgotten, related } = await memory.forget(reader, ids)
    return { forgotten, related: related.map(toOut) }
  },
})

const Piece = Type.Object({
  part: Type.String({ description: "soul, summary, facts, recalled, recent or question." }),
  memory_id: Nullable(Type.String),
  message_id: Nullable(Type.String),
  kind: Type.String(),
  text: Type.String(),
  tokens: Type.Integer(),
  included: Type.Boolean(),
  why: Type.String(),
})

/** What is sent as it was said is a message of the session; all else that has a number is a row of the memory. */
function toPiece({ id, ...piece }: ContextPiece): Static<typeof Piece> {
  const is_message = piece.part === "recent" || piece.part === "question"
  const named = id === null ? null : String(id)
  return { memory_id: is_message ? null : named, message_id: is_message ? named : null, ...piece }
}

export const memoryExplain = defineMethod({
  name: "memory.explain",
  summary: "What a model would be sent if this were said in a session: what goes in, what does not, and why.",
  scope: "read",
  params: Params({
    session_key: Type.String(),
    text: Type.String({ maxLength: 100_000, description: "What would be said." }),
  }),
  result: Type.Object({
    pieces: Type.Array(Piece),
    tokens: Type.Integer({ description: "Of the system text and the messages; estimated." }),
    budget: Type.Record(Type.String(), Type.Integer(), { description: "Most tokens of each part." }),
    searched: Type.Optional(SearchedOut),
  }),
  async run({ session_key, text }, { app, caller, peer }) {
    readerFor(app, caller, { session_key })
    const session = getSession(app.store.db, session_key)
    const message = { id: undefined, role: "user" as const, parts: [{ type: "text" as const, text }] }
    const memory = await app.memory.ready()
    const told = await memory.assemble({ session, message, signal: peer.signal })
    return {
      pieces: told.pieces.map(toPiece),
      tokens: told.tokens,
      budget: { ...told.budget },
      ...(told.searched && { searched: toSearched(told.searched) }),
    }
  },
})

export const memoryStats = defineMethod({
  name: "memory.stats",
  summary: "How much is remembered, and how it can be searched.",
  scope: "read",
  params: Params({
    agent: Type.Optional(
      Type.String({ description: "Unset: all, for a token that reaches all; else the default agent." }),
    ),
  }),
  result: StatsOut,
  async run({ agent }, { app, caller }) {
    const all = agent === undefined && caller.agents === null
    const of = all ? undefined : agentFor(app, caller, agent ?? app.live().default_agent).id
    return toStats(await (await app.memory.ready()).stats(of), caller.agents === null)
  },
})

export const memoryReindex = defineMethod({
  name: "memory.reindex",
  summary: "Make the indexes of words and vectors anew from the rows. It is answered when that is done.",
  scope: "admin",
  params: Params({}),
  result: StatsOut,
  async run(_params, { app, caller }) {
    checkReach(caller)
    const memory = await app.memory.ready()
    await memory.reindex()
    return toStats(await memory.stats(), true)
  },
})

export const memoryCheck = defineMethod({
  name: "memory.check",
  summary:
    "Compare rows, words, vectors and their files, and measure how much a search finds. For `weft doctor`.",
  scope: "admin",
  params: Params({}),
  result: Type.Object({
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        ok: Type.Boolean(),
        said: Type.String(),
        remedy: Type.Optional(Type.String()),
      }),
    ),
  }),
  async run(_params, { app, caller }) {
    checkReach(caller)
    return { checks: await (await app.memory.ready()).check() }
  },
})
