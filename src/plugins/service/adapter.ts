/** A channel's adapter: what a plugin makes of a platform's request, and of an answer for it. Nothing of it is trusted. */
import { type Static, type TSchema, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { parser } from "../../base/schema.ts"
import { isObject, readJson, tryJson } from "../json.ts"
import { PluginFailed } from "../module.ts"
import type { Formatted, Incoming, IncomingPart, PluginAdapter } from "../plugin.ts"

/** Runs one of the adapter's exports. Throws PluginFailed. */
export type Run = (name: string, input: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>

const Word = Type.String({ minLength: 1, maxLength: 256 })

const Part = Type.Union([
  Type.Object({ type: Type.Literal("text"), text: Type.String() }),
  Type.Object({ type: Type.Literal("image"), mime: Type.Optional(Type.String()), data: Type.String() }),
])

const Message = Type.Object({
  content: Type.Union([Type.String(), Type.Array(Part, { maxItems: 64 })]),
  account: Type.Optional(Word),
  peer: Type.Optional(Word),
  guild: Type.Optional(Word),
  team: Type.Optional(Word),
  reply: Type.Optional(Type.Unknown()),
})

const Respond = Type.Object({
  respond: Type.Object({
    status: Type.Integer({ default: 200, minimum: 200, maximum: 499 }),
    // A page that a browser would run is none of them: it would run where the gateway's own page does.
    content_type: Type.String({
      default: "text/plain; charset=utf-8",
      pattern: "^(text/plain|application/json|text/xml|application/xml)( ?; ?charset=[A-Za-z0-9-]{1,32})?$",
    }),
    body: Type.Optional(Type.Unknown()),
  }),
})

const Request = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 16_384 }),
  method: Type.String({ default: "POST", pattern: "^(GET|POST|PUT|PATCH|DELETE)$" }),
  headers: Type.Record(Type.String(), Type.String(), { default: {} }),
  body: Type.Optional(Type.Unknown()),
})

const parseMessage = checked("parse_incoming", Message)
const parseRespond = checked("parse_incoming", Respond)
const parseRequest = checked("format_outgoing", Request)

export function openAdapter(
  about: Pick<PluginAdapter, "plugin" | "channel" | "capabilities">,
  run: Run,
): PluginAdapter {
  return {
    ...about,
    async parseIncoming(payload, signal) {
      return toIncoming(readJson(await run("parse_incoming", payload, signal), "parse_incoming"))
    },
    async formatOutgoing({ content, reply }, signal) {
      const input = JSON.stringify({ content, ...(reply !== undefined && { reply }) })
      return toFormatted(await run("format_outgoing", new TextEncoder().encode(input), signal), content)
    },
  }
}

function toIncoming(output: unknown): Incoming {
  if (isObject(output) && output.ignore === true) return { type: "ignore" }
  if (isObject(output) && "respond" in output) {
    const { status, content_type, body } = parseRespond(output).respond
    return { type: "respond", status, content_type, body: new TextEncoder().encode(toBody(body, "")) }
  }
  const { content, account = "webhook", peer = "main", guild, team, reply } = parseMessage(output)
  return {
    type: "message",
    parts: (typeof content === "string" ? [{ type: "text" as const, text: content }] : content).map(toPart),
    account,
    peer,
    ...(guild !== undefined && { guild }),
    ...(team !== undefined && { team }),
    ...(reply !== undefined && { reply }),
  }
}

function toPart(part: Static<typeof Part>): IncomingPart {
  if (part.type === "text") return { type: "text", text: part.text.toWellFormed() }
  try {
    return { type: "image", bytes: Uint8Array.fromBase64(part.data) }
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    throw new PluginFailed("output", "parse_incoming returned an image whose data is no base64")
  }
}

function toFormatted(output: Uint8Array, content: string): Formatted {
  const value = tryJson(output)
  if (!isObject(value) || !("url" in value)) return { type: "bytes", bytes: output }
  const { url, method, headers, body } = parseRequest(value)
  const is_typed = Object.keys(headers).some((name) => name.toLowerCase() === "content-type")
  return {
    type: "request",
    url,
    method,
    headers:
      is_typed || typeof body === "string" ? headers : { ...headers, "content-type": "application/json" },
    body: method === "GET" ? "" : toBody(body, JSON.stringify({ text: content })),
  }
}

const toBody = (body: unknown, otherwise: string): string => {
  if (body === undefined) return otherwise
  return typeof body === "string" ? body : JSON.stringify(body)
}

function checked<S extends TSchema>(name: string, schema: S): (value: unknown) => Static<S> {
  const parse = parser(schema)
  return (value) => {
    try {
      return parse(value)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      const { path, expected } = thrown.data
      throw new PluginFailed("output", `${name} returned something else than it may, at ${path}: ${expected}`)
    }
  }
}
