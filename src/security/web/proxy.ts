import { rm } from "node:fs/promises"
import * as http from "node:http"
import type { Socket } from "node:net"
import { type Duplex, pipeline } from "node:stream"
import { ToolDenied } from "../target.ts"
import { connectTo } from "./connect.ts"
import { type FetchPolicy, parseUrl } from "./fetch.ts"
import { type Place, resolvePlace, toPlace } from "./resolve.ts"

export type ProxyOptions = Pick<FetchPolicy, "permit" | "isOpened" | "lookup"> & {
  /** Where to listen: a name in a folder that is its user's alone, at most 107 bytes long. */
  path: string
  /** More at a time are closed at once. */
  connections_max?: number
  /** Without a byte in either direction. */
  idle_ms?: number
  /** Of one connection, both directions together. */
  bytes_max?: number
}

const head_bytes_max = 16_384
/** How long a client may take to say what it wants. */
const head_ms_max = 10_000

/** What belongs to one connection and is not passed on; a "connection" header may name more. */
const own_headers =
  /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|host|proxy-connection|proxy-authorization|proxy-authenticate)$/

/**
 * An HTTP proxy on a unix socket that only its owner may open, for programs that have no other network. It takes
 * CONNECT and requests with a whole http URL; each asks `permit`, and its address is checked and pinned as a fetch's is.
 * A refusal is answered with 403 and a sentence. What a tunnel carries is not looked at.
 */
export async function startProxy(options: ProxyOptions): Promise<AsyncDisposable> {
  const { path, connections_max = 64, idle_ms = 60_000, bytes_max = 1_073_741_824 } = options
  /** With what ends those that do not say what they want. */
  const sockets = new Map<Duplex, NodeJS.Timeout>()
  const limits = { idle_ms, bytes_max }
  const server = http.createServer({ maxHeaderSize: head_bytes_max }, (request, response) => {
    clearTimeout(sockets.get(request.socket))
    void forward(options, limits, request, response).catch((thrown) => refuse(response, thrown))
  })
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= connections_max) return socket.destroy()
    const timer = setTimeout(() => socket.destroy(), Math.min(idle_ms, head_ms_max))
    sockets.set(socket, timer)
    socket.on("close", () => {
      clearTimeout(timer)
      sockets.delete(socket)
    })
    // A client that goes away ends its own connection and nothing else.
    socket.on("error", () => socket.destroy())
  })
  server.on("connect", (request, client, head) => {
    clearTimeout(sockets.get(client))
    void tunnel(options, limits, request, client, head).catch((thrown) => {
      const { status, sentence } = answerTo(thrown)
      client.end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${sentence}\n`)
    })
  })
  server.on("clientError", (_error, socket) => socket.destroy())
  await listen(server, path)
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets.keys()) socket.destroy()
      server.closeAllConnections()
      await closed
      await rm(path, { force: true })
    },
  }
}

function listen(server: http.Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once("error", reject)
  // The socket is made within the call, and there must be no moment in which others could open it.
  const mask = process.umask(0o177)
  try {
    server.listen(path, resolve)
  } finally {
    process.umask(mask)
  }
  return promise
}

type Limits = { idle_ms: number; bytes_max: number }

async function tunnel(
  policy: FetchPolicy,
  limits: Limits,
  request: http.IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  if (!/^[^/?#@\\\s]+:\d{1,5}$/.test(request.url ?? ""))
    throw new Error("CONNECT takes a host and a port, as in example.com:443.")
  const remote = await reach(policy, toPlace(parseUrl(`http://${request.url}`)), client)
  relay(client, remote, limits)
  client.write("HTTP/1.1 200 Connection established\r\n\r\n")
  if (head.length > 0) remote.write(head)
  remote.on("error", () => client.destroy())
  client.pipe(remote)
  remote.pipe(client)
}

/** The checked connection, given up when the client goes. */
async function reach(policy: FetchPolicy, place: Place, client: Duplex): Promise<Socket> {
  const gone = new AbortController()
  const stop = () => gone.abort(new Error("The client is gone."))
  client.once("close", stop)
  try {
    const addresses = await resolvePlace(policy, place, gone.signal)
    return await connectTo(place, addresses, gone.signal)
  } finally {
    client.off("close", stop)
  }
}

/** Ends both when nothing moves for too long or too much has, and the remote one when the client is gone. */
function relay(client: Duplex, remote: Socket, { idle_ms, bytes_max }: Limits): void {
  let left = bytes_max
  const stop = () => {
    clearTimeout(timer)
    client.destroy()
    remote.destroy()
  }
  const timer = setTimeout(stop, idle_ms)
  for (const socket of [client, remote])
    socket.on("data", (chunk: Uint8Array) => {
      timer.refresh()
      left -= chunk.length
      if (left < 0) stop()
    })
  client.once("close", stop)
  // What came from it may still be on its way to the client.
  remote.once("close", () => clearTimeout(timer))
}

async function forward(
  policy: FetchPolicy,
  limits: Limits,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  if (!/^http:\/\//i.test(request.url ?? ""))
    throw new Error("This is a proxy: it takes whole http URLs, and CONNECT for everything else.")
  const url = parseUrl(request.url!)
  const place = toPlace(url)
  const remote = await reach(policy, place, request.socket)
  relay(request.socket, remote, limits)
  const host = url.port === "" ? place.host : `${place.host}:${place.port}`
  const asked = http.request({
    createConnection: () => remote,
    method: request.method,
    path: `${url.pathname}${url.search}`,
    headers: { ...passedOn(request.headers), ...framed(request), host, connection: "close" },
    maxHeaderSize: 65_536,
  })
  const answered = Promise.withResolvers<http.IncomingMessage>()
  asked.on("response", answered.resolve)
  asked.on("error", answered.reject)
  asked.on("upgrade", (_answer, socket) => {
    socket.destroy()
    answered.reject(new Error(`${place.host} wants another protocol than HTTP; CONNECT takes any.`))
  })
  pipeline(request, asked, (error) => error && answered.reject(error))
  const answer = await answered.promise
  response.writeHead(answer.statusCode ?? 502, { ...passedOn(answer.headers), connection: "close" })
  pipeline(answer, response, () => remote.destroy())
}

/** A body is sent on as it came: without either, what the client calls the body would be a request of its own. */
const framed = ({ headers }: http.IncomingMessage): http.OutgoingHttpHeaders =>
  headers["content-length"] !== undefined
    ? { "content-length": headers["content-length"] }
    : headers["transfer-encoding"] !== undefined
      ? { "transfer-encoding": "chunked" }
      : {}

function passedOn(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const named = `${headers.connection ?? ""}`.toLowerCase().split(/\s*,\s*/)
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !own_headers.test(name) && !named.includes(name)),
  )
}

function refuse(response: http.ServerResponse, thrown: unknown): void {
  if (response.headersSent) return void response.destroy()
  const { status, sentence } = answerTo(thrown)
  const body = Buffer.from(`${sentence}\n`)
  const headers = { "content-type": "text/plain", "content-length": body.length, connection: "close" }
  response.writeHead(Number.parseInt(status, 10), headers)
  response.end(body)
}

/** For the program that asked; what the system says about addresses stays inside. */
function answerTo(thrown: unknown): { status: string; sentence: string } {
  if (thrown instanceof ToolDenied) return { status: "403 Forbidden", sentence: thrown.message }
  const own = thrown instanceof Error && !("code" in thrown)
  return {
    status: "502 Bad Gateway",
    sentence: own ? thrown.message : "The host did not answer as it should.",
  }
}
