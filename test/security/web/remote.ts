/** Servers of this machine that count who comes, and say exactly the bytes that a test wants. */
import { createServer, type Socket } from "node:net"
import { type FetchPolicy, type GuardedFetch, openFetch } from "../../../src/security/web/fetch.ts"

export type Remote = AsyncDisposable & {
  port: number
  /** "127.0.0.1:port" */
  host: string
  /** Connections so far. */
  connections: number
  /** Heads of requests, as they came. */
  heads: string[]
  /** The address of this machine that each connection came to. */
  reached: string[]
  /** Connections that are still open. */
  open: Set<Socket>
}

/** Answers each request's head with what `answer` does with the socket. Listens on all addresses of this machine. */
export async function startRemote(
  answer: (socket: Socket, head: string, body: string) => void = (socket) => socket.end(text("canary")),
): Promise<Remote> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    remote.connections += 1
    remote.reached.push(`${socket.localAddress}`.replace("::ffff:", ""))
    open.add(socket)
    socket.on("close", () => open.delete(socket))
    // A client that goes away is what many of these tests are about.
    socket.on("error", () => socket.destroy())
    let read = ""
    let answered = false
    socket.on("data", (bytes) => {
      read += bytes.toString("latin1")
      const end = read.indexOf("\r\n\r\n")
      if (end === -1 || answered) return
      const length = Number(read.match(/content-length: (\d+)/i)?.[1] ?? 0)
      if (read.length < end + 4 + length) return
      answered = true
      remote.heads.push(read.slice(0, end))
      answer(socket, read.slice(0, end), read.slice(end + 4))
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, "::", resolve)
  await promise
  const { port } = server.address() as { port: number }
  const remote: Remote = {
    port,
    host: `127.0.0.1:${port}`,
    connections: 0,
    heads: [],
    reached: [],
    open,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
  return remote
}

export const reply = (
  status: string,
  headers: Record<string, string | number>,
  body: string | Uint8Array = "",
) =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\n`),
    ...Object.entries(headers).map(([name, value]) => Buffer.from(`${name}: ${value}\r\n`)),
    Buffer.from("\r\n"),
    Buffer.from(body),
  ])

export const text = (body: string | Uint8Array, headers: Record<string, string | number> = {}) =>
  reply(
    "200 OK",
    { "content-type": "text/plain", "content-length": Buffer.from(body).length, ...headers },
    body,
  )

/** Permits every host. What is on this machine is opened by "host:port". */
export function openTestFetch(opened: string[] = [], policy: Partial<FetchPolicy> = {}): GuardedFetch {
  return openFetch({
    permit: () => undefined,
    isOpened: (host, port) => opened.includes(`${host}:${port}`),
    ...policy,
  })
}

/** What a promise was refused with. */
export const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => {
      throw new Error(`it should have failed, but gave ${Bun.inspect(value).slice(0, 200)}`)
    },
    (thrown: Error) => thrown,
  )
