import { Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { defineMethod, Params, type Peer } from "../rpc.ts"

/** More than there are topics; what is kept for a client has a bound. */
const topics_max = 128
const topics = Type.Array(Type.String({ maxLength: 64, pattern: "^(\\*|[a-z_]+\\.(\\*|[a-z_]+))$" }), {
  minItems: 1,
  maxItems: 32,
  description: 'Topics such as "turn.done", "turn.*" or "*".',
})
const result = Type.Object({
  topics: Type.Array(Type.String(), { description: "All that are subscribed to now." }),
})

export const eventSubscribe = defineMethod({
  name: "event.subscribe",
  summary:
    "Be told of what happens, by `event` notifications {topic, seq, data}: of that which the token's scopes and agents give.",
  // Each event has a scope of its own: a token to approve, say, is told of approvals and of nothing else.
  scope: "none",
  params: Params({ topics }),
  result,
  run({ topics }, { peer }) {
    const subscribed = topicsOf(peer)
    const wanted = subscribed.union(new Set(topics))
    if (wanted.size > topics_max) throw new AppError("too_large", { what: "topics", limit: topics_max })
    for (const topic of topics) subscribed.add(topic)
    return { topics: [...subscribed] }
  },
})

export const eventUnsubscribe = defineMethod({
  name: "event.unsubscribe",
  summary: "No longer be told.",
  scope: "none",
  params: Params({ topics }),
  result,
  run({ topics }, { peer }) {
    const subscribed = topicsOf(peer)
    for (const topic of topics) subscribed.delete(topic)
    return { topics: [...subscribed] }
  },
})

function topicsOf({ topics }: Peer): Set<string> {
  if (!topics) throw new AppError("invalid_request", { expected: "a WebSocket of the weft.v1 protocol" })
  return topics
}
