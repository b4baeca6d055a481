import type { TurnResult } from "../../agent/events.ts"
import type { LogEntry } from "../../agent/log.ts"
import { isDeeper } from "../../base/depth.ts"
import { AppError, toAppError } from "../../base/errors.ts"
import type { PluginInfo } from "../../plugins/plugin.ts"
import type { App } from "../app.ts"
import { depth_max, reported } from "../rpc.ts"
import type { Dialect, DialectOptions } from "./weft.ts"

type Request = { id: string; method: string; params: unknown }

type Translation = { name: string; params(given: unknown): unknown; result(value: unknown): unknown }

/** Its methods, by the names of ours, and what it makes of their parameters and results. */
const methods: Record<string, Translation> = {
  ping: { name: "ping", params: () => ({}), result: (value) => value },
  status: {
    name: "status",
    params: () => ({}),
    result(value) {
      const { version, plugins, sessions } = value as Record<string, unknown>
      return { version, plugins, sessions }
    },
  },
  "plugin.list": {
    name: "plugin.list",
    params: () => ({}),
    // It lists what runs, by name alone.
    result: (value) =>
      (value as { plugins: PluginInfo[] }).plugins.flatMap(({ name, state }) =>
        state === "ready" ? [{ name }] : [],
      ),
  },
  "chat.send": { name: "chat.send", params: toChatParams, result: () => undefined },
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
      const { token } = (parse(frame) ?? {}) as { token?: unknown }
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
      const result = await dispatcher.call(known.name, known.params(params), peer, id)
      if (!streamed.delete(id)) return send({ id, result: known.result(result) })
      if ((result as TurnResult).stop_reason !== "iterations") return
      send({ id, event: "error", data: "tool-use loop exceeded max iterations" })
      send({ id, event: "done" })
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

/** There channel and account have no default, members that are not known are ignored, and null is unset. */
function toChatParams(given: unknown): unknown {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given
  const { channel = null, account = null, content = null, ...rest } = given as Record<string, unknown>
  const { peer, guild, team } = rest
  const optional = Object.entries({ peer, guild, team }).filter(([, value]) => (value ?? null) !== null)
  return { channel, account, content, ...Object.fromEntries(optional) }
}

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
  // What it calls an error is no event of ours; `run` tells it before the end.
  if (event.type !== "done" || event.stop_reason === "iterations") return undefined
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
