import { type ErrorCode, errors } from "../../base/errors.ts"
import { type Peer, toWire } from "../rpc.ts"
import { readText, retryHeaders } from "./body.ts"
import type { Endpoint } from "./endpoint.ts"

/** The statuses that say something about the HTTP request itself; all other errors are the answer's own affair. */
const telling: ErrorCode[] = ["unauthorized", "rate_limited", "shutting_down", "too_large"]

/** The methods over HTTP. `chat.send` answers once, at the end. */
export const postRpc: Pick<Endpoint, "run" | "fail"> = {
  async run({ app, dispatcher, request, address, caller, waitForModel }) {
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
    const frame = await readText(request, bytes_max)
    waitForModel()
    const reply = await dispatcher.frame(frame, peer)
    if (reply === undefined) return new Response(null, { status: 204 })
    const { error } = JSON.parse(reply) as { error?: { data: { code: ErrorCode } & Record<string, unknown> } }
    return respond(reply, error?.data)
  },
  fail: (error) =>
    respond(JSON.stringify({ jsonrpc: "2.0", id: null, error: toWire(error) }), {
      ...error.data,
      code: error.code,
    }),
}

function respond(
  reply: string,
  failed: ({ code: ErrorCode } & Record<string, unknown>) | undefined,
): Response {
  const headers = { "content-type": "application/json", "cache-control": "no-store" }
  if (!failed || !telling.includes(failed.code)) return new Response(reply, { headers })
  const { code, ...data } = failed
  return new Response(reply, {
    status: errors[code].http,
    headers: { ...headers, ...retryHeaders({ code, data }) },
  })
}
