import type { LogEntry } from "../../agent/log.ts"
import { AppError, toAppError } from "../../base/errors.ts"
import type { App } from "../app.ts"
import { isDeeper } from "../depth.ts"
import { depth_max, reported } from "../rpc.ts"
import type { Dialect, DialectOptions } from "./weft.ts"

type Request = { id: string; method: string; params: unknown }

/** Its methods, by the names of ours, and what it makes of their results. */
const methods: Record<string, { name: string; result(value: unknown): unknown }> = {
  ping: { name: "ping", result: (value) => value },
  status: {
    name: "status",
    result(value) {
      const { version, plugins, sessions } = value as Record<string, unknown>
      return { version, plugins, sessions }
    },
  },
  "plugin.list": { name: "plugin.list", result: (value) => (value as { plugins: unknown }).plugins },
  "chat.send": { name: "chat.send", result: () => undefined },
}

/**
 * The wire of jbold/exoclaw (its contracts/jsonrpc-spec of 2026-02-08): a token first, a hello, then requests with
 * string ids, of which chat.send is answered by a stream of events. Errors are sentences.
 */
export function openExoclaw(app: App, { dispatcher, peer, outbox, refuse }: DialectOptions): Dialect {
  const send = (frame: object) => outbox.send(JSON.stringify(frame))
  const hello = () => send({ ok: true, version: app.version })
  const streamed = new Set<string>()

  peer.revocable = false
  peer.follow = (turn, after_seq, request_id) => {
    streamed.add(String(request_id))
    const encode = (entry: LogEntry) => toFrames(String(request_id), entry)
    return outbox.follow(turn.log, after_seq, encode)
  }

  const authenticate = (frame: string) => {
    try {
      const { token } = parse(frame) as { token?: unknown }
      if (typeof token !== "string") throw new AppError("unauthorized")
      peer.caller = app.auth.authenticate(token, peer.address)
      hello()
    } catch (thrown) {
      reported(thrown, app)
      send({ error: "auth_failed", code: 4001 })
      refuse()
    }
  }

  const run = async ({ id, method, params }: Request) => {
    const known = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!known) return send({ id, error: `unknown method: ${method}` })
    try {
      const result = known.result(await dispatcher.call(known.name, withoutNulls(params), peer, id))
      if (!streamed.delete(id)) send({ id, result })
    } catch (thrown) {
      const error = reported(thrown, app)
      // A turn's own failure was told in its stream.
      if (!streamed.delete(id)) send({ id, error: sentence(error, method) })
    }
  }

  return {
    opened() {
      if (peer.caller) hello()
    },
    message(frame) {
      const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame)
      if (!peer.caller) return authenticate(text)
      try {
        void run(toRequest(parse(text)))
      } catch (thrown) {
        send({ id: "0", error: `parse error: ${toAppError(thrown).data.reason ?? "not a request"}` })
      }
    },
  }
}

function parse(text: string): unknown {
  if (isDeeper(text, depth_max)) throw new AppError("parse_error", { reason: "nested too deeply" })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError("parse_error", { reason: "invalid JSON" }, cause)
  }
}

function toRequest(value: unknown): Request {
  const { id, method, params } = (value ?? {}) as Record<string, unknown>
  if (typeof id !== "string" && typeof id !== "number")
    throw new AppError("parse_error", { reason: "missing id" })
  if (typeof method !== "string") throw new AppError("parse_error", { reason: "missing method" })
  return { id: String(id), method, params: params ?? {} }
}

/** Its clients write null for what is not set. */
const withoutNulls = (params: unknown): unknown =>
  typeof params === "object" && params !== null && !Array.isArray(params)
    ? Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null))
    : params

/** One event of ours as the frames of its dialect, one a line of what is sent; undefined where it has none. */
function toFrames(id: string, { event }: LogEntry): string | undefined {
  const frame = (name: string, data?: unknown) => JSON.stringify({ id, event: name, data })
  if (event.type === "text") return frame("text", event.text)
  if (event.type === "tool_use")
    return frame("tool_use", { id: event.id, name: event.name, input: event.input })
  if (event.type === "tool_result") {
    const { id: tool_use_id, content, is_error } = event
    return frame("tool_result", { tool_use_id, content, is_error })
  }
  if (event.type === "usage") {
    return frame("usage", { input_tokens: event.input_tokens, output_tokens: event.output_tokens })
  }
  if (event.type === "error") {
    return frame(
      "error",
      sentence({ code: event.code, data: event.data as Record<string, unknown> }, "chat.send"),
    )
  }
  if (event.type !== "done") return undefined
  return frame("done")
}

function sentence({ code, data }: { code: string; data: Record<string, unknown> }, method: string): string {
  if (code === "no_agent") return `no agent configured for ${data.channel}:${data.account}:${data.peer}`
  if (code === "invalid_params") return `invalid ${method} params: ${data.expected} at ${data.path}`
  if (code === "budget_exceeded") return `token budget exceeded (${data.scope}: ${data.used}/${data.limit})`
  if (code === "provider_failed" || code === "provider_timeout") {
    return `provider error: ${data.reason ?? "no answer in time"}`
  }
  return code.replaceAll("_", " ")
}
