import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox"
import type { LogEntry } from "../agent/log.ts"
import type { Turn } from "../agent/turn.ts"
import { isDeeper } from "../base/depth.ts"
import { AppError, errors, toAppError, toTrace } from "../base/errors.ts"
import { type Parse, parser } from "../base/schema.ts"
import type { App } from "./app.ts"
import { type Caller, holds, isOver, type Scope } from "./auth.ts"

export const depth_max = 64
export const batch_max = 64
/** What the answers of one batch may weigh together. A socket that is further behind than twice that loses frames. */
const batch_bytes_max = 33_554_432
export const in_flight_max = 64

/** What is constant for one client: a socket, or one HTTP request. */
export type Peer = {
  /** Undefined until it has presented a token. `connect` sets it. */
  caller: Caller | undefined
  connection_id: string
  address: string
  /** Aborted when the client is gone. */
  signal: AbortSignal
  /**
   * Passes a turn's events on and resolves at its end; where they have no request to belong to, or the client takes no
   * events, it only waits.
   */
  follow(turn: Turn, after_seq: number, request_id: RequestId | undefined): Promise<void>
  /** The topics that it is told of; undefined for a client that takes no notifications. */
  topics: Set<string> | undefined
  /** Requests that are being worked on. */
  in_flight: number
  /** Set when it was answered that it has to present a token first. */
  refused: boolean
  /** Whether text that was sent may be taken back by a later event. */
  revocable: boolean
}

export type RequestId = string | number | null
/** `request_id` is undefined for a notification. */
export type Context = { app: App; peer: Peer; caller: Caller; request_id: RequestId | undefined }

export type MethodDef<P extends TSchema, R extends TSchema> = {
  name: string
  summary: string
  /** "none" is for any client that has connected. */
  scope: "none" | Scope
  /** Whether it is answered before `connect`. */
  before_connect?: true
  /** Answered even to a client that has too much in flight, since it makes room. */
  urgent?: true
  params: P
  result: R
  /** Entries of a batch with the same answer run one after the other. */
  order?(params: Record<string, unknown>, context: Pick<Context, "app">): string | undefined
  run(params: Static<P>, context: Context): Promise<Static<R>> | Static<R>
}

export type Method<P extends TSchema, R extends TSchema> = MethodDef<P, R> & { parse: Parse<P> }

// biome-ignore lint/suspicious/noExplicitAny: a list of methods forgets each one's parameters.
export type AnyMethod = Method<any, any>

export function defineMethod<P extends TSchema, R extends TSchema>(def: MethodDef<P, R>): Method<P, R> {
  const parse = parser(def.params)
  return { ...def, parse }
}

/**
 * The parameters of a method: an object with these fields and no others. An integer is one that a number can hold
 * exactly, since the store takes no other.
 */
export const Params = <T extends Parameters<typeof Type.Object>[0]>(fields: T): TObject<T> =>
  Type.Object(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, exact(field)])), {
    additionalProperties: false,
  }) as TObject<T>

const exact = (field: TSchema): TSchema =>
  field.type === "integer" ? { maximum: Number.MAX_SAFE_INTEGER, ...field } : field

export type Dispatcher = {
  /** One call, for any dialect. Throws AppError or a bug. */
  call(name: string, params: unknown, peer: Peer, request_id: RequestId | undefined): unknown
  /** One JSON-RPC frame: the text of the answer, or undefined where there is none to give. Never throws. */
  frame(text: string, peer: Peer): string | undefined | Promise<string | undefined>
}

type Reply = { jsonrpc: "2.0"; id: RequestId; result: unknown } | ErrorReply
export type ErrorReply = { jsonrpc: "2.0"; id: RequestId; error: object }
type Request = { id?: RequestId; method: string; params?: unknown }

export function openDispatcher(methods: readonly AnyMethod[], app: App): Dispatcher {
  const table = new Map(methods.map((method) => [method.name, method]))

  const call: Dispatcher["call"] = (name, params, peer, request_id) => {
    const method = table.get(name)
    const { caller } = peer
    if (!caller && !method?.before_connect) throw new AppError("unauthorized")
    if (!method) throw new AppError("method_not_found", { method: name })
    if (caller) authorize(method, caller, app.now_ms())
    if (peer.in_flight >= in_flight_max && !method.urgent) {
      throw new AppError("rate_limited", { in_flight_max, retry_after_ms: 100 })
    }
    const result = method.run(method.parse(params ?? {}), { app, peer, caller: caller!, request_id })
    if (!(result instanceof Promise)) return result
    peer.in_flight++
    return result.finally(() => peer.in_flight--)
  }

  const fail = (id: RequestId | undefined, thrown: unknown, peer: Peer) => {
    peer.refused ||= !peer.caller
    return toErrorReply(id, thrown, app)
  }

  /** One request object of a frame; a promise only where the method needs one. */
  const answer = (value: unknown, peer: Peer): Reply | undefined | Promise<Reply | undefined> => {
    let id: RequestId | undefined = idOf(value)
    try {
      const request = toRequest(value)
      id = request.id
      const result = call(request.method, request.params, peer, id)
      if (!(result instanceof Promise)) return toReply(id, result)
      return result.then(
        (late) => toReply(id, late),
        (thrown) => fail(id, thrown, peer),
      )
    } catch (thrown) {
      return fail(id, thrown, peer)
    }
  }

  const batch = async (entries: unknown[], peer: Peer): Promise<string | undefined> => {
    const last = new Map<string, Promise<unknown>>()
    const replies = entries.map((entry) => {
      const order = orderOf(table, entry, app)
      const before = order === undefined ? undefined : last.get(order)
      const reply = before ? before.then(() => answer(entry, peer)) : answer(entry, peer)
      if (order !== undefined) last.set(order, Promise.resolve(reply))
      return reply
    })
    const given = (await Promise.all(replies)).filter((reply) => reply !== undefined)
    return given.length === 0 ? undefined : `[${toTexts(given).join()}]`
  }

  return {
    call,
    frame(text, peer) {
      let value: unknown
      try {
        value = parseFrame(text)
      } catch (thrown) {
        return JSON.stringify(fail(null, thrown, peer))
      }
      if (Array.isArray(value)) return batch(value, peer)
      const reply = answer(value, peer)
      return reply instanceof Promise ? reply.then(toText) : toText(reply)
    },
  }
}

