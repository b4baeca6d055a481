import type { Socket } from "bun"

/** A request as it arrived on the wire. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of five different shapes.
export type Received = { path: string; headers: Record<string, string>; body: any }

/** The other end of one request: writes bytes as they are, and can leave in every way there is. */
export type Peer = {
  request: Received
  /** Sends the head of an event stream, chunked. */
  head(headers?: Record<string, string>): void
  /** Sends one chunk of a chunked body. */
  chunk(text: string | Uint8Array): void
  /** Ends a chunked body properly. */
  end(): void
  raw(text: string): void
  /** A whole response. */
  reply(status: string, headers: Record<string, string>, body: string): void
  close(): void
  reset(): void
  /** Resolves when the client has gone. */
  gone: Promise<void>
}

export type Script = (peer: Peer) => void | Promise<void>

export type Remote = AsyncDisposable & { url: string; requests: Received[] }

type Connection = { buffer: Buffer; unsent: Buffer; leave: () => void; gone: Promise<void> }

/** A server below HTTP: what it sends, and where it stops, is the script's alone. */
export function startRemote(script: Script): Remote {
  const requests: Received[] = []
  const server = Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const { promise, resolve } = Promise.withResolvers<void>()
        socket.data = { buffer: Buffer.alloc(0), unsent: Buffer.alloc(0), leave: resolve, gone: promise }
      },
      async data(socket, bytes) {
        const connection = socket.data
        connection.buffer = Buffer.concat([connection.buffer, bytes])
        const request = takeRequest(connection)
        if (!request) return
        requests.push(request)
        await script(toPeer(socket, request))
      },
      drain: flush,
      close: (socket) => socket.data.leave(),
      error: (socket) => socket.data.leave(),
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.stop(true)
    },
  }
}

/** Answers every request with the same frames. */
export const saying =
  (...frames: string[]): Script =>
  (peer) => {
    peer.head()
    for (const frame of frames) if (frame) peer.chunk(frame)
    peer.end()
  }

function takeRequest(connection: Connection): Received | undefined {
  const end = connection.buffer.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [first, ...lines] = connection.buffer.subarray(0, end).toString().split("\r\n")
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  )
  const size = Number(headers["content-length"] ?? 0)
  if (connection.buffer.length < end + 4 + size) return undefined
  const body = JSON.parse(connection.buffer.subarray(end + 4, end + 4 + size).toString())
  connection.buffer = connection.buffer.subarray(end + 4 + size)
  return { path: first!.split(" ")[1]!, headers, body }
}

function flush(socket: Socket<Connection>): void {
  const { unsent } = socket.data
  socket.data.unsent = unsent.subarray(Math.max(0, socket.write(unsent)))
}

function toPeer(socket: Socket<Connection>, request: Received): Peer {
  const write = (data: string | Uint8Array) => {
    socket.data.unsent = Buffer.concat([socket.data.unsent, Buffer.from(data as string)])
    flush(socket)
  }
  return {
    request,
    gone: socket.data.gone,
    head(headers = {}) {
      const all = { "content-type": "text/event-stream", "transfer-encoding": "chunked", ...headers }
      write(`HTTP/1.1 200 OK\r\n${lines(all)}\r\n`)
    },
    chunk(text) {
      const bytes = Buffer.from(text as string)
      write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]))
    },
    end: () => write("0\r\n\r\n"),
    raw: write,
    reply(status, headers, body) {
      const all = { "content-length": String(Buffer.byteLength(body)), ...headers }
      write(`HTTP/1.1 ${status}\r\n${lines(all)}\r\n${body}`)
    },
    close: () => void socket.end(),
    reset: () => void socket.terminate(),
  }
}

const lines = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")
