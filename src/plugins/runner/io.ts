import { readSync, writeSync } from "node:fs"
import type { WaitFor } from "../../kernel/waiting.ts"
import { encodeFrame, type Frame, type Kind, openDecoder } from "../frames.ts"
import { encodePieces } from "../packing.ts"

const chunk_bytes = 1 << 16
/** Of a body in parts, written at once. */
const piece_bytes = 1 << 20
/** Of one frame to a runner: a call with the folders of a program in it. */
const frame_bytes_max = 64 << 20

export type Io = {
  /** The next frame, waited for; undefined once the gateway has closed its end. Throws FrameError. */
  receive(): Frame | undefined
  send(kind: Kind, header: object, body?: Uint8Array | readonly Uint8Array[]): void
  /** Does what sends and receives as one: once it has thrown, nothing else can be said. */
  exchange<T>(act: () => T): T
  isBroken(): boolean
}

/**
 * The frames of standard input and output. Both are waited for by the thread that runs the guest, which has nothing
 * else to do: an event loop would cost more than the call.
 */
export function openIo(wait: WaitFor): Io {
  const decoder = openDecoder(frame_bytes_max, "gateway")
  const chunk = Buffer.allocUnsafe(chunk_bytes)
  let broken = false

  return {
    receive() {
      for (;;) {
        const frame = decoder.next()
        if (frame) return frame
        const read = retry("read", () => readSync(0, chunk, 0, chunk_bytes, null))
        if (read === 0) return undefined
        decoder.push(chunk.subarray(0, read))
      }
    },
    send(kind, header, body) {
      if (!body || body instanceof Uint8Array) return write(encodeFrame(kind, header, body))
      for (const piece of encodePieces(kind, header, body, piece_bytes)) write(piece)
    },
    exchange(act) {
      broken = true
      const result = act()
      broken = false
      return result
    },
    isBroken: () => broken,
  }

  function write(bytes: Uint8Array): void {
    for (let sent = 0; sent < bytes.length; ) {
      const from = sent
      sent += retry("write", () => writeSync(1, bytes, from, bytes.length - from))
    }
  }

  function retry(event: "read" | "write", act: () => number): number {
    for (;;) {
      try {
        return act()
      } catch (thrown) {
        const { code } = thrown as NodeJS.ErrnoException
        if (code === "EINTR") continue
        if (code !== "EAGAIN") throw thrown
        wait(event === "read" ? 0 : 1, event)
      }
    }
  }
}
