import { Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { defineMethod, Params, type Peer } from "../rpc.ts"

const topics = Type.Array(Type.String({ pattern: "^(\\*|[a-z_]+\\.(\\*|[a-z_]+))$" }), {
  minItems: 1,
  maxItems: 32,
  description: 'Topics such as "turn.done", "turn.*" or "*".',
})
const result = Type.Object({
  topics: Type.Array(Type.String(), { description: "All that are subscribed to now." }),
})

export const eventSubscribe = defineMethod({
  name: "event.subscribe",
  summary: "Be told of what happens, by `event` notifications {topic, seq, data}.",
  scope: "read",
  params: Params({ topics }),
  result,
  run({ topics }, { peer }) {
    const subscribed = topicsOf(peer)
    for (const topic of topics) subscribed.add(topic)
    return { topics: [...subscribed] }
  },
})

export const eventUnsubscribe = defineMethod({
  name: "event.unsubscribe",
  summary: "No longer be told.",
  scope: "read",
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
