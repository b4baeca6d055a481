/** An answer on its way to the platform: what the adapter makes of it, and the one place that sends it. */
import type { Log } from "../base/log.ts"
import { isPlaceGranted, isSecretGranted, isUrlGranted } from "../plugins/host/grants.ts"
import { type FindSecret, type FindSecretFor, fillSecrets, openRedactor } from "../plugins/host/secrets.ts"
import { openTaint } from "../plugins/host/taint.ts"
import { isPassing, PluginFailed } from "../plugins/module.ts"
import type { Formatted, Outgoing, PluginAdapter } from "../plugins/plugin.ts"
import { ToolDenied } from "../security/target.ts"
import type { Channel } from "./channel.ts"

type Request = Extract<Formatted, { type: "request" }>

export type Sending = {
  channel: Channel
  adapter: PluginAdapter
  outgoing: Outgoing
  /** The platform's request, of which the adapter put the reply aside. */
  payload: Uint8Array
  /** A value of [secrets]. */
  findSecret: FindSecret
  signal: AbortSignal
  log: Pick<Log, "warn">
  /** Waited for before anything leaves. */
  onSending?(): Promise<void>
}

/**
 * - bytes: for the body of the response
 * - sent: the platform has taken it
 * - denied: nothing was sent; `host` where the adapter was not granted that one
 * - failed: the platform did not take it
 * - unavailable: nothing was sent, as the adapter could not be asked now
 */
export type Sent =
  | { type: "bytes"; bytes: Uint8Array }
  | { type: "sent" }
  | { type: "denied"; host?: string }
  | { type: "failed" }
  | { type: "unavailable" }

/** Platforms answer at once; their answer says nothing to us but whether it went well. */
const timeout_ms = 15_000
const answer_bytes_max = 65_536

/** Throws the signal's reason; everything else that can go wrong is in the answer and in the log. */
export async function sendAnswer(sending: Sending): Promise<Sent> {
  try {
    return await formatAndSend(sending)
  } catch (thrown) {
    if (thrown instanceof PluginFailed && isPassing(thrown)) return { type: "unavailable" }
    throw thrown
  }
}

async function formatAndSend(sending: Sending): Promise<Sent> {
  const formatted = await format(sending)
  if (formatted.type === "bytes") return formatted
  const { channel, adapter, log } = sending
  const url = URL.parse(formatted.url)
  if (!url || !isUrlGranted(adapter.capabilities, url)) {
    const host = url?.host ?? ""
    log.warn("an adapter may not send there", { channel: channel.id, plugin: adapter.plugin, host })
    return { type: "denied", host }
  }
  if (!(await isOwn(formatted, sending))) {
    const fields = { channel: channel.id, plugin: adapter.plugin }
    log.warn("an answer was not sent, as what was said in it would have put a secret into it", fields)
    return { type: "denied" }
  }
  await sending.onSending?.()
  return send(formatted, sending)
}

/** The text as it is where the adapter fails: what an agent said should not be lost for want of a form. */
async function format({ channel, adapter, outgoing, signal, log }: Sending): Promise<Formatted> {
  try {
    return await adapter.formatOutgoing(outgoing, signal)
  } catch (thrown) {
    if (!(thrown instanceof PluginFailed) || isPassing(thrown)) throw thrown
    const { kind, message: reason } = thrown
    log.warn("an adapter could not format an answer", {
      channel: channel.id,
      plugin: adapter.plugin,
      kind,
      reason,
    })
    return { type: "bytes", bytes: new TextEncoder().encode(outgoing.content) }
  }
}

const placeholder = /\{\{secret:[^}]*\}\}/g

/** The placeholders of a request, and where they stand. */
function placeholders({ url, headers, body }: Request): string {
  const texts = [url, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), body]
  return JSON.stringify(texts.map((text) => (text.match(placeholder) ?? []).sort()))
}

/**
 * Whether the request and its placeholders are the adapter's, and not what somebody said: an agent that is asked to say
 * "{{secret:token}}" would be given it, and one that says a request would send it. An answer in which nothing was said is
 * a request with the same ones then.
 */
async function isOwn(request: Request, { adapter, outgoing, payload, signal }: Sending): Promise<boolean> {
  const found = placeholders(request)
  // What was put aside comes back in whatever form the adapter keeps it in, so it is looked for where it came from.
  const taint = openTaint([...found.matchAll(/\{\{secret:(\w+)/g)].map(([, name]) => name!))
  taint.see(payload)
  if (taint.isTainted()) return false
  // Without a placeholder, what was put aside says nothing more than where to.
  const reply = found.includes("{{") ? tame(outgoing.reply) : outgoing.reply
  try {
    const plain = await adapter.formatOutgoing(
      { content: "ok", ...(reply !== undefined && { reply }) },
      signal,
    )
    return plain.type === "request" && placeholders(plain) === found
  } catch (thrown) {
    if (thrown instanceof PluginFailed && !isPassing(thrown)) return false
    throw thrown
  }
}

/** What an adapter put aside from a stranger's request, without the characters that a placeholder is written with. */
function tame(value: unknown): unknown {
  if (typeof value === "string") return tameText(value)
  if (Array.isArray(value)) return value.map(tame)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, tame(entry)]))
}

function tameText(text: string): string {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(tame(JSON.parse(text)))
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown
    }
  }
  return text.replace(/[{}%&\\]/g, "_")
}

async function send(request: Request, { channel, adapter, findSecret, signal, log }: Sending): Promise<Sent> {
  const { capabilities, plugin } = adapter
  const used: string[] = []
  const find: FindSecretFor = (name, to) => {
    const value = /^[a-z]/.test(name)
      ? channel.findField(name)
      : isSecretGranted(capabilities, name, to)
        ? findSecret(name)
        : undefined
    if (value) used.push(value)
    return value
  }
  const { openFetch } = await import("../security/web/fetch.ts")
  const guarded = openFetch({
    // No agent's rules: each hop is held to the grants.
    permit: () => undefined,
    isOpened: (host, port) => isPlaceGranted(capabilities, host, port),
  })
  const failed = (fields: Record<string, unknown>): Sent => {
    log.warn("a platform did not take an answer", { channel: channel.id, plugin, ...fields })
    return { type: "failed" }
  }
  try {
    const { url, method, headers, body } = fillSecrets(request, find)
    const checkHop = (hop: URL) => {
      if (!isUrlGranted(capabilities, hop)) throw new ToolDenied(`${hop.host} is not granted.`)
    }
    const bounds = { bytes_max: answer_bytes_max, timeout_ms, signal, checkHop }
    const { status } = await guarded({ url, method, headers, ...(method !== "GET" && { body }), ...bounds })
    return status >= 200 && status < 300 ? { type: "sent" } : failed({ status })
  } catch (thrown) {
    if (signal.aborted) throw signal.reason
    if (!(thrown instanceof Error)) throw thrown
    return failed({ reason: openRedactor(used).text(thrown.message) })
  }
}
