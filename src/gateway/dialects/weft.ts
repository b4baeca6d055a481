import { AppError } from "../../base/errors.ts"
import type { Outbox } from "../outbox.ts"
import { chatEventEncoder, type Dispatcher, type Peer, toWire } from "../rpc.ts"

/** One client's side of a conversation: what to do when its socket opens and when a frame comes. */
export type Dialect = { opened(): void; message(frame: string | Uint8Array): void }

export type DialectOptions = { dispatcher: Dispatcher; peer: Peer; outbox: Outbox; refuse(): void }

const binary_refused = JSON.stringify({
  jsonrpc: "2.0",
  id: null,
  error: toWire(new AppError("invalid_request", { expected: "a text frame" })),
})

/** The protocol of our own: strict JSON-RPC 2.0. */
export function openWeft({ dispatcher, peer, outbox, refuse }: DialectOptions): Dialect {
  peer.follow = (turn, after_seq, request_id) =>
    request_id === undefined
      ? turn.outcome.then(() => undefined)
      : outbox.follow(turn.log, after_seq, chatEventEncoder(turn.id, request_id))
  const answer = (text: string | undefined) => {
    if (text !== undefined) outbox.send(text)
    if (peer.refused) refuse()
  }
  return {
    opened: () => undefined,
    message(frame) {
      if (typeof frame !== "string") {
        peer.refused ||= !peer.caller
        return answer(binary_refused)
      }
      const reply = dispatcher.frame(frame, peer)
      if (reply instanceof Promise) void reply.then(answer)
      else answer(reply)
    },
  }
}
