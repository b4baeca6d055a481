import type { Database } from "bun:sqlite"
import type { Part } from "../../src/base/parts.ts"

type TurnLeft = {
  id: string
  state: string
  stop_reason: string | null
  outcome: string | null
  events: string | null
}
type MessageLeft = { turn_id: string; session_id: number; role: string; parts: string }

/**
 * What is wrong with a store that a gateway has been started on again: a damaged page, a turn that is neither done,
 * failed nor interrupted, a turn that is half there. Empty: nothing.
 */
export function findHalves(db: Database): string[] {
  const found: string[] = []
  const { integrity_check } = db.query("PRAGMA integrity_check").get() as { integrity_check: string }
  if (integrity_check !== "ok") found.push(`integrity_check: ${integrity_check}`)
  const messages = db
    .query("SELECT turn_id, session_id, role, parts FROM message ORDER BY session_id, id")
    .all()
  const by_turn = new Map<string, MessageLeft[]>()
  let last: MessageLeft | undefined
  for (const message of messages as MessageLeft[]) {
    const own = by_turn.get(message.turn_id)
    if (own && last?.turn_id !== message.turn_id) found.push(`${message.turn_id}: mixed with another turn`)
    if (own) own.push(message)
    else by_turn.set(message.turn_id, [message])
    last = message
  }
  const turns = db.query("SELECT id, state, stop_reason, outcome, events FROM turn").all() as TurnLeft[]
  for (const turn of turns) found.push(...halvesOf(turn, by_turn.get(turn.id) ?? []))
  const known = new Set(turns.map(({ id }) => id))
  for (const id of by_turn.keys()) if (!known.has(id)) found.push(`${id}: messages without a turn`)
  return found
}

function halvesOf({ id, state, stop_reason, outcome, events }: TurnLeft, messages: MessageLeft[]): string[] {
  const roles = messages.map(({ role }) => role).join(" ")
  // Without an outcome its end was never written, and then no answer may be there either.
  const end =
    outcome === null ? "" : state === "done" && stop_reason === "end" ? " assistant" : "( assistant)?"
  const whole = new RegExp(`^user( assistant tool)*${end}$`)
  const found: string[] = []
  if (!["done", "failed", "interrupted"].includes(state)) found.push(`${id}: is ${state}`)
  if (!whole.test(roles)) found.push(`${id}: ${state} ${stop_reason} with the messages ${roles}`)
  if (state === "done" && (outcome === null || events === null)) found.push(`${id}: done without an outcome`)
  if (calls(messages, "tool_use") !== calls(messages, "tool_result"))
    found.push(`${id}: a call without its result`)
  return found
}

const calls = (messages: MessageLeft[], type: "tool_use" | "tool_result"): string =>
  messages
    .flatMap(({ parts }) => JSON.parse(parts) as Part[])
    .flatMap((part) => (part.type === type ? [part.id] : []))
    .join(" ")
