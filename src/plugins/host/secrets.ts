/** `{{secret:NAME}}` in what is sent, and no trace of the value in what comes back. */
import { once } from "../../base/once.ts"
import { ToolDenied } from "../../security/target.ts"

export type FindSecret = (name: string) => string | undefined
/** Of one that may be sent there. */
export type FindSecretFor = (name: string, url: URL) => string | undefined

/** What placeholders are filled into: the URL after its host, the values of headers, a body of text. */
export type Fillable = { url: string; headers: Record<string, string>; body?: string | Uint8Array }

const placeholder = /\{\{secret:([A-Za-z_][A-Za-z0-9_]*)\}\}/g
/** More than any service asks for; a body of nothing but placeholders would become as long as it likes. */
const placeholders_max = 32
/** They go along to another origin, to which no secret was addressed. */
const travelling_headers = /^(accept|accept-language|user-agent)$/i

/**
 * Throws ToolDenied where `find` knows no value for where the request goes, a placeholder says where to connect to, or
 * one stands in a header that a redirect takes to another host. Its message has no value in it.
 */
export function fillSecrets<R extends Fillable>(request: R, find: FindSecretFor): R {
  const { url, headers, body } = request
  const texts = [url, ...Object.values(headers), typeof body === "string" ? body : ""]
  const count = texts.reduce((sum, text) => sum + (text.match(placeholder)?.length ?? 0), 0)
  if (count === 0) return request
  if (count > placeholders_max) {
    throw new ToolDenied(`A request has at most ${placeholders_max} placeholders for secrets.`)
  }
  // Below it is held to be the one that the filled URL leads to.
  const to = URL.parse(url.replaceAll(placeholder, "a"))
  if (!to) throw new ToolDenied("A secret can be sent to a URL only.")
  const fill = (text: string, encode: (value: string) => string) =>
    text.replaceAll(placeholder, (_, name: string) => encode(secretOf(name, to, find)))
  const filled = Object.entries(headers).map(([name, value]) => {
    const text = fill(value, (secret) => secret)
    if (text !== value && travelling_headers.test(name)) {
      throw new ToolDenied(`A secret cannot be sent in the header ${name.toLowerCase()}.`)
    }
    return [name, text] as const
  })
  return {
    ...request,
    url: fillUrl(url, fill),
    headers: Object.fromEntries(filled),
    ...(typeof body === "string" && { body: fill(body, encoderFor(headers)) }),
  }
}

function secretOf(name: string, to: URL, find: FindSecretFor): string {
  const value = find(name, to)
  if (value) return value
  const place = `${to.protocol}//${to.host}`
  throw new ToolDenied(`The secret ${name} is not granted for ${place}, or has no value.`)
}

/** Whatever a placeholder becomes, the host must be the one that was written. */
function fillUrl(url: string, fill: (text: string, encode: (value: string) => string) => string): string {
  const filled = fill(url, encodeForUrl)
  if (filled === url) return url
  const [one, other] = ["a", "b"].map((letter) => originOf(fill(url, () => letter)))
  if (one === undefined || one !== other || one !== originOf(filled)) {
    throw new ToolDenied(
      "A secret cannot be a part of where a request goes to, only of the path and the query.",
    )
  }
  return filled
}

function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, username, password, host } = new URL(text)
  return JSON.stringify([protocol, username, password, host])
}

/** What means nothing in a path and a query stays, as some services want their token as it is. */
const encodeForUrl = (value: string): string =>
  encodeURIComponent(value.toWellFormed()).replace(/%3A/g, ":").replace(/%40/g, "@").replace(/%2C/g, ",")

const encodeForForm = (value: string): string => new URLSearchParams({ "": value }).toString().slice(1)

const encodeForJson = (value: string): string => JSON.stringify(value).slice(1, -1)

function encoderFor(headers: Record<string, string>): (value: string) => string {
  const [, type = ""] = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type") ?? []
  if (/[/+]json\b/i.test(type)) return encodeForJson
  return /x-www-form-urlencoded/i.test(type) ? encodeForForm : (value) => value
}

export type Redactor = {
  text(text: string): string
  /** The same ones where nothing was found. */
  bytes(bytes: Uint8Array): Uint8Array
  /** Text whose characters stand for bytes, as those of headers do. */
  latin1(text: string): string
}

const redacted = "[redacted]"
/** Shorter ones than this stand everywhere by chance, unless they are the value as it is. */
const form_chars_min = 6

/** Takes out each value: as it is, and as URLs, forms, JSON, HTML, base64 and hexadecimal digits write it. */
export function openRedactor(values: readonly string[]): Redactor {
  // A plugin that asks for nothing should not pay for it.
  const redact = once(() => {
    const sources = [...new Set(values.filter((value) => value !== "").flatMap(sourcesOf))]
    return redactWith(sources.sort((a, b) => b.length - a.length))
  })
  const latin1 = (text: string) => redact()(text)
  const bytes = (given: Uint8Array): Uint8Array => {
    const text = Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString("latin1")
    const clean = latin1(text)
    return clean === text ? given : new Uint8Array(Buffer.from(clean, "latin1"))
  }
  const text = (given: string) => new TextDecoder().decode(bytes(Buffer.from(given)))
  return { text: (given) => (values.length === 0 ? given : text(given)), bytes, latin1 }
}

/** `sources` are regular expressions without a choice or a repetition, so that each look takes as long as the text. */
function redactWith(sources: string[]): (text: string) => string {
  if (sources.length === 0) return (text) => text
  const any = new RegExp(sources.join("|"), "g")
  return (text) => text.replace(any, redacted)
}

const toSource = (form: string) =>
  form.replace(/[^A-Za-z0-9]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`)

/** Each for the bytes that it is sent in, a character a byte. */
function sourcesOf(value: string): string[] {
  const whole = value.toWellFormed()
  const bytes = Buffer.from(whole)
  const json = encodeForJson(whole)
  const ascii = json.replace(/[^\0-\x7f]/g, (character) => `\\u${hex(character)}`)
  const html = whole.replace(/[&<>"']/g, (character) => entities[character]!)
  const percent = [encodeURIComponent(whole), encodeForUrl(whole), encodeForForm(whole)]
  const written = [
    ...percent.flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]),
    ...[json, ascii].flatMap((form) => [form, form.replaceAll("/", "\\/")]),
    ...[html, html.replaceAll("&#39;", "&#x27;"), html.replaceAll("&#39;", "'")],
    ...[bytes.toString("hex"), bytes.toString("hex").toUpperCase()],
  ]
  const exact = [bytes.toString("latin1"), ...(/^[\0-\xff]*$/.test(whole) ? [whole] : [])]
  const others = written.map((form) => Buffer.from(form).toString("latin1"))
  const forms = [...exact, ...others.filter((form) => form.length >= form_chars_min)]
  return [...forms.map(toSource), ...base64SourcesOf(bytes)]
}

const hex = (character: string) => character.charCodeAt(0).toString(16).padStart(4, "0")

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/**
 * In each place that a value has within what is encoded, such as after a user's name: the digits that follow from it
 * alone, and at each end the one that has some bits of it.
 */
const base64SourcesOf = (bytes: Buffer): string[] =>
  [0, 1, 2].flatMap((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64")
    const own = all.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
    if (own.length < form_chars_min) return []
    const [first, last] = [offset === 0 ? "" : digit, (offset + bytes.length) % 3 === 0 ? "" : digit]
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")].map((form) => first + toSource(form) + last)
  })

const digit = "[A-Za-z0-9+\\/_-]"
