import {
  type Connection,
  type ConnectionOptions,
  openConnection,
  type Topical,
  type WebSocketConstructor,
} from "./connection.ts"
import { aborted, unreachable, WeftError } from "./errors.ts"

export type ReconnectOptions = {
  /** Attempts after a loss before the client gives up; without it, it never does. */
  attempts_max?: number
  delay_ms?: number
  delay_ms_max?: number
}

export type ConnectionState =
  | { state: "open" }
  | { state: "lost"; reason: string; attempt: number; retry_in_ms: number }
  | { state: "closed"; error?: WeftError }

export type LinkOptions = {
  url: string
  token: string | undefined | (() => string | Promise<string>)
  client: { name: string; version: string }
  WebSocket: WebSocketConstructor
  reconnect: ReconnectOptions | false
  connect_timeout_ms: number
  ping_ms: number
  onState(state: ConnectionState): void
  onTopic(event: Topical): void
  /** Runs on every connection but the first, before anybody else uses it. */
  onReconnect(connection: Connection): void
}

/** A connection that is made again when it is lost, until it is closed. */
export type Link = {
  /** The connection, as soon as there is one; rejects once there will be none, or when the signal aborts. */
  connection(signal?: AbortSignal): Promise<Connection>
  close(): void
  readonly failure: WeftError | undefined
}

/** Closed by these, a socket would be closed again: the token is not, or no longer, good. */
const final_close_codes = new Set([4001, 4003])
const retryable = new Set(["unreachable", "rate_limited", "shutting_down"])

export async function openLink(options: LinkOptions): Promise<Link> {
  const stop = new AbortController()
  let failure: WeftError | undefined
  let current: Promise<Connection> = Promise.resolve(await open(options))
  options.onState({ state: "open" })

  function end(error: WeftError | undefined): void {
    if (failure) return
    failure = error ?? unreachable({ url: options.url, reason: "the client was closed" })
    stop.abort()
    options.onState(error ? { state: "closed", error } : { state: "closed" })
  }

  async function keep(): Promise<void> {
    for (;;) {
      const { code, reason } = await (await current).lost
      if (failure) return
      const why = reason || `the socket was closed with ${code}`
      if (final_close_codes.has(code)) {
        return end(new WeftError("unauthorized", { close_code: code }, "The token is not valid any more."))
      }
      if (!options.reconnect) return end(unreachable({ url: options.url, close_code: code, reason: why }))
      current = again(options, options.reconnect, why, stop.signal)
      const connection = await current
      options.onReconnect(connection)
      options.onState({ state: "open" })
    }
  }
  keep().catch((thrown) => end(thrown as WeftError))

  return {
    get failure() {
      return failure
    },
    async connection(signal) {
      if (failure) throw failure
      if (signal?.aborted) throw aborted(signal)
      const connection = await orAborted(current, signal)
      if (failure) throw failure
      return connection
    },
    close() {
      end(undefined)
      current.then(
        (connection) => connection.close(),
        () => {
          // There is no connection to close; whoever waits for one has the error already.
        },
      )
    },
  }
}

async function open(options: LinkOptions): Promise<Connection> {
  const token = typeof options.token === "function" ? await options.token() : options.token
  const connection_options: ConnectionOptions = { ...options, token }
  return openConnection(connection_options)
}

/** Exponential, with full jitter, so that a restarted gateway does not meet all its clients at once. */
async function again(
  options: LinkOptions,
  { attempts_max = Infinity, delay_ms = 250, delay_ms_max = 10_000 }: ReconnectOptions,
  reason: string,
  signal: AbortSignal,
): Promise<Connection> {
  let last: unknown
  let wait_ms_min = 0
  for (let attempt = 1; attempt <= attempts_max; attempt++) {
    const ceiling_ms = Math.min(delay_ms_max, delay_ms * 2 ** (attempt - 1))
    const retry_in_ms = Math.max(wait_ms_min, Math.round(Math.random() * ceiling_ms))
    options.onState({ state: "lost", reason, attempt, retry_in_ms })
    await sleep(retry_in_ms, signal)
    try {
      const connection = await open(options)
      if (!signal.aborted) return connection
      connection.close()
      throw unreachable({ url: options.url, reason: "the client was closed" })
    } catch (thrown) {
      last = thrown
      if (signal.aborted || !(thrown instanceof WeftError && retryable.has(thrown.code))) throw thrown
      wait_ms_min = Number(thrown.data.retry_after_ms ?? 0)
    }
  }
  throw last ?? unreachable({ url: options.url, reason })
}

function sleep(wait_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopped = () => {
      clearTimeout(timer)
      reject(unreachable({ reason: "the client was closed" }))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stopped)
      resolve()
    }, wait_ms)
    signal.addEventListener("abort", stopped, { once: true })
  })
}

/** The promise, or a rejection as soon as the signal aborts. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal))
    if (signal.aborted) return stop()
    signal.addEventListener("abort", stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop))
  })
}
