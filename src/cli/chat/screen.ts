/**
 * Two parts: what is printed stays for good, and below it a live area that is drawn anew. Each change is one write,
 * which terminals that know how (mode 2026) show at once, so that nothing flickers.
 */
export type Screen = {
  /** Prints above the live area, which it empties. */
  print(text: string): void
  /** Replaces the live area. A text higher than the terminal shows its end. */
  live(text: string): void
  columns(): number
  color: boolean
}

type Output = { write(text: string): unknown; columns?: number; rows?: number }

const begin = "\u001b[?2026h"
const end = "\u001b[?2026l"
/** Prose is read best in lines that are not longer. */
const columns_max = 100

export function openScreen(output: Output, color: boolean): Screen {
  let rows = 0
  // One column stays free: a full line makes some terminals wrap early and some late.
  const width = () => Math.max(20, (output.columns || 80) - 1)

  function erase(): string {
    if (rows === 0) return ""
    return `\r${rows > 1 ? `\u001b[${rows - 1}A` : ""}\u001b[J`
  }

  const wrap = (text: string) => Bun.wrapAnsi(text, width(), { hard: true, trim: false }).split("\n")

  return {
    color,
    columns: () => Math.min(columns_max, width()),
    print(text) {
      const lines = wrap(text)
      output.write(`${begin}${erase()}${lines.join("\n")}\n${end}`)
      rows = 0
    },
    live(text) {
      const lines = text === "" ? [] : wrap(text).slice(-Math.max(1, (output.rows || 24) - 2))
      if (lines.length === 0 && rows === 0) return
      output.write(`${begin}${erase()}${lines.join("\n")}${end}`)
      rows = lines.length
    },
  }
}

/** Styles that come to nothing where there is no colour. */
export const style = (color: boolean) => {
  const sgr = (on: number, off: number) => (text: string) =>
    color && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return { dim: sgr(2, 22), bold: sgr(1, 22), red: sgr(31, 39), cyan: sgr(36, 39) }
}
