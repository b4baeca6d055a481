/** POST /webhook/{channel}: whose request it is, before anything reads what it says. */
import { AppError } from "../../base/errors.ts"
import type { Channel } from "../../channels/channel.ts"
import type { App } from "../app.ts"
import { toPeer } from "../auth.ts"
import { type Answer, answers } from "../webhook-answers.ts"
import { count } from "../webhook-work.ts"
import type { Webhooks } from "../webhooks.ts"
import { readBody, text } from "./body.ts"
import type { HttpContext } from "./endpoint.ts"

const prefix = "/webhook/"

/** As the table of endpoints knows it: every path of one more segment. */
export const webhook_path = "/webhook/{channel}"
export const isWebhook = (pathname: string): boolean => pathname.startsWith(prefix)

const nameIn = ({ request }: HttpContext) => new URL(request.url).pathname.slice(prefix.length)

export async function postWebhook(context: HttpContext): Promise<Response> {
  const { app, request } = context
  const name = nameIn(context)
  const channel = app.live().channels.get(name)
  if (!channel) return early(answers.unknown(name.slice(0, 64)))
  if (!channel.admit(request.headers, app.now_ms())) return early(refuse(context, channel, "headers"))
  if (!app.plugins.adapter(channel.plugin)) return early(told(app, channel, answers.unavailable))
  const body = await readWithin(context)
  if (body === answers.late) return early(refuse(context, channel, "time", body))
  if (!(body instanceof Uint8Array)) return early(told(app, channel, body))
  return respond(await takeIn(context, name, body))
}

/** By what is in force now that the body is here: a secret that was changed while it came is worth nothing any more. */
async function takeIn(context: HttpContext, name: string, body: Uint8Array): Promise<Answer> {
  const { app, request } = context
  const channel = app.live().channels.get(name)
  if (!channel) return answers.unknown(name.slice(0, 64))
  const hash = await channel.admit(request.headers, app.now_ms())?.(body)
  if (hash === undefined) return refuse(context, channel, "signature")
  const adapter = app.plugins.adapter(channel.plugin)
  if (!adapter) return told(app, channel, answers.unavailable)
  context.waitForModel()
  return app.webhooks.take({ channel, adapter, hash, body })
}

/** Some platforms ask whether the address is meant before they write to it. */
export function getWebhook(context: HttpContext): Response {
  const { app, request } = context
  const name = nameIn(context)
  const channel = app.live().channels.get(name)
  if (!channel) return respond(answers.unknown(name.slice(0, 64)))
  if (!channel.challenge) return text("method not allowed\n", 405)
  const challenge = channel.challenge(new URL(request.url).searchParams)
  if (challenge !== undefined) return text(challenge)
  return respond(refuse(context, channel, "verify_token", { ...answers.unsigned, status: 403 }))
}

/**
 * Counted against the address, so that the lines in the log have a bound. What is right is let in whatever came before:
 * everybody can make a platform send wrong ones here, from the addresses that the right ones come from.
 */
function refuse(
  { app, address }: HttpContext,
  channel: Channel,
  what: string,
  answer: Answer = answers.unsigned,
): Answer {
  const { failures } = app.webhooks
  const wait_ms = failures.wait_ms(address)
  if (wait_ms > 0) return told(app, channel, answers.limited(Math.ceil(wait_ms / 1000)))
  failures.note(address)
  app.log.warn("a webhook was refused", { channel: channel.id, address, what })
  return told(app, channel, answer)
}

function told(app: App, channel: Channel, answer: Answer): Answer {
  count(app, channel.id, answer.outcome)
  return answer
}

/**
 * The body, which nobody has vouched for yet: of a bounded size, in a bounded time, and not of too many at once. Where
 * there are, one makes room: a platform's is here at once, and a stranger's that never comes keeps nobody out.
 */
async function readWithin({ app, request, address }: HttpContext): Promise<Uint8Array | Answer> {
  const { webhooks, log } = app
  const { promise: ended, resolve: end } = Promise.withResolvers<Answer>()
  const other = webhooks.reading.size >= webhooks.readings_max ? longest(webhooks.reading) : undefined
  if (other) {
    webhooks.reading.delete(other)
    other(answers.busy)
  }
  webhooks.reading.set(end, toPeer(address))
  const reading = readBody(request, app.live().gateway.payload_bytes_max)
  const timer = setTimeout(end, webhooks.body_ms, answers.late)
  try {
    return await Promise.race([reading, ended])
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "too_large") return answers.large
    throw thrown
  } finally {
    clearTimeout(timer)
    webhooks.reading.delete(end)
    reading.catch((thrown: unknown) =>
      log.debug("a webhook's body was not read to its end", { thrown: String(thrown) }),
    )
  }
}

/** Of whoever has most of them, the one that has been coming for longest. */
function longest(reading: Webhooks["reading"]): ((answer: Answer) => void) | undefined {
  const [most] = [...Map.groupBy(reading, ([, peer]) => peer).values()].sort((a, b) => b.length - a.length)
  return most?.[0]?.[0]
}

/** Without the body, of which the connection may still bring as much as it likes. */
function early(answer: Answer): Response {
  const response = respond(answer)
  response.headers.set("connection", "close")
  return response
}

function respond({ status, type, body, retry_after_s }: Answer): Response {
  const response = new Response(body as BodyInit, { status })
  response.headers.set("content-type", type)
  response.headers.set("x-content-type-options", "nosniff")
  // XML can be a page with a script in it, too, and the page that holds an operator's token is of this origin.
  response.headers.set("content-security-policy", "default-src 'none'; sandbox")
  response.headers.set("cache-control", "no-store")
  if (retry_after_s !== undefined) response.headers.set("retry-after", String(retry_after_s))
  return response
}