/** Results that would make the frame larger than a socket may be behind are left out, and that is said. */
function toTexts(replies: Reply[]): string[] {
  let bytes = 0
  return replies.map((reply) => {
    const text = JSON.stringify(reply)
    bytes += Buffer.byteLength(text)
    if (bytes <= batch_bytes_max) return text
    const error = toWire(new AppError("too_large", { what: "batch", limit: batch_bytes_max }))
    return JSON.stringify({ jsonrpc: "2.0", id: reply.id, error })
  })
}

const toText = (reply: Reply | undefined) => (reply === undefined ? undefined : JSON.stringify(reply))

function parseFrame(text: string): unknown {
  if (isDeeper(text, depth_max)) throw new AppError("invalid_request", { depth_max })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AppError("parse_error", {}, cause)
  }
  if (!Array.isArray(value)) return value
  if (value.length === 0)
    throw new AppError("invalid_request", { expected: "a batch of at least one request" })
  if (value.length > batch_max) throw new AppError("too_large", { limit: batch_max, what: "batch" })
  return value
}

/** Checked by hand and not by schema: this is the hottest path of the gateway. */
function toRequest(value: unknown): Request {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new AppError("invalid_request")
  const { jsonrpc, id, method, params } = value as Record<string, unknown>
  const known_id = id === undefined || isId(id)
  const structured = params === undefined || (typeof params === "object" && params !== null)
  if (jsonrpc !== "2.0" || typeof method !== "string" || !known_id || !structured) {
    throw new AppError("invalid_request")
  }
  return value as Request
}

const isId = (id: unknown): id is RequestId =>
  id === null || typeof id === "string" || Number.isSafeInteger(id)

/** The id to answer with when the rest turns out to be no request. */
function idOf(value: unknown): RequestId {
  const { id } = (value ?? {}) as { id?: unknown }
  return isId(id) ? id : null
}

function authorize(method: AnyMethod, caller: Caller, now_ms: number): void {
  if (isOver(caller, now_ms)) throw new AppError("unauthorized")
  if (method.scope !== "none" && !holds(caller, method.scope)) {
    throw new AppError("forbidden", { scope: method.scope })
  }
}

function orderOf(table: Map<string, AnyMethod>, entry: unknown, app: App): string | undefined {
  const { method, params } = (entry ?? {}) as Partial<Request>
  const order = typeof method === "string" ? table.get(method)?.order : undefined
  return order?.((params ?? {}) as Record<string, unknown>, { app })
}

const toReply = (id: RequestId | undefined, result: unknown): Reply | undefined =>
  id === undefined ? undefined : { jsonrpc: "2.0", id, result: result ?? null }

function toErrorReply(id: RequestId | undefined, thrown: unknown, app: App): ErrorReply | undefined {
  const error = reported(thrown, app)
  return id === undefined ? undefined : { jsonrpc: "2.0", id, error: toWire(error) }
}

/** The error that a client may see; a bug goes to the log under its incident id. */
export function reported(thrown: unknown, app: Pick<App, "log">): AppError {
  const error = toAppError(thrown)
  // Without a cause it was logged where it was caught, under the same incident id.
  if (error.code === "internal" && error.cause !== undefined)
    app.log.error("a request failed", { ...error.data, cause: toTrace(error.cause) })
  return error
}

export const toWire = ({ code, message, data }: Pick<AppError, "code" | "message" | "data">) => ({
  code: errors[code].rpc,
  message,
  data: { ...data, code },
})

/** Encodes a turn's events as `chat.event` notifications for one request. The envelope is written once. */
export function chatEventEncoder(turn_id: string, request_id: RequestId): (entry: LogEntry) => string {
  const head = `{"jsonrpc":"2.0","method":"chat.event","params":{"request_id":${JSON.stringify(request_id)},"turn_id":"${turn_id}",`
  return ({ seq_first, seq, event }) => {
    const first = seq_first === seq ? "" : `"seq_first":${seq_first},`
    return `${head}${first}"seq":${seq},${JSON.stringify(event).slice(1)}}`
  }
}
