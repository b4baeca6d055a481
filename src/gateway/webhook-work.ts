/** What becomes of a platform's request once its signature is right: one turn, and its answer on the way back. */
import type { TurnResult } from "../agent/events.ts"
import type { Turn } from "../agent/turn.ts"
import { AppError } from "../base/errors.ts"
import type { Part } from "../base/parts.ts"
import { parseSessionKey } from "../base/session-key.ts"
import type { Channel } from "../channels/channel.ts"
import type { Sent } from "../channels/channel-proxy.ts"
import { isPassing, PluginFailed } from "../plugins/module.ts"
import type { Incoming, IncomingPart, PluginAdapter } from "../plugins/plugin.ts"
import type { Store } from "../store/open.ts"
import { finishDelivery, putDelivery } from "../store/webhooks.ts"
import type { App } from "./app.ts"
import { type Caller, scopes } from "./auth.ts"
import { routeTo } from "./chat.ts"
import { sniff } from "./files.ts"
import { reported } from "./rpc.ts"
import { type Answer, answers, failed } from "./webhook-answers.ts"

/** A request whose signature is right. `hash`: of what makes it the same one as another. */
export type Delivery = { channel: Channel; adapter: PluginAdapter; hash: string; body: Uint8Array }

/** Who speaks for a platform: its signature says that it may, for every account and peer there. */
const platform: Caller = { token_id: "", name: "channel", scopes, agents: null, expires_ms: null }

type Message = Extract<Incoming, { type: "message" }>
export type Work = { delivery: Delivery; app: App; signal: AbortSignal; acknowledge(answer: Answer): void }

export const rowKey = ({ channel, hash }: Delivery) => ({ channel: channel.id, hash })

export function count({ metrics }: App, channel: string, outcome: string): void {
  const key = `${channel} ${outcome}`
  metrics.webhooks_total.set(key, (metrics.webhooks_total.get(key) ?? 0) + 1)
}

/** `turn_id`: what an earlier attempt became. Its answer is sent, if it has one; only sending had failed then. */
export async function takeIn(work: Work, turn_id: string | null): Promise<Answer> {
  const { app, delivery, signal } = work
  const incoming = await parse(delivery, app, signal)
  if ("outcome" in incoming) return incoming
  const earlier = turn_id === null ? undefined : app.turns.find(turn_id)
  const kept = earlier && (await resultOf(earlier))
  const result = kept ?? (await converse(work, incoming))
  const text = result.stop_reason === "aborted" ? "" : result.text
  const answer = text === "" ? answers.nothing : await answerWith(work, incoming, text)
  tell(app, answer.status < 300 ? "channel.sent" : "channel.failed", delivery, result, answer)
  // Sending is tried again when the platform asks again; what was refused here would be refused again.
  const is_over = isAtOnce(delivery) ? answer !== answers.unavailable : answer.outcome === "denied"
  if (answer.status < 300 || is_over) await finish(app.store, delivery)
  return answer
}

/** Nobody will send it again once it is acknowledged. */
const isAtOnce = ({ channel }: Delivery): boolean => channel.acknowledge === "at_once"

const finish = (store: Store, delivery: Delivery) =>
  store.commit((db) => finishDelivery(db, rowKey(delivery)))

async function resultOf(turn: Turn): Promise<TurnResult | undefined> {
  const outcome = await turn.outcome
  return "result" in outcome ? outcome.result : undefined
}

async function parse({ adapter, body, channel }: Delivery, app: App, signal: AbortSignal) {
  try {
    const incoming = await adapter.parseIncoming(body, signal)
    if (incoming.type === "ignore") return answers.ignored
    if (incoming.type === "respond") {
      const { status, content_type, body } = incoming
      return { outcome: "responded", status, type: content_type, body } satisfies Answer
    }
    return isEmpty(incoming) ? answers.empty : incoming
  } catch (thrown) {
    if (!(thrown instanceof PluginFailed)) throw thrown
    const { kind, message: reason } = thrown
    app.log.warn("an adapter could not read a request", {
      channel: channel.id,
      plugin: adapter.plugin,
      kind,
      reason,
    })
    return isPassing(thrown) ? answers.unavailable : answers.unreadable
  }
}

const isEmpty = ({ parts }: Message) => parts.every((part) => part.type === "text" && part.text.trim() === "")

