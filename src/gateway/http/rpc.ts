import { AppError, type ErrorCode, errors } from "../../base/errors.ts"
import type { HttpContext } from "../http.ts"
import type { Peer } from "../rpc.ts"
import { readText, retryHeaders } from "./body.ts"

/** The statuses that say something about the HTTP request itself; all other errors are the answer's own affair. */
const telling: ErrorCode[] = ["unauthorized", "rate_limited", "shutting_down", "too_large"]

/** The methods over HTTP. `chat.send` answers once, at the end. */
export async function postRpc({ app, dispatcher, request, address, caller }: HttpContext): Promise<Response> {
  // Nothing is read for a stranger beyond what connect or token.exchange can need.
  const bytes_max = caller ? app.live().gateway.payload_bytes_max : 4096
  const peer: Peer = {
    caller,
    connection_id: crypto.randomUUID(),
    address,
    signal: request.signal,
    follow: (turn) => turn.outcome.then(() => undefined),
    topics: undefined,
    in_flight: 0,
    refused: false,
    revocable: true,
  }
  const reply = await dispatcher.frame(await readText(request, bytes_max), peer)
  if (reply === undefined) return new Response(null, { status: 204 })
  const headers = { "content-type": "application/json", "cache-control": "no-store" }
  const failed = (JSON.parse(reply) as { error?: { data: { code: ErrorCode } & Record<string, unknown> } })
    .error?.data
  if (!failed || !telling.includes(failed.code)) return new Response(reply, { headers })
  return new Response(reply, {
    status: errors[failed.code].http,
    headers: { ...headers, ...retryHeaders({ code: failed.code, data: failed }) },
  })
}

/** Throws where a request that needs a token has none. */
export function requireCaller({ caller }: HttpContext) {
  if (!caller) throw new AppError("unauthorized")
  return caller
}
