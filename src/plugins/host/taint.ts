/** Whether a plugin was given words from which it could make a placeholder for a secret. */

export type Taint = {
  /** Something that the plugin is given. */
  see(bytes: Uint8Array): void
  isTainted(): boolean
}

/** One within another; the outermost is that of what a host function answers. */
const encodings_max = 5

/**
 * Such words come from a model, a stranger's answer or what the plugin kept, and it would send the secret wherever they
 * go. A plugin's own placeholders are in its code alone.
 */
export function openTaint(names: readonly string[]): Taint {
  const telling = ["{{secret", ...names.map((name) => `secret:${name}`)].flatMap(formsOf)
  let is_tainted = false
  return {
    see(bytes) {
      if (is_tainted || names.length === 0) return
      let text = Buffer.from(bytes)
      for (let round = 0; round < encodings_max; round++) {
        is_tainted = telling.some((form) => text.includes(form))
        const length = decode(text)
        if (is_tainted || length === text.length) return
        text = text.subarray(0, length)
      }
    },
    isTainted: () => is_tainted,
  }
}

/** As it is, and in each place that it may have within what base64 encodes, of those digits that follow from it alone. */
function formsOf(word: string): string[] {
  const encoded = [0, 1, 2].map((offset) => {
    const digits = Buffer.from(word.padStart(word.length + offset)).toString("base64")
    return digits.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + word.length) * 8) / 6))
  })
  return [word, ...encoded, ...encoded.map((digits) => digits.replaceAll("+", "-").replaceAll("/", "_"))]
}

const [ampersand, percent, backslash, line_feed, carriage_return] = [0x26, 0x25, 0x5c, 0x0a, 0x0d]

/**
 * Undoes in place how JSON, URLs and HTML may write ASCII, takes out the ends of lines, as base64 has them anywhere, and
 * answers how many bytes are left. By hand, as it sees all that a stranger sends: an expression takes half a second for
 * a megabyte of "%25".
 */
function decode(bytes: Buffer): number {
  let to = 0
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!
    const is_begin = byte === percent || byte === backslash || byte === ampersand
    const found = is_begin ? codeAt(bytes, at) : 0
    const code = found === 0 ? byte : found & 0xff
    if (code !== line_feed && code !== carriage_return) bytes[to++] = code
    at += found === 0 ? 1 : found >> 8
  }
  return to
}

/** "%7B", "\u007b", "\\", "\n", "&#123;" or "&#x7b;" as `length << 8 | code`; 0 for what is none of them, or no ASCII. */
function codeAt(bytes: Buffer, at: number): number {
  if (bytes[at] === percent) return ascii(numberAt(bytes, at + 1, 16, 2), 3)
  if (bytes[at] === backslash && bytes[at + 1] === backslash) return ascii(backslash, 2)
  if (bytes[at] === backslash) return escapeAt(bytes, at)
  if (bytes[at + 1] !== 0x23) return 0
  const is_hex = (bytes[at + 2]! | 0x20) === 0x78
  const start = at + (is_hex ? 3 : 2)
  let digits = 0
  while (digits < 9 && start + digits < bytes.length && bytes[start + digits] !== 0x3b) digits++
  if (digits === 0 || digits === 9) return 0
  return ascii(numberAt(bytes, start, is_hex ? 16 : 10, digits), start + digits + 1 - at)
}

function escapeAt(bytes: Buffer, at: number): number {
  const letter = bytes[at + 1]
  if (letter === 0x6e || letter === 0x72) return ascii(line_feed, 2)
  return letter === 0x75 ? ascii(numberAt(bytes, at + 2, 16, 4), 6) : 0
}

const ascii = (code: number, length: number): number => (code >= 0 && code < 0x80 ? (length << 8) | code : 0)

/** -1 where there are not so many digits. */
function numberAt(bytes: Buffer, at: number, base: number, digits: number): number {
  if (at + digits > bytes.length) return -1
  let number = 0
  for (let i = at; i < at + digits; i++) {
    const byte = bytes[i]!
    const digit = byte <= 0x39 ? byte - 0x30 : byte < 0x41 ? base : ((byte - 0x41) & ~0x20) + 10
    if (digit < 0 || digit >= base) return -1
    number = number * base + digit
  }
  return number
}