/** The message is on the disk together with the delivery, before a model is asked. */
async function converse({ app, delivery, acknowledge }: Work, message: Message): Promise<TurnResult> {
  const { channel } = delivery
  const { account, peer, guild, team } = message
  const origin = { channel: channel.id, account, peer, ...(guild && { guild }), ...(team && { team }) }
  // Who may not speak there leaves no image either.
  const target = routeTo(app, platform, origin)
  const parts = await Promise.all(message.parts.map((part) => toPart(app, part)))
  const turn = app.turns.submit({ ...target, parts, revocable: true })
  const at_once = isAtOnce(delivery)
  const body = at_once ? delivery.body : null
  const row = { ...rowKey(delivery), turn_id: turn.id, body, created_ms: app.now_ms() }
  try {
    await app.store.commit((db) => putDelivery(db, row))
  } catch (thrown) {
    turn.abort(new AppError("aborted"))
    throw thrown
  }
  const session_key = turn.session_key
  const data = { channel: channel.id, account, session_key, turn_id: turn.id }
  app.hub.publish({ topic: "channel.received", data, agent: turn.agent })
  if (at_once) acknowledge(answers.accepted)
  const outcome = await turn.outcome
  if ("result" in outcome) return outcome.result
  throw new AppError(outcome.error.code, { ...outcome.error.data, turn_id: turn.id })
}

async function toPart(app: App, part: IncomingPart): Promise<Part> {
  if (part.type === "text") return part
  if (!sniff(part.bytes).startsWith("image/")) throw new AppError("invalid_params", { expected: "an image" })
  const { id, mime } = await app.files.put({ bytes: part.bytes, name: null, token_id: "" })
  return { type: "image", file_id: id, mime }
}

async function answerWith(
  { app, delivery, signal }: Work,
  { reply }: Message,
  content: string,
): Promise<Answer> {
  const { channels, findSecret } = app.live()
  // By now, as what was taken away while the agent thought must not be used.
  const channel = channels.get(delivery.channel.id)
  const adapter = channel && app.plugins.adapter(channel.plugin)
  if (!adapter) return answers.unavailable
  const outgoing = { content, ...(reply !== undefined && { reply }) }
  const payload = delivery.body
  // Sent once or never: a crash in the middle must not send it again where nobody has asked.
  const onSending = async () => {
    if (isAtOnce(delivery)) await finish(app.store, delivery)
  }
  const { log } = app
  const { sendAnswer } = await import("../channels/channel-proxy.ts")
  const sent = await sendAnswer({
    ...{ channel, adapter, outgoing, payload, findSecret, signal, log, onSending },
  })
  return toAnswer(sent, delivery)
}

function toAnswer(sent: Sent, { channel, adapter }: Delivery): Answer {
  switch (sent.type) {
    case "bytes":
      // Nobody reads the body of an answer that was given before.
      return channel.acknowledge === "at_once" ? answers.unsent : answers.bytes(sent.bytes)
    case "sent":
      return answers.sent
    case "failed":
      return answers.upstream
    case "unavailable":
      return answers.unavailable
    case "denied":
      return answers.denied(sent.host, adapter.plugin)
  }
}

export async function explain(thrown: unknown, work: Work): Promise<Answer> {
  const { app, delivery, signal } = work
  const error = signal.aborted ? new AppError("shutting_down") : reported(thrown, app)
  const answer = error.code === "aborted" ? answers.nothing : failed(error)
  const turn_id = typeof error.data.turn_id === "string" ? error.data.turn_id : null
  tell(app, "channel.failed", delivery, { session_key: null, turn_id }, answer)
  // What failed by itself would fail again; what had no room or no time here is taken up later.
  const is_over = isAtOnce(delivery) && error.code !== "shutting_down" && error.code !== "session_busy"
  if (is_over || error.code === "aborted") {
    await finish(app.store, delivery).catch((cause) => void reported(cause, app))
  }
  return answer
}

function tell(
  app: App,
  topic: "channel.sent" | "channel.failed",
  { channel }: Delivery,
  { session_key, turn_id }: { session_key: string | null; turn_id: string | null },
  { outcome, status, body }: Answer,
): void {
  const data = { channel: channel.id, session_key, turn_id, outcome }
  const agent = parseSessionKey(session_key ?? "")?.agent
  app.hub.publish({ topic, data, ...(agent !== undefined && { agent }) })
  if (status < 300) return
  // A sentence of ours. Where the platform was answered before, nobody else hears it.
  const reason = typeof body === "string" && { reason: body }
  app.log.warn("a webhook was not answered as it should be", { ...data, ...reason })
}
