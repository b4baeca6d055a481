import { type Cursor, type LogEntry, openCursor, type TurnLog } from "../agent/log.ts"

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

/** Past this many unsent bytes a reader is slow: its streams pause and text is merged. */
const slow_bytes = 1_048_576
/** Past this many bytes behind, or this long, it is told to go. */
const behind_bytes_max = 8_388_608
const behind_ms_max = 30_000
export const too_slow = 4008

type Reader = {
  cursor: Cursor
  encode(entry: LogEntry): string | undefined
  watching: Disposable
  finished(): void
}

/** Everything that goes out over one socket, with nothing dropped in silence and a bound on what waits. */
export function openOutbox(socket: Socket, onGiveUp: () => void): Outbox {
  const waiting: string[] = []
  const readers = new Set<Reader>()
  let behind_bytes = 0
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
    if (sent === 0) return giveUp()
    if (sent > 0 || socket.getBufferedAmount() < slow_bytes) return
    slow = true
    patience = setTimeout(giveUp, behind_ms_max)
  }
  const fallBehind = (bytes: number) => {
    behind_bytes += bytes
    if (behind_bytes > behind_bytes_max) giveUp()
  }
  const pump = (reader: Reader, merge: boolean) => {
    while (!slow && !closed) {
      const entry = reader.cursor.next(merge)
      if (!entry) return
      const text = reader.encode(entry)
      if (text !== undefined) write(text)
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
    for (const reader of [...readers]) leave(reader)
  }

  return {
    send(text) {
      if (closed) return
      if (!slow) return write(text)
      waiting.push(text)
      fallBehind(text.length)
    },
    follow(log, after_seq, encode) {
      if (closed) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      const watching = log.watch((entry) => {
        if (slow) fallBehind(JSON.stringify(entry.event).length)
        else pump(reader, false)
      })
      const reader: Reader = { cursor: openCursor(log, after_seq), encode, watching, finished: resolve }
      readers.add(reader)
      pump(reader, true)
      return promise
    },
    drained() {
      if (!slow || socket.getBufferedAmount() > slow_bytes / 2) return
      clearTimeout(patience)
      slow = false
      behind_bytes = 0
      while (waiting.length > 0 && !slow) write(waiting.shift()!)
      for (const reader of [...readers]) pump(reader, true)
      if (slow) for (const text of waiting) behind_bytes += text.length
    },
    gone,
  }
}
