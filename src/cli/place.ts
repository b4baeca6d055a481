import { parseSessionKey, type SessionParts } from "../base/session-key.ts"

export type Place = Partial<SessionParts>

/** `--session` is a whole session key, or just a name: then it is a conversation of its own in the terminal's channel. */
export function toPlace(session: string | undefined): Place {
  if (!session) return {}
  return parseSessionKey(session) ?? { peer: session }
}
