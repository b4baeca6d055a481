import { fromWire, unreachable, WeftError } from "./errors.ts"
import type { TurnEvent } from "./events.ts"

/** The part of the standard WebSocket that is used; browsers, Bun, Node 22 and the `ws` package have it. */
export type WebSocketLike = {
  readyState: number
  send(text: string): void
  close(code?: number, reason?: string): void
  // biome-ignore lint/suspicious/noExplicitAny: the events of the several implementations share no type.
  addEventListener(type: string, listener: (event: any) => void): void
}
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocketLike

export type ConnectResult = {
  protocol: number
  server: { name: string; version: string }
  connection_id: string
  scopes: string[]
  limits: { payload_bytes_max: number; batch_max: number; in_flight_max: number }
  methods: string[]
}

export type Topical = { topic: string; seq: number; data: unknown }

/** One authenticated socket. It does not come back: `link.ts` opens the next one. */
export type Connection = {
  info: ConnectResult
  /** Rejects with `unreachable` when the socket is lost before the reply. */
  send(method: string, params: object, onEvent?: (event: TurnEvent) => void): Promise<unknown>
  lost: Promise<{ code: number; reason: string }>
  close(): void
}

export type ConnectionOptions = {
  url: string
  token: string | undefined
  client: { name: string; version: string }
  WebSocket: WebSocketConstructor
  connect_timeout_ms: number
  ping_ms: number
  onTopic(event: Topical): void
}

type Pending = {
  resolve(value: unknown): void
  reject(error: WeftError): void
  onEvent: ((event: TurnEvent) => void) | undefined
}
type Frame = {
  id?: unknown
  method?: string
  params?: unknown
  result?: unknown
  error?: { code: number; message: string; data?: Record<string, unknown> }
}

export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const socket = new options.WebSocket(options.url, "weft.v1")
  const wire = openWire(socket, options)
  const timer = setTimeout(() => wire.lose(1006, "no answer in time"), options.connect_timeout_ms)
  try {
    await wire.opened
    const { token, client } = options
    const params = { ...(token === undefined ? {} : { token }), client, protocol: { min: 1, max: 1 } }
    const info = (await wire.send("connect", params)) as ConnectResult
    const stopPings = keepAlive(wire, options.ping_ms)
    void wire.lost.then(stopPings)
    return {
      info,
      lost: wire.lost,
      send: (method, params, onEvent) => sendWithin(info, wire, method, params, onEvent),
      close: () => wire.lose(1000, "closed by the client"),
    }
  } catch (thrown) {
    wire.lose(1000, "connect failed")
    throw thrown
  } finally {
    clearTimeout(timer)
  }
}

type Wire = ReturnType<typeof openWire>

function openWire(socket: WebSocketLike, options: ConnectionOptions) {
  const pending = new Map<number, Pending>()
  let last_id = 0
  let is_lost = false
  const traffic = { frame_count: 0 }
  const opened = deferred<void>()
  const lost = deferred<{ code: number; reason: string }>()

  /** Settles everything at once: a half-open socket may not say that it is closed for minutes. */
  function lose(code: number, reason: string): void {
    if (is_lost) return
    is_lost = true
    const error = unreachable({ url: options.url, close_code: code, reason })
    opened.reject(error)
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
    lost.resolve({ code, reason })
    socket.close(1000)
  }

  function take(frame: Frame): void {
    if (frame.method === "event") {
      options.onTopic(frame.params as Topical)
    } else if (frame.method === "chat.event") {
      const { request_id, ...event } = frame.params as TurnEvent & { request_id: number }
      pending.get(request_id)?.onEvent?.(event)
    } else {
      settle(frame)
    }
  }

  function settle({ id, result, error }: Frame): void {
    const request = pending.get(id as number)
    pending.delete(id as number)
    if (error) request?.reject(fromWire(error))
    else request?.resolve(result)
  }

  socket.addEventListener("open", () => opened.resolve())
  // Where a runtime says what went wrong it says it here, and the close event that follows does not.
  let trouble = ""
  socket.addEventListener("error", ({ message }: { message?: string }) => {
    trouble = message ?? ""
  })
  socket.addEventListener("close", ({ code, reason }: { code: number; reason: string }) =>
    lose(code, String(reason) || trouble),
  )
  socket.addEventListener("message", ({ data }: { data: unknown }) => {
    traffic.frame_count++
    const frames = parseFrames(data)
    if (!frames) return lose(1002, "the server sent something that is not JSON-RPC")
    for (const frame of frames) take(frame)
  })

  function send(method: string, params: object, onEvent?: (event: TurnEvent) => void): Promise<unknown> {
    if (is_lost) return Promise.reject(unreachable({ url: options.url }))
    const id = ++last_id
    const reply = new Promise<unknown>((resolve, reject) => {
      pending.set(id, { resolve, reject, onEvent })
    })
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
    return reply
  }
  return { opened: opened.promise, lost: lost.promise, lose, send, traffic }
}

function parseFrames(data: unknown): Frame[] | undefined {
  try {
    const value: unknown = JSON.parse(data as string)
    if (typeof value !== "object" || value === null) return undefined
    return Array.isArray(value) ? value : [value as Frame]
  } catch {
    return undefined
  }
}

/** The gateway closes a socket for a frame that is too large, and every turn on it would be cut: so it is not sent. */
function sendWithin(
  { limits }: ConnectResult,
  wire: Wire,
  method: string,
  params: object,
  onEvent?: (event: TurnEvent) => void,
): Promise<unknown> {
  const limit = limits.payload_bytes_max
  // A UTF-16 unit is at most three bytes: only what might be too large is measured.
  const text = JSON.stringify(params)
  const envelope_bytes_max = 256
  const is_large =
    text.length * 3 + envelope_bytes_max > limit &&
    new TextEncoder().encode(text).length + envelope_bytes_max > limit
  if (is_large)
    return Promise.reject(new WeftError("too_large", { limit }, "The request is larger than the limit."))
  return wire.send(method, params, onEvent)
}

/** After a silent `ping_ms` the gateway is asked; after another one without a frame the socket counts as lost. */
function keepAlive(wire: Wire, ping_ms: number): () => void {
  let seen = wire.traffic.frame_count
  let is_asking = false
  const timer = setInterval(() => {
    if (wire.traffic.frame_count !== seen) {
      seen = wire.traffic.frame_count
      is_asking = false
      return
    }
    if (is_asking) return wire.lose(1006, "the gateway fell silent")
    is_asking = true
    wire.send("ping", {}).catch(() => {
      // Whatever the answer is, it is a frame; and a lost socket is told by `lost`.
    })
  }, ping_ms)
  return () => clearInterval(timer)
}

/** Promise.withResolvers, which Node 20 does not have. */
function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((a, b) => {
    resolve = a
    reject = b
  })
  return { promise, resolve, reject }
}
