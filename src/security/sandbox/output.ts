/** One stream of a program's output, of which the beginning and the end are kept. */
export type Output = {
  add(chunk: Uint8Array): void
  /** Of all that came. */
  readonly bytes: number
  /** What was kept, with a line in the middle that says how much was not. */
  toText(): string
}

export function openOutput(bytes_max: number): Output {
  const head_max = Math.ceil(bytes_max / 2)
  const tail_max = bytes_max - head_max
  const head: Uint8Array[] = []
  const tail: Uint8Array[] = []
  let [bytes, head_bytes, tail_bytes] = [0, 0, 0]

  function addTail(chunk: Uint8Array): void {
    // A view would keep the whole chunk that it is a part of.
    tail.push(chunk.slice(Math.max(0, chunk.length - tail_max)))
    tail_bytes += tail.at(-1)!.length
    while (tail.length > 1 && tail_bytes - tail[0]!.length >= tail_max) tail_bytes -= tail.shift()!.length
    // Very small chunks would cost more than what they hold.
    if (tail.length > 4096) tail.splice(0, tail.length, Buffer.concat(tail))
  }

  return {
    add(chunk) {
      bytes += chunk.length
      const room = Math.min(head_max - head_bytes, chunk.length)
      if (room > 0) {
        head.push(chunk.slice(0, room))
        head_bytes += room
      }
      if (chunk.length > room && tail_max > 0) addTail(chunk.subarray(room))
    },
    get bytes() {
      return bytes
    },
    toText() {
      const end = Buffer.concat(tail)
      const kept = end.subarray(Math.max(0, end.length - tail_max))
      const left_out = bytes - head_bytes - kept.length
      if (left_out === 0) return decode(Buffer.concat([...head, kept]))
      const cut = `\n[… ${left_out} bytes left out here …]\n`
      return `${decode(endWhole(Buffer.concat(head)))}${cut}${decode(beginWhole(kept))}`
    },
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

const continues = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Without the first bytes of a character whose rest was cut off. */
function endWhole(bytes: Buffer): Buffer {
  let start = bytes.length - 1
  while (start > bytes.length - 4 && continues(bytes[start])) start--
  const lead = bytes[start] ?? 0
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return start + length > bytes.length ? bytes.subarray(0, start) : bytes
}

function beginWhole(bytes: Buffer): Buffer {
  let start = 0
  while (start < 3 && continues(bytes[start])) start++
  return bytes.subarray(start)
}
