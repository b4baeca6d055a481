/** A session with turns, and what a context is put together from, over a real store and with a search that a test sets. */
import { parser } from "../../../src/base/schema.ts"
import { toSender, toSessionKey } from "../../../src/base/session-key.ts"
import { memorySection } from "../../../src/memory/config.ts"
import { assembleContext, type ContextDeps } from "../../../src/memory/context/assemble.ts"
import { openTokenCounter } from "../../../src/memory/context/tokens.ts"
import type {
  AssembledContext,
  ContextRequest,
  MemoryAnswer,
  MemoryHit,
  MemoryQuery,
} from "../../../src/memory/memory.ts"
import { addMemory, takeOwner } from "../../../src/store/memory.ts"
import { addMessage } from "../../../src/store/messages.ts"
import { openStore, type Store } from "../../../src/store/open.ts"
import { getSession, type Session, touchSession } from "../../../src/store/sessions.ts"
import { addSummary } from "../../../src/store/summaries.ts"

export const partsOf = (peer: string) => ({ agent: "default", channel: "ws", account: "default", peer })

export type World = AsyncDisposable & {
  store: Store
  now_ms: number
  /** What a search answers, and what it was asked. */
  hits: MemoryHit[]
  asked: MemoryQuery[]
  session(peer?: string): Session
  /** A turn with its answer; answers the number of the user's message. */
  say(user: string, assistant?: string, peer?: string): number
  addSummary(text: string, first: number, last: number, peer?: string): number
  addFact(subject: string, predicate: string, object: string, more?: NewFact): number
  /** Of a text that is stored as the next message, or with `is_new: false` is only asked about. */
  assemble(text: string, options?: AssembleOptions): Promise<AssembledContext>
}

type NewFact = {
  peer?: string
  learned_ms?: number
  importance?: number
  disputes?: string
  superseded_ms?: number
}
export type AssembleOptions = {
  config?: object
  peer?: string
  is_stored?: boolean
  /** Instead of the text: a message that is stored. */
  request?: ContextRequest["message"]
  signal?: AbortSignal
  deps?: Partial<ContextDeps>
}

export const noted = (text: string, more: Partial<MemoryHit> = {}): MemoryHit => ({
  ...{
    id: 1_000,
    kind: "note",
    text,
    owner: { agent: "default", sender: "", namespace: "" },
    session_key: null,
  },
  ...{ message_id: null, tags: [], importance: 0.5, source: "user", created_ms: 0, used_ms: null, uses: 0 },
  ...{ score: 1, why: ["words 1st"] },
  ...more,
})

export async function openWorld(): Promise<World> {
  const store = openStore(":memory:")
  const { db } = store
  const count = openTokenCounter()
  const parse = parser(memorySection.schema)
  let facts = 0
  const ownerOf = (peer: string) =>
    takeOwner(db, { agent: "default", sender: toSender(partsOf(peer)), namespace: "" })
  const add = (peer: string, role: "user" | "assistant", text: string) =>
    addMessage(db, world.session(peer).id, {
      ...{ turn_id: "t", role, parts: [{ type: "text", text }], created_ms: world.now_ms },
    })
  const world: World = {
    ...{ store, now_ms: Date.UTC(2026, 2, 2), hits: [], asked: [] },
    session: (peer = "main") => {
      const key = toSessionKey(partsOf(peer))
      touchSession(db, key, partsOf(peer), world.now_ms)
      return getSession(db, key)
    },
    say(user, assistant = "All right.", peer = "main") {
      const id = add(peer, "user", user)
      add(peer, "assistant", assistant)
      return id
    },
    addSummary(text, first, last, peer = "main") {
      const memory_id = addMemory(db, {
        ...{
          owner_id: ownerOf(peer),
          kind: "summary",
          session_id: world.session(peer).id,
          message_id: null,
          text,
        },
        ...{ hash: new Uint8Array(16), importance: 0.5, source: "conversation", created_ms: world.now_ms },
        ...{ tags: [], words: "" },
      })
      const session_id = world.session(peer).id
      addSummary(db, {
        ...{ memory_id, session_id, first_message: first, last_message: last },
        ...{ tokens: count(text), made_by: "sentences" },
      })
      return memory_id
    },
    addFact(subject, predicate, object, more = {}) {
      const {
        peer = "main",
        learned_ms = world.now_ms,
        importance = 0.5,
        disputes = null,
        superseded_ms = null,
      } = more
      const id = addMemory(db, {
        ...{ owner_id: ownerOf(peer), kind: "fact", session_id: null, message_id: null, text: object },
        ...{
          hash: new Uint8Array(16),
          importance,
          source: "conversation",
          created_ms: learned_ms,
          tags: [],
          words: "",
        },
      })
      db.query(
        `INSERT INTO fact (memory_id, uid, type, subject, predicate, object, key, confidence, learned_ms, disputes, superseded_ms)
         VALUES ($id, $uid, 'fact', $subject, $predicate, $object, $key, 0.8, $learned_ms, $disputes, $superseded_ms)`,
      ).run({
        ...{ id, uid: `f${++facts}`, subject, predicate, object, key: `${subject} ${predicate}` },
        ...{ learned_ms, disputes, superseded_ms },
      })
      return id
    },
    assemble(text, { config = {}, peer = "main", is_stored = true, deps = {}, ...given } = {}) {
      const parts = [{ type: "text" as const, text }]
      const id = is_stored && !given.request ? add(peer, "user", text) : undefined
      const search = async (query: MemoryQuery): Promise<MemoryAnswer> => {
        world.asked.push(query)
        const searched = { rows: 9, words_matched: 1, vectors: [], pending: 0, warnings: [], took_ms: 0 }
        return { hits: world.hits, searched }
      }
      const base: ContextDeps = {
        ...{ db, config: parse(config), owner_ids: [ownerOf(peer)], count, soul: () => [], search },
        now_ms: () => world.now_ms,
      }
      const { request: message = { id, role: "user", parts }, signal = new AbortController().signal } = given
      return assembleContext({ ...base, ...deps }, { session: world.session(peer), message, signal })
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
  return world
}

export const linesOf = ({ messages }: Pick<AssembledContext, "messages">): string[] =>
  messages.map(
    ({ role, parts }) => `${role} ${parts.map((part) => ("text" in part ? part.text : part.type)).join("+")}`,
  )

/** What stands in front of the message. */
export const foundIn = ({ messages }: Pick<AssembledContext, "messages">): string => {
  const parts = messages.at(-1)?.parts ?? []
  const [first] = parts
  return parts.length > 1 && first?.type === "text" ? first.text : ""
}
