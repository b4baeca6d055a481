/** Who sees whose memory. The one place that decides it; what is not named here is seen by nobody. */

import { AppError } from "../base/errors.ts"
import { type SessionParts, toSender } from "../base/session-key.ts"
import { findOwner, listOwners, listShared, type Owner, takeOwner } from "../store/memory.ts"
import type { Store } from "../store/open.ts"
import type { Audience, Reader } from "./memory.ts"

/** What the configuration says of it. */
export type Sharing = {
  /** "together": the senders of an agent see each other's. */
  senders: "apart" | "together"
  /** By agent: what it may put into namespaces, and what it reads there. */
  agents: ReadonlyMap<string, { share: readonly string[]; read: readonly string[] }>
}

/**
 * The numbers of the owners that a reader sees: the agent's own, his own sender's (all of the agent's for an operator,
 * or where senders are together), and what agents put into namespaces that they may share in and the reader's reads.
 */
export function ownersFor(db: Store["db"], { agent, sender }: Reader, sharing: Sharing): number[] {
  const everybody = sender === undefined || sharing.senders === "together"
  const own = everybody
    ? listOwners(db, agent)
        .filter(({ namespace }) => namespace === "")
        .map(({ id }) => id)
    : [sender, ""].flatMap((one) => findOwner(db, { agent, sender: one, namespace: "" }) ?? [])
  const { read = [] } = sharing.agents.get(agent) ?? {}
  if (read.length === 0) return own
  const shared = listShared(db, read).filter(({ agent: from, namespace }) =>
    sharing.agents.get(from)?.share.includes(namespace),
  )
  return [...own, ...shared.map(({ id }) => id)]
}

/** Whose something becomes that a reader adds. Throws forbidden where his agent may not share in the namespace. */
export function ownerOf({ agent, sender }: Reader, audience: Audience, sharing: Sharing): Owner {
  if (audience.to === "namespace") {
    const { namespace } = audience
    const { share = [] } = sharing.agents.get(agent) ?? {}
    if (!share.includes(namespace)) throw new AppError("forbidden", { what: "namespace", namespace, agent })
    return { agent, sender: "", namespace }
  }
  return { agent, sender: audience.to === "sender" ? (sender ?? "") : "", namespace: "" }
}

/** The number of a session's own sender. */
export const takeSessionOwner = (db: Store["db"], session: SessionParts): number =>
  takeOwner(db, { agent: session.agent, sender: toSender(session), namespace: "" })
