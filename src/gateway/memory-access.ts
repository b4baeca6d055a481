/** Whose memory a caller may see and change: the one place that decides it for the methods. */
import { AppError } from "../base/errors.ts"
import { type SessionParts, toSender } from "../base/session-key.ts"
import type { MemoryItem, Reader } from "../memory/memory.ts"
import { agentFor, isOwnChannel, sessionFor } from "./access.ts"
import type { App } from "./app.ts"
import { type Caller, holds } from "./auth.ts"

export type Asked = {
  agent?: string | undefined
  sender?: Pick<SessionParts, "channel" | "account" | "peer"> | undefined
  session_key?: string | undefined
}

/**
 * Who asks. A sender is named, or is the one of the session that is named; without admin only one that a client may speak
 * for. Where none is named an admin sees what is of all of the agent's senders, and everybody else what is for all of them.
 */
export function readerFor(app: App, caller: Caller, { agent, sender, session_key }: Asked): Reader {
  const session = session_key === undefined ? undefined : sessionFor(app, caller, session_key)
  if (session && agent !== undefined && agent !== session.agent) {
    throw new AppError("invalid_params", { path: "/agent", expected: "the agent of the session, or none" })
  }
  const id = session?.agent ?? agentFor(app, caller, agent ?? app.live().default_agent).id
  const who = sender ?? session
  if (!who) return { agent: id, sender: holds(caller, "admin") ? undefined : "" }
  const { channel, account } = who
  if (!isOwnChannel(caller, who)) throw new AppError("forbidden", { scope: "admin", channel, account })
  return { agent: id, sender: toSender(who) }
}

/** What a reader may change: his own; an admin what is of the agent, whoever it is for. */
export const isChangeable =
  (caller: Caller, { agent, sender }: Reader) =>
  ({ owner }: MemoryItem): boolean => {
    if (owner.agent !== agent) return false
    if (holds(caller, "admin")) return true
    return owner.namespace === "" && owner.sender !== "" && owner.sender === sender
  }

/** What concerns everybody's memory is for tokens that reach every agent. */
export function checkReach({ agents }: Caller): void {
  if (agents !== null) throw new AppError("forbidden", { what: "memory", agents: [...agents] })
}
