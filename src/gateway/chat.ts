import type { TurnResult } from "../agent/events.ts"
import type { Turn, TurnRequest } from "../agent/turn.ts"
import { AppError } from "../base/errors.ts"
import type { Part } from "../base/parts.ts"
import { toSessionKey } from "../base/session-key.ts"
import { agentFor, isOwnChannel } from "./access.ts"
import type { App } from "./app.ts"
import { type Caller, holds, reaches } from "./auth.ts"
import type { Origin } from "./bindings.ts"
import type { Context, Peer, RequestId } from "./rpc.ts"

/** What a client says of where its message comes from. */
export type Address = Origin & { agent?: string }

/** The agent and the session that a message goes to. */
export function routeTo(
  app: App,
  caller: Caller,
  address: Address,
): Pick<TurnRequest, "agent" | "matched_by" | "session"> {
  requireOwnChannel(caller, address)
  const { channel, account, peer } = address
  const route =
    address.agent === undefined ? app.live().route(address) : { agent: address.agent, matched_by: "request" }
  if (!app.live().agents.has(route.agent) && address.agent === undefined) {
    throw new AppError("no_agent", { channel, account, peer })
  }
  const agent = agentFor(app, caller, route.agent)
  const parts = { agent: agent.id, channel, account, peer }
  requireWellFormed(parts)
  return { agent, matched_by: route.matched_by, session: { ...parts, key: toSessionKey(parts) } }
}

/** Half a surrogate pair becomes U+FFFD in the store, so that two peers would come to share a session. */
function requireWellFormed(parts: Record<string, string>): void {
  const bad = Object.entries(parts).find(([, part]) => !part.isWellFormed())
  if (bad) throw new AppError("invalid_params", { path: `/${bad[0]}`, expected: "well-formed Unicode text" })
}

/** No client can pass for somebody on another channel. */
function requireOwnChannel(caller: Caller, address: Address): void {
  const { channel, account } = address
  if (!isOwnChannel(caller, address)) throw new AppError("forbidden", { scope: "admin", channel, account })
}

/** The text and the attachments as the parts of one message. */
export function toParts(app: App, caller: Caller, content: string, file_ids: readonly string[]): Part[] {
  const { file_bytes_max } = app.live().gateway
  let bytes = 0
  const files = file_ids.map((file_id): Part => {
    const file = app.files.find(file_id)
    const own = file && (file.token_id === caller.token_id || holds(caller, "admin"))
    if (!own) throw new AppError("not_found", { what: "file", file_id })
    const { mime, name } = file
    // The model is sent all of them at once; thirty times the same large file would be held thirty times.
    bytes += file.bytes
    if (bytes > file_bytes_max)
      throw new AppError("too_large", { what: "attachments", limit: file_bytes_max })
    if (mime.startsWith("image/")) return { type: "image", file_id, mime }
    return { type: "file", file_id, mime, ...(name !== null && { name }) }
  })
  const text: Part[] = content === "" ? [] : [{ type: "text", text: content }]
  if (text.length + files.length === 0) {
    throw new AppError("invalid_params", { path: "/content", expected: "text or at least one attachment" })
  }
  return [...files, ...text]
}

/** Passes a turn's events on and answers as its end does: with its result, or by throwing its error. */
export async function answerWith(
  turn: Turn,
  after_seq: number,
  peer: Peer,
  request_id: RequestId | undefined,
): Promise<TurnResult> {
  await peer.follow(turn, after_seq, request_id)
  const outcome = await turn.outcome
  if ("error" in outcome) throw new AppError(outcome.error.code, outcome.error.data)
  return outcome.result
}

/** A turn that the caller may read; one of an agent that it does not reach is as good as none. */
export function turnFor(
  { app, caller }: Pick<Context, "app" | "caller">,
  turn_id: string,
  after_seq: number,
): Turn {
  const turn = app.turns.find(turn_id, after_seq)
  const seen = turn && reaches(caller, turn.agent)
  if (!seen) throw new AppError("not_found", { what: "turn", turn_id })
  return turn
}
