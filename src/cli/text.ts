/**
 * Text of models, peers and files as a terminal may have it: nothing in it moves the cursor, changes colours, rings,
 * or turns the writing direction. Line ends and tabs stay.
 */
export const harmless = (text: string): string => text.replace(/\r\n?/g, "\n").replace(unsafe, picture)

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** The Unicode picture of a control character, so that one sees that something was there. */
function picture(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? "\u2421" : "\ufffd"
}

/** Whole, with a bar before each of its rows, so that nothing in it passes for what stands around it. */
export const framed = (text: string, columns: number): string =>
  Bun.wrapAnsi(harmless(text), Math.max(10, columns - 2), { hard: true, trim: false }).replace(/^/gm, "│ ")

/** Columns two spaces apart, as wide as their widest cell; the last one runs on. */
export function table(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => harmless(cell).replaceAll("\n", " ")))
  const widths = head.map((_, column) => Math.max(...cells.map((row) => Bun.stringWidth(row[column] ?? ""))))
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell + " ".repeat(widths[column]! - Bun.stringWidth(cell)))
      .join("  ")
      .trimEnd()
  return cells.map(line).join("\n")
}

/** "label  value" lines, for one thing. */
export function fields(values: Record<string, string | number | null | undefined>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null)
  const width = Math.max(0, ...entries.map(([label]) => label.length))
  return entries.map(([label, value]) => `${label.padEnd(width)}  ${harmless(String(value))}`).join("\n")
}

type Failed = { message: string; code: string; data?: Record<string, unknown> }

/** A failure in a chat, with what else is known of it; the id of a turn means nothing there. */
export function failureText({ message, code, data = {} }: Failed): string {
  const details = Object.entries(data)
    .filter(([name, value]) => name !== "turn_id" && typeof value !== "object")
    .map(([name, value]) => `${name}: ${value}`)
  return harmless([`${message} (${code})`, ...details].join("\n  "))
}

/** "2026-11-21 14:03", in the reader's own time zone. */
export function when(time_ms: number | null): string {
  if (time_ms === null) return "-"
  const date = new Date(time_ms)
  const two = (value: number) => String(value).padStart(2, "0")
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** "340 ms", "2.1 s", "3 min", "5 h", "2 d". */
export function duration(time_ms: number): string {
  if (time_ms < 1000) return `${Math.round(time_ms)} ms`
  if (time_ms < 60_000) return `${(time_ms / 1000).toFixed(1)} s`
  if (time_ms < 3_600_000) return `${Math.floor(time_ms / 60_000)} min`
  return time_ms < 172_800_000
    ? `${Math.floor(time_ms / 3_600_000)} h`
    : `${Math.floor(time_ms / 86_400_000)} d`
}

/** "$0.0123"; four digits, because a turn costs little. */
export const dollars = (cost_usd: number | null): string =>
  cost_usd === null ? "-" : `$${cost_usd.toFixed(4)}`
