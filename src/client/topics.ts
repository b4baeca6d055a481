import type { Connection, Topical } from "./connection.ts"
import { aborted, WeftError } from "./errors.ts"
import type { Link } from "./link.ts"
import { openQueue, type Queue } from "./queue.ts"

type Subscription = { topics: string[]; queue: Queue<Topical> }

const waiting_max = 10_000

/** Shares one connection's subscriptions among any number of readers, and renews them on each new connection. */
export function openTopics(link: () => Link) {
  const subscriptions = new Set<Subscription>()
  const wanted = () => [...new Set([...subscriptions].flatMap(({ topics }) => topics))]

  async function leave(subscription: Subscription): Promise<void> {
    if (!subscriptions.delete(subscription)) return
    const still = new Set(wanted())
    const topics = subscription.topics.filter((topic) => !still.has(topic))
    if (topics.length === 0 || link().failure) return
    const connection = await link().connection()
    await connection.send("event.unsubscribe", { topics })
  }

  return {
    take(event: Topical): void {
      for (const { topics, queue } of subscriptions) {
        if (topics.some((topic) => matches(topic, event.topic))) queue.push(event)
      }
    },
    renew(connection: Connection): void {
      const topics = wanted()
      if (topics.length === 0) return
      connection.send("event.subscribe", { topics }).catch((thrown) => {
        // Lost again: the next connection renews them. Anything else, the readers must know.
        if (thrown instanceof WeftError && thrown.code === "unreachable") return
        for (const { queue } of subscriptions) queue.fail(thrown)
      })
    },
    fail(error: unknown): void {
      for (const { queue } of subscriptions) queue.fail(error)
      subscriptions.clear()
    },
    open(topics: string[], signal?: AbortSignal): AsyncIterableIterator<Topical> {
      const depart = () => {
        signal?.removeEventListener("abort", stop)
        leave(subscription).catch(() => {
          // The reader is gone; the worst case is an event that nobody here wants.
        })
      }
      const stop = () => {
        subscription.queue.fail(aborted(signal))
        depart()
      }
      const overflow = () =>
        new WeftError("too_large", { limit: waiting_max }, "Events came faster than they were read.")
      const queue = openQueue<Topical>({ count_max: waiting_max, overflow, onReturn: depart })
      const subscription = { topics, queue }
      subscriptions.add(subscription)
      signal?.addEventListener("abort", stop, { once: true })
      if (signal?.aborted) stop()
      link()
        .connection(signal)
        .then((connection) => connection.send("event.subscribe", { topics }))
        .catch((thrown) => {
          if (thrown instanceof WeftError && thrown.code === "unreachable" && !link().failure) return
          queue.fail(thrown)
          subscriptions.delete(subscription)
        })
      return queue
    },
  }
}

/** "turn.*" covers "turn.started"; "*" covers everything. */
function matches(pattern: string, topic: string): boolean {
  return pattern.endsWith("*") ? topic.startsWith(pattern.slice(0, -1)) : pattern === topic
}
