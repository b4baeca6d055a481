/**
 * The client of a Weft gateway for programs: Bun, Node 20 or later, and browsers. It has no dependencies; where there
 * is no global WebSocket (Node 20) install the `ws` package or pass a constructor.
 */
import { type Chat, type ChatParams, type ChatRequest, openChat } from "./chat.ts"
import type { ConnectResult, Topical, WebSocketConstructor } from "./connection.ts"
import { unreachable, WeftError } from "./errors.ts"
import { type ConnectionState, type Link, openLink, orAborted, type ReconnectOptions } from "./link.ts"
import type { Methods } from "./methods.gen.ts"
import { openTopics } from "./topics.ts"

export type { Chat, ChatParams, ChatResult } from "./chat.ts"
export type { ConnectResult, Topical, WebSocketConstructor } from "./connection.ts"
export { WeftError } from "./errors.ts"
export {
  applyEvent,
  emptyView,
  type StopReason,
  type ToolCall,
  type TurnEvent,
  type TurnView,
} from "./events.ts"
export type { ConnectionState, ReconnectOptions } from "./link.ts"
export type { Methods } from "./methods.gen.ts"

export type ConnectOptions = {
  /** Where the gateway is: "http://127.0.0.1:7200", or the socket's own "ws://127.0.0.1:7200/ws". */
  url: string
  /** A function is asked again before each reconnect. */
  token?: string | (() => string | Promise<string>)
  client?: { name: string; version: string }
  WebSocket?: WebSocketConstructor
  reconnect?: ReconnectOptions | false
  connect_timeout_ms?: number
  /** A socket that is silent this long is asked whether it still lives. */
  ping_ms?: number
  onState?: (state: ConnectionState) => void
}

export type CallOptions = {
  signal?: AbortSignal
  /** Send it again after a lost connection. Only for what may safely happen twice, such as reading. */
  retry?: boolean
}

type MethodName = keyof Methods
type CallArgs<M> = M extends MethodName
  ? Partial<Methods[M]["params"]> extends Methods[M]["params"]
    ? [params?: Methods[M]["params"], options?: CallOptions]
    : [params: Methods[M]["params"], options?: CallOptions]
  : [params?: object, options?: CallOptions]

export type Client = {
  /** What the gateway said when it let this client in. */
  info(): Promise<ConnectResult>
  /**
   * Calls a method and returns its result. A connection lost before the answer rejects with `unreachable`: the
   * method may or may not have run.
   */
  call<M extends MethodName | (string & {})>(
    method: M,
    ...args: CallArgs<M>
  ): Promise<M extends MethodName ? Methods[M]["result"] : unknown>
  /** Says something to an agent. The signal aborts the turn on the gateway. */
  chat(message: string | ChatParams, options?: { signal?: AbortSignal }): Chat
  /** Follows a turn that somebody else, or an earlier run of this program, started. */
  attach(turn_id: string, options?: { after_seq?: number; signal?: AbortSignal }): Chat
  /** What happens in the gateway, by topic ("turn.*"). What happens while the connection is lost is not replayed. */
  events(topics: string[], options?: { signal?: AbortSignal }): AsyncIterableIterator<Topical>
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Connects and authenticates. Rejects at once when that fails; after that the connection is kept up. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { connect_timeout_ms = 10_000, ping_ms = 30_000, reconnect = {}, onState } = options
  const topics = openTopics(() => link)
  const link: Link = await openLink({
    url: toSocketUrl(options.url),
    token: options.token,
    client: options.client ?? { name: "weft-client", version: "1" },
    WebSocket: options.WebSocket ?? (await findWebSocket()),
    reconnect,
    connect_timeout_ms,
    ping_ms,
    onTopic: topics.take,
    onReconnect: topics.renew,
    onState(state) {
      if (state.state === "closed")
        topics.fail(state.error ?? unreachable({ reason: "the client was closed" }))
      onState?.(state)
    },
  })
  return openClient(link, topics)
}

function openClient(link: Link, topics: ReturnType<typeof openTopics>): Client {
  const open = (request: ChatRequest, signal?: AbortSignal) => openChat(link, request, signal)
  return {
    info: async () => (await link.connection()).info,
    call: (method, ...args) => call(link, method, args[0] ?? {}, args[1] ?? {}) as Promise<never>,
    chat(message, { signal } = {}) {
      const params = typeof message === "string" ? { content: message } : message
      const idempotency_key = params.idempotency_key ?? randomKey()
      return open({ method: "chat.send", params: { ...params, idempotency_key } }, signal)
    },
    attach: (turn_id, { after_seq = -1, signal } = {}) =>
      open({ method: "chat.attach", params: { turn_id, after_seq } }, signal),
    events: (names, { signal } = {}) => topics.open(names, signal),
    close: link.close,
    async [Symbol.asyncDispose]() {
      link.close()
    },
  }
}

async function call(link: Link, method: string, params: object, options: CallOptions): Promise<unknown> {
  const { signal, retry = false } = options
  for (;;) {
    const connection = await link.connection(signal)
    try {
      return await orAborted(connection.send(method, params), signal)
    } catch (thrown) {
      const is_lost = thrown instanceof WeftError && thrown.code === "unreachable"
      if (!retry || !is_lost || link.failure) throw thrown
    }
  }
}

function toSocketUrl(text: string): string {
  const url = new URL(text)
  url.protocol = url.protocol.replace("http", "ws")
  if (url.pathname === "/") url.pathname = "/ws"
  return url.href
}

async function findWebSocket(): Promise<WebSocketConstructor> {
  if (typeof globalThis.WebSocket === "function") return globalThis.WebSocket
  // In a variable, so that no bundler for browsers looks for the package.
  const name = "ws"
  try {
    const { WebSocket } = await import(name)
    return WebSocket
  } catch (thrown) {
    const message = "This runtime has no WebSocket: install the ws package, or pass options.WebSocket."
    throw new WeftError("unreachable", { reason: "no WebSocket" }, message, thrown)
  }
}

/** Not crypto.randomUUID: browsers have that on secure pages only, and a gateway may be served without TLS. */
const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")
