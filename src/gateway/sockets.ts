import type { ServerWebSocket } from "bun"
import { AppError } from "../base/errors.ts"
import type { App } from "./app.ts"
import { type Caller, holds, isOver, reaches } from "./auth.ts"
import { openExoclaw } from "./dialects/exoclaw.ts"
import { type Dialect, openWeft } from "./dialects/weft.ts"
import { isTopic } from "./hub.ts"
import type { Limits } from "./limits.ts"
import { type Outbox, openOutbox, too_slow } from "./outbox.ts"
import type { Dispatcher, Peer } from "./rpc.ts"

/** Close codes of our own, from the range that applications have. */
export const close_codes = { unauthenticated: 4001, revoked: 4003, too_slow } as const
const going_away = 1001
/** The longest wait that a timer can be set for. */
const timer_ms_max = 2 ** 31 - 1
const subprotocols = ["weft.v1", "exoclaw"]

/** The handlers that Elysia passes a raw socket's events to. */
export type SocketHandlers = {
  open(ws: RawSocket): void
  message(ws: RawSocket, frame: string | Uint8Array): void
  drain(ws: RawSocket): void
  close(ws: RawSocket): void
}
export type RawSocket = Pick<ServerWebSocket<unknown>, "sendText" | "getBufferedAmount" | "close">

export type Admission =
  | { handlers: SocketHandlers; protocol: string | undefined }
  | { refused: AppError | "unknown_protocol" }

export type Sockets = {
  /** Decides on an upgrade, before a socket exists. */
  admit(headers: Headers, address: string, caller: Caller | undefined): Admission
  /** Takes an admission back whose upgrade failed. */
  abandon(authenticated: boolean): void
  /** Closes what a token holds open. */
  revoke(token_id: string): void
  /** Closes every socket once what it asked has been answered; who does not read that is not waited for long. */
  closeAll(): Promise<void>
}

/** One that has ended is neither told nor answered anything, whatever is still on the wire. */
type Open = { peer: Peer; ws: RawSocket; outbox: Outbox; is_over: boolean }

function end(entry: Open, code: number, reason: string): void {
  entry.is_over = true
  entry.ws.close(code, reason)
}

