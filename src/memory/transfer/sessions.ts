/** Takes conversations in that were held elsewhere. */
import { type SessionParts, toSender, toSessionKey } from "../../base/session-key.ts"
import { hasOwnMessages, hasTurn, lastLearnt } from "../../store/memory-transfer.ts"
import { addMessage } from "../../store/messages.ts"
import type { Store } from "../../store/open.ts"
import { findSession, type Session, touchSession } from "../../store/sessions.ts"
import { split } from "../index/pieces.ts"
import { takeSessionOwner } from "../owners.ts"
import { takeIn } from "./import.ts"

export type SaidElsewhere = SessionParts & {
  role: "user" | "assistant"
  text: string
  created_ms: number
  /** How many messages of the session before it are the same. */
  nth: number
}

export type SaidImported = {
  messages: number
  /** Messages that were here already. */
  known: number
  /** Messages of sessions that are in use here: they are notes now, since they would come after what was said since. */
  as_notes: number
}

type Deps = {
  store: Store
  /** Learns from what a user said. */
  hear(db: Store["db"], session: Session, message: { id: number; parts: Part[]; created_ms: number }): void
}

type Part = { type: "text"; text: string }

/** By this a message is known to have come in here. */
export const imported_turn = "import-"

/** In the order given; all of it, or nothing where it fails. */
export const importMessages = (
  { store, hear }: Deps,
  messages: readonly SaidElsewhere[],
): Promise<SaidImported> =>
  store.commit((db) => {
    const done: SaidImported = { messages: 0, known: 0, as_notes: 0 }
    for (const said of messages) {
      const { agent, channel, account, peer } = said
      const parts = { agent, channel, account, peer }
      const key = toSessionKey(parts)
      const there = findSession(db, key)
      if (there && hasOwnMessages(db, there.id, imported_turn)) {
        done[addNotes(db, parts, said) ? "as_notes" : "known"]++
        continue
      }
      const turn_id = turnOf(key, said)
      if (there && hasTurn(db, there.id, turn_id)) {
        done.known++
        continue
      }
      const session = touchSession(db, key, parts, said.created_ms)
      const message = { parts: [{ type: "text" as const, text: said.text }], created_ms: said.created_ms }
      const id = addMessage(db, session.id, { ...message, turn_id, role: said.role })
      const owner_id = takeSessionOwner(db, session)
      // What was said long ago is no news to what is known by now; it can be found all the same.
      const is_news = lastLearnt(db, owner_id) <= said.created_ms
      if (said.role === "user" && is_news) hear(db, session, { id, ...message })
      done.messages++
    }
    return done
  })

/** Whether any of it was new. */
function addNotes(
  db: Store["db"],
  parts: SessionParts,
  { role, text, created_ms, nth }: SaidElsewhere,
): boolean {
  const taken = split(text).map((piece) =>
    takeIn(db, {
      ...{ agent: parts.agent, sender: toSender(parts), namespace: "", kind: "message" },
      ...{ text: piece, tags: [role], importance: 0.5, source: "import", created_ms, uses: 0, nth },
    }),
  )
  return taken.some((one) => typeof one === "object")
}

function turnOf(key: string, { role, text, created_ms, nth }: SaidElsewhere): string {
  const whole = JSON.stringify([key, role, text, created_ms, nth])
  return `${imported_turn}${new Bun.CryptoHasher("sha256").update(whole).digest("hex").slice(0, 40)}`
}
