import { type Part, textOf } from "../base/parts.ts"
import type { Store } from "../store/open.ts"
import type { Session } from "../store/sessions.ts"
import { extractFacts } from "./facts/extract.ts"
import { learnFacts } from "./facts/learn.ts"
import { takeSessionOwner } from "./owners.ts"

/** Learns what a user's message says of itself, by patterns, for that sender. Within the commit that writes the message. */
export function hearMessage(
  db: Store["db"],
  session: Session,
  { id, parts, created_ms }: { id: number; parts: Part[]; created_ms: number },
): void {
  const text = textOf(parts)
  if (!text) return
  const found = extractFacts(text, { said_ms: created_ms })
  if (found.length === 0) return
  const owner_id = takeSessionOwner(db, session)
  const told = { owner_id, session_id: session.id, message_id: id, source: "conversation" as const }
  learnFacts(db, { ...told, found, now_ms: created_ms })
}
