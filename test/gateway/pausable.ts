import type { Frame, Started } from "../harness.ts"

/** A WebSocket client over plain TCP that can stop reading, as a library's cannot. */
export async function openPausable(gateway: Started) {
  let bytes = Buffer.alloc(0)
  let upgraded = false
  const frames: Frame[] = []
  const closing = Promise.withResolvers<number>()
  let wake = Promise.withResolvers<void>()

  const parse = () => {
    if (!upgraded) {
      const end = bytes.indexOf("\r\n\r\n")
      if (end === -1) return
      upgraded = true
      bytes = bytes.subarray(end + 4)
    }
    for (;;) {
      if (bytes.length < 2) return
      const short = bytes[1]! & 127
      const head = short === 126 ? 4 : short === 127 ? 10 : 2
      if (bytes.length < head) return
      const length =
        short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
      if (bytes.length < head + length) return
      const payload = bytes.subarray(head, head + length)
      const opcode = bytes[0]! & 15
      if (opcode === 1) frames.push(JSON.parse(payload.toString()) as Frame)
      if (opcode === 8) closing.resolve(payload.readUInt16BE(0))
      bytes = bytes.subarray(head + length)
      wake.resolve()
    }
  }
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: gateway.port,
    socket: {
      data(_socket, chunk) {
        bytes = Buffer.concat([bytes, chunk])
        parse()
      },
      close() {
        closing.resolve(1006)
        wake.resolve()
      },
    },
  })
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`,
  )
  return {
    frames,
    closed: closing.promise,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    send(frame: unknown) {
      const payload = Buffer.from(JSON.stringify(frame))
      // The mask may be zero, which leaves the payload as it is.
      const head =
        payload.length < 126
          ? [0x81, 0x80 | payload.length]
          : [0x81, 0xfe, payload.length >> 8, payload.length & 255]
      socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]))
    },
    /** The first frame that is so, as soon as there is one. */
    async until(found: (frame: Frame) => boolean): Promise<Frame> {
      for (;;) {
        const frame = frames.find(found)
        if (frame) return frame
        await wake.promise
        wake = Promise.withResolvers()
      }
    },
    [Symbol.asyncDispose]: async () => void socket.terminate(),
  }
}
