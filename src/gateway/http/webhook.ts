/** POST /webhook/{channel}: whose request it is, before anything reads what it says. */
import { AppError } from "../../base/errors.ts"
import type { Channel } from "../../channels/channel.ts"
import type { App } from "../app.ts"
import { type Answer, answers } from "../webhook-answers.ts"
import { count } from "../webhooks.ts"
import { readBody, text } from "./body.ts"
import type { HttpContext } from "./endpoint.ts"

const prefix = "/webhook/"

/** As the table of endpoints knows it: every path of one more segment. */
export const webhook_path = "/webhook/{channel}"
export const isWebhook = (pathname: string): boolean => pathname.startsWith(prefix)

const nameIn = ({ request }: HttpContext) => new URL(request.url).pathname.slice(prefix.length)

export async function postWebhook(context: HttpContext): Promise<Response> {
  const { app, request, address } = context
  const name = nameIn(context)
  const channel = app.live().channels.get(name)
  if (!channel) return early(answers.unknown(name.slice(0, 64)))
  const limited = limit(app, address)
  if (limited) return early(told(app, channel, limited))
  const check = channel.admit(request.headers, app.now_ms())
  if (!check) return early(refuse(context, channel, "headers"))
  const adapter = app.plugins.adapter(channel.plugin)
  if (!adapter) return early(told(app, channel, answers.unavailable))
  const body = await readWithin(context)
  if (!(body instanceof Uint8Array)) return early(told(app, channel, body))
  const hash = await check(body)
  if (hash === undefined) return respond(refuse(context, channel, "signature"))
  context.waitForModel()
  return respond(await app.webhooks.take({ channel, adapter, hash, body }))
}

/** Some platforms ask whether the address is meant before they write to it. */
export function getWebhook(context: HttpContext): Response {
  const { app, request, address } = context
  const name = nameIn(context)
  const channel = app.live().channels.get(name)
  if (!channel) return respond(answers.unknown(name.slice(0, 64)))
  if (!channel.challenge) return text("method not allowed\n", 405)
  const limited = limit(app, address)
  if (limited) return respond(told(app, channel, limited))
  const challenge = channel.challenge(new URL(request.url).searchParams)
  if (challenge !== undefined) return text(challenge)
  return respond({ ...refuse(context, channel, "verify_token"), status: 403 })
}

function limit({ webhooks }: App, address: string): Answer | undefined {
  const wait_ms = webhooks.failures.wait_ms(address)
  return wait_ms > 0 ? answers.limited(Math.ceil(wait_ms / 1000)) : undefined
}

/** Counted against the address, so that the lines in the log have a bound as well. */
function refuse({ app, address }: HttpContext, channel: Channel, what: string): Answer {
  app.webhooks.failures.note(address)
  app.log.warn("a webhook was refused", { channel: channel.id, address, what })
  return told(app, channel, answers.unsigned)
}

function told(app: App, channel: Channel, answer: Answer): Answer {
  count(app, channel.id, answer.outcome)
  return answer
}

/** The body, which nobody has vouched for yet: of a bounded size, in a bounded time, and not of too many at once. */
async function readWithin({ app, request }: HttpContext): Promise<Uint8Array | Answer> {
  const { webhooks, log } = app
  if (webhooks.reading.size >= webhooks.readings_max) return answers.busy
  const reading = readBody(request, app.live().gateway.payload_bytes_max)
  webhooks.reading.add(reading)
  const late = Promise.withResolvers<Answer>()
  const timer = setTimeout(() => late.resolve(answers.late), webhooks.body_ms)
  try {
    return await Promise.race([reading, late.promise])
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "too_large") return answers.large
    throw thrown
  } finally {
    clearTimeout(timer)
    webhooks.reading.delete(reading)
    reading.catch((thrown: unknown) =>
      log.debug("a webhook's body was not read to its end", { thrown: String(thrown) }),
    )
  }
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
  response.headers.set("cache-control", "no-store")
  if (retry_after_s !== undefined) response.headers.set("retry-after", String(retry_after_s))
  return response
}
