import type { Agent } from "../agent/agents.ts"
import { AppError } from "../base/errors.ts"
import { parseSessionKey, type SessionParts } from "../base/session-key.ts"
import { own_channels } from "../config/check.ts"
import { findSession, type SessionRow } from "../store/sessions.ts"
import type { App } from "./app.ts"
import { type Caller, holds, reaches } from "./auth.ts"

/** The channels that a client may speak for by itself; the others belong to platforms with senders of their own. */
export const isOwnChannel = (
  caller: Caller,
  { channel, account }: Pick<SessionParts, "channel" | "account">,
): boolean => holds(caller, "admin") || (own_channels.includes(channel) && account === "default")

/** A session that the caller may see. One that it may not see is answered like one that is not there. */
export function sessionFor(app: App, caller: Caller, session_key: string): SessionRow {
  const agent = parseSessionKey(session_key)?.agent
  const session =
    agent !== undefined && reaches(caller, agent) ? findSession(app.store.db, session_key) : undefined
  if (!session) throw new AppError("not_found", { what: "session", session_key })
  return session
}

/** The same, for the writing methods: without admin only what the client's own channels made. */
export function ownSessionFor(app: App, caller: Caller, session_key: string): SessionRow {
  const session = sessionFor(app, caller, session_key)
  const { channel, account } = session
  if (!isOwnChannel(caller, session)) throw new AppError("forbidden", { scope: "admin", channel, account })
  return session
}

/** An agent by name. One that the token does not reach is forbidden whether or not it is there. */
export function agentFor(app: App, caller: Caller, id: string): Agent {
  if (!reaches(caller, id)) throw new AppError("forbidden", { scope: "agents", agent: id })
  const agent = app.live().agents.get(id)
  if (!agent) throw new AppError("not_found", { what: "agent", agent: id })
  return agent
}

/** The agents to narrow a query to: the asked-for one, else all that the caller reaches. */
export function agentsFilter(caller: Caller, agent: string | undefined): string[] | undefined {
  if (agent === undefined) return caller.agents === null ? undefined : [...caller.agents]
  return reaches(caller, agent) ? [agent] : []
}