export function openSockets(app: App, dispatcher: Dispatcher, limits: Limits): Sockets {
  const open = new Set<Open>()
  const { metrics } = app

  const handlersFor = (protocol: string, address: string, caller: Caller | undefined): SocketHandlers => {
    const peer = openPeer(address, caller)
    let dialect: Dialect
    let deadline: Timer | undefined
    let entry: Open
    let listening: Disposable | undefined
    const expiry = openExpiry(app, peer, () => end(entry, close_codes.revoked, "the token has expired"))
    const authenticated = () => {
      if (deadline === undefined || !peer.caller) return
      clearTimeout(deadline)
      deadline = undefined
      metrics.unauthenticated--
    }
    return {
      open(ws) {
        const outbox = openOutbox(ws, () => metrics.slow_readers_total++, limits)
        const refuse = () => ws.close(close_codes.unauthenticated, "connect with a valid token first")
        const options = { dispatcher, peer, outbox, refuse }
        dialect = protocol === "exoclaw" ? openExoclaw(app, options) : openWeft(options)
        entry = { peer, ws, outbox, is_over: false }
        open.add(entry)
        if (!caller) deadline = setTimeout(refuse, limits.connect_ms)
        expiry.renew()
        dialect.opened()
      },
      message(_ws, frame) {
        if (entry.is_over) return
        metrics.requests_total++
        dialect.message(frame)
        authenticated()
        expiry.renew()
        // Most never listen, and what a listener takes is then not there ten thousand times.
        if (!listening && peer.topics!.size > 0) listening = listen(app, entry)
      },
      drain: () => entry.outbox.drained(),
      close() {
        entry.is_over = true
        open.delete(entry)
        metrics.connections--
        if (deadline !== undefined) {
          clearTimeout(deadline)
          metrics.unauthenticated--
        }
        expiry[Symbol.dispose]()
        listening?.[Symbol.dispose]()
        entry.outbox.gone()
        peer.gone()
      },
    }
  }

  return {
    admit(headers, address, caller) {
      const { connections_max, unauthenticated_max } = app.live().gateway
      const asked = protocolsOf(headers)
      const protocol = asked.length === 0 ? "weft.v1" : asked.find((one) => subprotocols.includes(one))
      if (protocol === undefined) return { refused: "unknown_protocol" }
      const full = metrics.connections >= connections_max
      const crowded = !caller && metrics.unauthenticated >= unauthenticated_max
      if (full || crowded)
        return { refused: new AppError("rate_limited", { retry_after_ms: limits.connect_ms }) }
      metrics.connections++
      metrics.connections_total++
      if (!caller) metrics.unauthenticated++
      return {
        handlers: handlersFor(protocol, address, caller),
        protocol: asked.length === 0 ? undefined : protocol,
      }
    },
    abandon(authenticated) {
      metrics.connections--
      if (!authenticated) metrics.unauthenticated--
    },
    revoke(token_id) {
      for (const entry of open) {
        if (entry.peer.caller?.token_id === token_id) end(entry, close_codes.revoked, "the token was revoked")
      }
    },
    async closeAll() {
      const until = performance.now() + limits.farewell_ms
      const isAnswering = () => [...open].some(({ peer }) => peer.in_flight > 0)
      do await Bun.sleep(1)
      while (isAnswering() && performance.now() < until)
      for (const entry of open) end(entry, going_away, "the gateway is stopping")
    },
  }
}

const protocolsOf = (headers: Headers) =>
  (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")

/** A peer of a socket. Most sockets only wait, so what few need is made when it is first asked for. */
function openPeer(address: string, caller: Caller | undefined): Peer & { gone(): void } {
  let controller: AbortController | undefined
  let left = false
  return {
    caller,
    connection_id: crypto.randomUUID(),
    address,
    get signal() {
      controller ??= new AbortController()
      if (left) controller.abort(new AppError("aborted"))
      return controller.signal
    },
    follow: () => Promise.resolve(),
    topics: new Set<string>(),
    in_flight: 0,
    refused: false,
    revocable: true,
    gone() {
      left = true
      controller?.abort(new AppError("aborted"))
    },
  }
}

/** Ends the socket with its token. Armed for each caller that the socket comes to have. */
function openExpiry(app: App, peer: Peer, close: () => void): Disposable & { renew(): void } {
  let armed_for: Caller | undefined
  let timer: Timer | undefined
  const arm = () => {
    const { expires_ms } = armed_for!
    if (expires_ms === null) return
    const left_ms = expires_ms - app.now_ms()
    timer = left_ms > 0 ? setTimeout(arm, Math.min(left_ms, timer_ms_max)) : void close()
  }
  return {
    renew() {
      if (peer.caller === armed_for || !peer.caller) return
      clearTimeout(timer)
      armed_for = peer.caller
      arm()
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

/** Tells a socket of what it has subscribed to. Each one counts its events for itself. */
function listen(app: App, entry: Open): Disposable {
  const { peer, outbox } = entry
  let seq = 0
  return app.hub.subscribe({
    hears({ topic, agent, scope = "read" }) {
      const { caller, topics } = peer
      if (entry.is_over || !caller || isOver(caller, app.now_ms()) || !holds(caller, scope)) return false
      if (agent !== undefined && !reaches(caller, agent)) return false
      return topics!.values().some((pattern) => isTopic(pattern, topic))
    },
    tell({ topic, data }) {
      const event = { jsonrpc: "2.0", method: "event", params: { topic, seq: seq++, data } }
      outbox.send(JSON.stringify(event))
    },
  })
}
