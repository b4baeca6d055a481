/** Deliveries of platforms: each is worked on once, and taken up again where a gateway ended in the middle. */
import { AppError } from "../base/errors.ts"
import { delivery_ms } from "../store/retention.ts"
import {
  type DeliveryKey,
  deliveryBody,
  findDelivery,
  finishDelivery,
  listUnfinishedDeliveries,
  type UnfinishedDelivery,
} from "../store/webhooks.ts"
import type { App } from "./app.ts"
import { type Failures, openFailures } from "./failures.ts"
import type { Limits } from "./limits.ts"
import { reported } from "./rpc.ts"
import { type Answer, answers } from "./webhook-answers.ts"
import { count, type Delivery, explain, rowKey, takeIn } from "./webhook-work.ts"

export type Webhooks = AsyncDisposable & {
  /** Takes a delivery in once, however often and at how many times it comes. Never throws. */
  take(delivery: Delivery): Promise<Answer>
  /** Takes up what was acknowledged and not brought to its end before a gateway ended, where its adapter is there. */
  resume(): void
  /** Wrong signatures, which are few from platforms. */
  failures: Failures
  /** What ends the reading of a body whose signature cannot be told before it is there, and who sends it; oldest first. */
  reading: Map<(answer: Answer) => void, string>
  readings_max: number
  /** How long such a body may take. */
  body_ms: number
}

const failures_max = 60
const failure_window_ms = 60_000
const addresses_max = 10_000
/** So many times the largest body is what strangers can make us hold. */
const readings_max = 64
/** Of one channel: each holds its body and a turn, and a person with many names could begin as many as they like. */
const works_max = 256
/** Gateways that may begin with what was acknowledged; it may be what brings them to their end. */
const attempts_max = 5

/** `of`: the whole, which this is a part of. */
export function openWebhooks(
  of: () => App,
  { body_ms, farewell_ms }: Pick<Limits, "body_ms" | "farewell_ms">,
): Webhooks {
  const stopping = new AbortController()
  /** By delivery: what it is or will be acknowledged with. */
  const working = new Map<string, Promise<Answer>>()
  const running = new Set<Promise<void>>()

  /** Never rejects. */
  const begin = (delivery: Delivery, turn_id: string | null): Promise<Answer> => {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const key = keyOf(rowKey(delivery))
    working.set(key, promise)
    const app = of()
    const work = { delivery, app, signal: stopping.signal, acknowledge: resolve }
    const run = async () => {
      const answer = await takeIn(work, turn_id).catch((thrown) => explain(thrown, work))
      count(app, delivery.channel.id, answer.outcome)
      working.delete(key)
      resolve(answer)
    }
    const ran = run().finally(() => running.delete(ran))
    running.add(ran)
    return promise
  }

  const isFull = (channel: string): boolean =>
    [...working.keys()].filter((key) => key.startsWith(`${channel} `)).length >= works_max

  const take: Webhooks["take"] = async (delivery) => {
    const app = of()
    const { id } = delivery.channel
    const counted = (answer: Answer): Answer => {
      count(app, id, answer.outcome)
      return answer
    }
    const first = working.get(keyOf(rowKey(delivery)))
    if (!first) {
      // From here to `begin` nothing waits: two at once would both be the first.
      const known = findDelivery(app.store.db, rowKey(delivery), app.now_ms() - delivery_ms)
      if (known?.is_done === 1) return counted(answers.duplicate)
      return isFull(id) ? counted(answers.busy) : begin(delivery, known?.turn_id ?? null)
    }
    // What comes while the first one is worked on shares its end, as the platform may have given that one up.
    const answer = await first
    return answer.status >= 300 || answer.outcome === "responded" ? answer : counted(answers.duplicate)
  }

  const now_ms = () => of().now_ms()
  return {
    take,
    failures: openFailures({ failures_max, window_ms: failure_window_ms, addresses_max, now_ms }),
    ...{ reading: new Map(), readings_max, body_ms },
    resume() {
      const app = of()
      for (const row of listUnfinishedDeliveries(app.store.db)) {
        if (working.has(keyOf(row))) continue
        if (row.attempts >= attempts_max) {
          giveUp(app, row)
          continue
        }
        const channel = app.live().channels.get(row.channel)
        const adapter = channel && app.plugins.adapter(channel.plugin)
        const body = adapter && deliveryBody(app.store.db, row)
        if (channel && adapter && body) void begin({ channel, adapter, hash: row.hash, body }, row.turn_id)
      }
    },
    async [Symbol.asyncDispose]() {
      // Turns are over by now; what they said may be on its way, and nobody will send it again.
      const timer = setTimeout(() => stopping.abort(new AppError("shutting_down")), farewell_ms)
      await Promise.all(running)
      clearTimeout(timer)
    },
  }
}

const keyOf = ({ channel, hash }: DeliveryKey) => `${channel} ${hash}`

/** What `status` says of each channel: "ready", or why nobody can speak there. */
export function channelStates({ live, plugins }: App): { id: string; state: string }[] {
  const known = new Map(plugins.list().map((plugin) => [plugin.name, plugin]))
  return [...live().channels.values()].map(({ id, plugin }) => {
    const { kind, state = "missing" } = known.get(plugin) ?? {}
    if (plugins.adapter(plugin)) return { id, state: "ready" }
    return { id, state: state === "ready" || kind === "tool" ? "no_adapter" : state }
  })
}

function giveUp(app: App, { channel, hash, turn_id, attempts }: UnfinishedDelivery): void {
  app.log.warn("a webhook was given up", { channel, turn_id, attempts })
  app.store
    .commit((db) => finishDelivery(db, { channel, hash }))
    .catch((cause: unknown) => void reported(cause, app))
}
