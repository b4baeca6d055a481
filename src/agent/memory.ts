/** The memory as a tool's call has it: the sender of its session, and nobody else. */
import { AppError } from "../base/errors.ts"
import { parseSessionKey, toSender } from "../base/session-key.ts"
import type { Audience, MemoryItem, Reader } from "../memory/memory.ts"
import type { OpenedMemory } from "../memory/open.ts"
import { rolesOf, searchMessages } from "../store/messages.ts"
import type { Store } from "../store/open.ts"
import type { Remembered, ToolContext, ToolMemory } from "../tools/tool.ts"
import type { CallOf } from "./context.ts"

export type MemoryDeps = {
  store: Pick<Store, "db">
  memory: Pick<OpenedMemory, "ready">
  /** Whether the senders of an agent see each other's, as the configuration says. */
  senders(): "apart" | "together"
}

export function toToolMemory({ agent, session_key, signal }: CallOf, deps: MemoryDeps): ToolMemory {
  const { memory, store } = deps
  const reader = readerOf(agent.id, session_key)
  const isOwn = isOwnOf(reader)
  const show = (items: readonly MemoryItem[]) => toRemembered(store.db, items)
  return {
    async search(query) {
      const opened = await memory.ready()
      const { hits, searched } = await opened.search({ ...query, reader }, signal)
      const shown = show(hits)
      opened.used(hits.map(({ id }) => id))
      return { hits: hits.map(({ why }, i) => ({ ...shown[i]!, why })), searched }
    },
    async add({ namespace, fact, ...note }) {
      const audience = audienceOf(reader, namespace)
      const added = (await memory.ready()).add({
        ...note,
        ...(fact && { fact }),
        reader,
        audience,
        source: "agent",
      })
      return show([await added.catch(forTheModel)])[0]!
    },
    find: async (ids) => show((await memory.ready()).get(reader, ids).filter(isOwn)),
    async forget(ids) {
      const opened = await memory.ready()
      const own = opened.get(reader, ids).filter(isOwn)
      const { forgotten, related } = await opened.forget(
        reader,
        own.map(({ id }) => id),
      )
      return { forgotten, related: show(related) }
    },
  }
}

/** Those of the same sender with the agent; of all where the configuration says that they are together. */
export function searchSessions(
  { agent, session_key }: CallOf,
  { store, senders }: MemoryDeps,
): ToolContext["searchSessions"] {
  const agents = [agent.id]
  const sender = session_key === null ? undefined : parseSessionKey(session_key)
  return (query, limit) => {
    if (senders() === "together") return searchMessages(store.db, { query, agents, limit })
    return sender ? searchMessages(store.db, { query, agents, sender, limit }) : []
  }
}

/** A call outside of any conversation sees what is for all of the agent's senders, and nothing of any one of them. */
export function readerOf(agent: string, session_key: string | null): Reader & { sender: string } {
  const parts = session_key === null ? undefined : parseSessionKey(session_key)
  return { agent, sender: parts && parts.agent === agent ? toSender(parts) : "" }
}

function audienceOf({ sender }: Reader & { sender: string }, namespace: string | undefined): Audience {
  if (namespace !== undefined) return { to: "namespace", namespace }
  // What is for everybody is the operator's to say: else one sender could tell it to all the others.
  if (sender === "") throw new Error("There is nobody here to remember it for: the call is in no session.")
  return { to: "sender" }
}

function forTheModel(thrown: unknown): never {
  const is_closed = thrown instanceof AppError && thrown.code === "forbidden"
  throw is_closed ? new Error("This agent may not share anything in that namespace.") : thrown
}

/** Of what he sees: what is another sender's, for all of the agent's senders, or shared, is not his to take away. */
const isOwnOf =
  ({ sender }: Reader) =>
  ({ owner }: MemoryItem): boolean =>
    owner.sender !== "" && owner.sender === sender && owner.namespace === ""

function toRemembered(db: Store["db"], items: readonly MemoryItem[]): Remembered[] {
  const roles = rolesOf(
    db,
    items.flatMap(({ message_id }) => message_id ?? []),
  )
  return items.map((item) => {
    const { id, text, kind, source, owner, created_ms, session_key, tags, message_id } = item
    const role = message_id === null ? undefined : roles.get(message_id)
    const from = owner.namespace === "" ? "" : ` of ${owner.agent}, shared in ${owner.namespace}`
    return {
      ...{ id, text: item.fact?.superseded_ms === undefined ? text : `${text} (no longer so)` },
      ...{ created_ms, session_key, tags },
      who: `${kind === "message" ? (role ?? "message") : kind.replace("_", " ")}${from}`,
      is_trusted: kind !== "tool_result" && source !== "import" && owner.namespace === "",
    }
  })
}
