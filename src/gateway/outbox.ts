import { type Cursor, isEnded, type LogEntry, openCursor, type TurnLog } from "../agent/log.ts"
import type { Limits } from "./limits.ts"

/** What a connection needs of the server's socket. */
export type Socket = {
  /** Bytes sent, -1 when queued, 0 when dropped. */
  sendText(text: string): number
  getBufferedAmount(): number
  close(code: number, reason: string): void
}

export type Outbox = {
  send(text: string): void
  /** Sends a log from after `after_seq` to its end, encoded; resolves when all is sent or the socket is gone. */
  follow(log: TurnLog, after_seq: number, encode: (entry: LogEntry) => string | undefined): Promise<void>
  /** The socket has room again. */
  drained(): void
  /** The socket is gone. */
  gone(): void
}

export const too_slow = 4008

type Bounds = Pick<Limits, "slow_bytes" | "behind_bytes" | "behind_ms">

type Reader = {
  cursor: Cursor
  encode(entry: LogEntry): string | undefined
  ended(): boolean
  watching: Disposable
  /** Of the events that came while it was paused, those that it has not been sent yet. */
  behind_bytes: number
  finished(): void
}

/** Everything that goes out over one socket, with nothing dropped in silence and a bound on what waits. */
export function openOutbox(socket: Socket, onGiveUp: () => void, limits: Bounds): Outbox {
  const waiting: string[] = []
  const readers = new Set<Reader>()
  let waiting_bytes = 0
  let slow = false
  let closed = false
  let patience: Timer | undefined

  const giveUp = () => {
    if (closed) return
    closed = true
    onGiveUp()
    socket.close(too_slow, "reading too slowly")
    gone()
  }
  const write = (text: string) => {
    const sent = socket.sendText(text)
    // Nothing of it went out: the socket is closed, or so far behind that Bun would drop frames.
    if (sent === 0) return giveUp()
    if (sent > 0 || socket.getBufferedAmount() < limits.slow_bytes) return
    slow = true
    patience = setTimeout(giveUp, limits.behind_ms)
  }
  const checkBehind = () => {
    let bytes = waiting_bytes
    for (const reader of readers) bytes += reader.behind_bytes
    if (bytes > limits.behind_bytes) giveUp()
  }
  const pump = (reader: Reader, merge: boolean) => {
    while (!slow && !closed) {
      const entry = reader.cursor.next(merge)
      if (!entry) {
        reader.behind_bytes = 0
        // Who has seen "done" already waits for nothing more.
        if (reader.ended()) leave(reader)
        return
      }
      const text = reader.encode(entry)
      if (text !== undefined) write(text)
      if (reader.behind_bytes > 0) reader.behind_bytes = Math.max(0, reader.behind_bytes - sizeOf(entry))
      if (entry.event.type === "done") return leave(reader)
    }
  }
  const leave = (reader: Reader) => {
    readers.delete(reader)
    reader.watching[Symbol.dispose]()
    reader.finished()
  }
  const gone = () => {
    closed = true
    clearTimeout(patience)
    waiting.length = 0
    waiting_bytes = 0
    for (const reader of [...readers]) leave(reader)
  }

  return {
    send(text) {
      if (closed) return
      if (!slow) return write(text)
      waiting.push(text)
      waiting_bytes += Buffer.byteLength(text)
      checkBehind()
    },
    follow(log, after_seq, encode) {
      if (closed) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      const watching = log.watch((entry) => {
        if (!slow) return pump(reader, false)
        reader.behind_bytes += sizeOf(entry)
        checkBehind()
      })
      const cursor = openCursor(log, after_seq)
      const ended = () => isEnded(log)
      const reader: Reader = { cursor, encode, ended, watching, behind_bytes: 0, finished: resolve }
      readers.add(reader)
      pump(reader, true)
      return promise
    },
    drained() {
      if (!slow || closed || socket.getBufferedAmount() > limits.slow_bytes / 2) return
      clearTimeout(patience)
      slow = false
      while (waiting.length > 0 && !slow) {
        const text = waiting.shift()!
        waiting_bytes -= Buffer.byteLength(text)
        write(text)
      }
      for (const reader of [...readers]) pump(reader, true)
    },
    gone,
  }
}

/** Near enough to its size on the wire: the envelope is not counted, so that merging does not change the sum much. */
const sizeOf = ({ event }: LogEntry): number =>
  event.type === "text" || event.type === "reasoning"
    ? Buffer.byteLength(event.text)
    : Buffer.byteLength(JSON.stringify(event))
