/** What the methods of the memory take and answer. */
import { type Static, Type } from "@sinclair/typebox"
import type { MemoryItem, MemoryStats, Searched } from "../memory/memory.ts"
import { memory_kinds } from "../store/memory.ts"

export const Nullable = <T extends typeof Type.Integer | typeof Type.String>(type: T) =>
  Type.Union([type() as ReturnType<T>, Type.Null()])
export const Id = Type.String({ pattern: "^[1-9][0-9]{0,14}$" })
const Part = Type.String({ minLength: 1, maxLength: 256 })
export const Kinds = Type.Array(Type.Union(memory_kinds.map((kind) => Type.Literal(kind))), {
  minItems: 1,
  maxItems: memory_kinds.length,
  description: "Only these.",
})
export const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  maxItems: 16,
  description: "Each of them.",
})
export const Words = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, description })

/** Whose memory is asked. */
export const Whose = {
  agent: Type.Optional(Type.String({ description: "Unset: the session's, else the default agent." })),
  sender: Type.Optional(
    Type.Object(
      { channel: Part, account: Part, peer: Part },
      {
        additionalProperties: false,
        description:
          "Whose memory with the agent. Unset: the session's sender; without a session all senders for an admin, else only what is for all of them.",
      },
    ),
  ),
  session_key: Type.Optional(Type.String({ description: "Only of this session." })),
}

const Fact = Type.Object({
  uid: Type.String(),
  type: Type.String({ description: "fact, relationship or attribute." }),
  subject: Type.String(),
  predicate: Type.String(),
  object: Type.String(),
  confidence: Type.Number(),
  learned_ms: Type.Integer(),
  superseded_ms: Type.Optional(Type.Integer({ description: "Since when it holds no more." })),
  superseded_by: Type.Optional(Type.String()),
  disputes: Type.Optional(Type.String({ description: "The uid of a fact that says otherwise." })),
})

const item_fields = {
  memory_id: Type.String(),
  kind: Type.String({ description: "message, tool_result, summary, fact or note." }),
  text: Type.String(),
  agent: Type.String(),
  sender: Type.String({ description: '"channel:account:peer"; empty: for all of the agent\'s senders.' }),
  namespace: Type.String({ description: "The shared namespace that it is in; empty: in none." }),
  session_key: Nullable(Type.String),
  message_id: Nullable(Type.String),
  tags: Type.Array(Type.String()),
  importance: Type.Number(),
  source: Type.String({ description: "conversation, user, agent, model or import." }),
  created_ms: Type.Integer(),
  used_ms: Nullable(Type.Integer),
  uses: Type.Integer(),
  fact: Type.Optional(Fact),
}
export const Item = Type.Object(item_fields)
export const Hit = Type.Object({
  ...item_fields,
  score: Type.Number({ description: "Comparable within one answer." }),
  why: Type.Array(Type.String()),
})

export const SearchedOut = Type.Object({
  rows: Type.Integer({ description: "That the search was about." }),
  words_matched: Type.Integer(),
  vectors: Type.Array(
    Type.Object({ embedder: Type.String(), index: Type.String(), looked_at: Type.Integer() }),
  ),
  pending: Type.Integer({ description: "Messages that were not indexed yet." }),
  warnings: Type.Array(Type.String(), { description: "What was wrong, and what was done instead." }),
  took_ms: Type.Number(),
})

export const toSearched = ({ vectors, warnings, ...searched }: Searched): Static<typeof SearchedOut> => ({
  ...searched,
  vectors: vectors.map((one) => ({ ...one })),
  warnings: [...warnings],
})

export function toOut({ id, owner, message_id, tags, fact, ...item }: MemoryItem): Static<typeof Item> {
  const { kind, text, session_key, importance, source, created_ms, used_ms, uses } = item
  return {
    ...{ memory_id: String(id), kind, text, ...owner, session_key },
    message_id: message_id === null ? null : String(message_id),
    ...{ tags: [...tags], importance, source, created_ms, used_ms, uses },
    ...(fact && { fact }),
  }
}

export const StatsOut = Type.Object({
  rows: Type.Record(Type.String(), Type.Integer(), { description: "By kind." }),
  facts: Type.Object({ current: Type.Integer(), superseded: Type.Integer(), disputed: Type.Integer() }),
  pending: Type.Integer({ description: "Messages that are not indexed yet." }),
  embedder: Type.String(),
  vectors: Type.Array(
    Type.Object({
      embedder: Type.String(),
      state: Type.String({ description: "filling or serving." }),
      dim: Type.Integer(),
      hot: Type.Integer(),
      warm: Type.Integer(),
      cold: Type.Integer(),
      missing: Type.Integer({ description: "Rows that have no vector in it." }),
      index: Type.String(),
      work: Type.String({ description: "none, checking, rebuilding, moving or linking." }),
      progress: Type.Number({ description: "Of 1." }),
      kept_in: Type.String({ description: "files or memory." }),
      disk_bytes: Type.Integer(),
    }),
    { description: "Of all agents together; none for a token that does not reach all of them." },
  ),
  kernel: Type.String(),
})

export const toStats = (
  { vectors, rows, ...stats }: MemoryStats,
  is_whole: boolean,
): Static<typeof StatsOut> => ({
  ...stats,
  rows: { ...rows },
  vectors: is_whole ? vectors.map((one) => ({ ...one })) : [],
})
