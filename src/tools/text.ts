import type { Target } from "../security/target.ts"

export type Encoding = "utf-8" | "utf-16le" | "utf-16be"

const hasPrefix = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  prefix.every((byte, i) => bytes[i] === byte)

const marks: [Encoding, number[]][] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
]

const unmarked = { encoding: "utf-8", mark: 0 } as const

/** What the byte order mark at the beginning says; without one it is UTF-8. `mark` is its length. */
export function encodingOf(bytes: Uint8Array): { encoding: Encoding; mark: number } {
  // Asked of every file that is searched; no mark begins with a lower byte.
  if (bytes.length === 0 || bytes[0]! < 0xef) return unmarked
  const found = marks.find(([, mark]) => hasPrefix(bytes, mark))
  return found ? { encoding: found[0], mark: found[1].length } : unmarked
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0))

const images: [string, number[]][] = [
  ["image/png", [0x89, ...ascii("PNG\r\n\x1a\n")]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", ascii("GIF8")],
]

/** The type of an image that models take, by its first bytes and not by its name. */
export function imageTypeOf(bytes: Uint8Array): string | undefined {
  if (hasPrefix(bytes, ascii("RIFF")) && hasPrefix(bytes.subarray(8), ascii("WEBP"))) return "image/webp"
  return images.find(([, magic]) => hasPrefix(bytes, magic))?.[0]
}

const kinds: [string, number[]][] = [
  ["PDF document", ascii("%PDF-")],
  ["zip archive (also docx, xlsx, jar)", ascii("PK\x03\x04")],
  ["gzip archive", [0x1f, 0x8b]],
  ["zstd archive", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz archive", [0xfd, ...ascii("7zXZ")]],
  ["ELF program or library", [0x7f, ...ascii("ELF")]],
  ["Windows program", ascii("MZ")],
  ["WebAssembly module", ascii("\0asm")],
  ["SQLite database", ascii("SQLite format 3\0")],
  ["Ogg media", ascii("OggS")],
  ["MP3 audio", ascii("ID3")],
]

/** What a file without text is; undefined for text. The first few thousand bytes are enough. */
export function binaryKindOf(bytes: Uint8Array): string | undefined {
  if (encodingOf(bytes).encoding !== "utf-8") return undefined
  const known = kinds.find(([, magic]) => hasPrefix(bytes, magic))?.[0]
  const has_zero = bytes.subarray(0, 8192).includes(0)
  if (has_zero) return known ?? "binary file"
  return known && known !== "Windows program" && known !== "MP3 audio" ? known : undefined
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder("utf-8", { ignoreBOM: true })

/** The text, and whether it is all that the bytes say: what is not UTF-8 becomes "\ufffd". */
export function decodeUtf8(bytes: Uint8Array): { text: string; valid: boolean } {
  try {
    return { text: utf8.decode(bytes), valid: true }
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    return { text: lenient.decode(bytes), valid: false }
  }
}

const units = ["bytes", "kB", "MB", "GB", "TB"]

/** "17 bytes", "1.2 kB", "34 MB". */
export function toSize(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  const digits = unit > 0 && value < 9.95 ? 1 : 0
  return `${value.toFixed(digits)} ${bytes === 1 ? "byte" : units[unit]}`
}

/** "1 line", "5,321 lines". */
export const toCount = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for.
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/

/** A name that stays on its line and can be given back: as JSON where it holds a control character. */
export const toShown = (name: string): string => (unprintable.test(name) ? JSON.stringify(name) : name)

/** Cuts to so many UTF-16 units, never within a character. */
export function cutText(text: string, length_max: number): string {
  if (text.length <= length_max) return text
  const last = text.charCodeAt(length_max - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length_max - 1 : length_max)
}

/** The place in a path's target text where its folder ends. */
export const folderOf = ({ text }: Target): string => {
  const slash = text.lastIndexOf("/")
  if (slash > 0) return text.slice(0, slash)
  return slash === 0 ? "/" : "."
}

export const nameOf = ({ text }: Target): string => text.slice(text.lastIndexOf("/") + 1)
