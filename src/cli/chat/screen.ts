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
  /** The rows of the live area; the cursor is at the end of the last one. */
  let shown: string[] = []
  // One column stays free: a full line makes some terminals wrap early and some late.
  const width = () => Math.max(20, (output.columns || 80) - 1)
  const wrap = (text: string) => Bun.wrapAnsi(text, width(), { hard: true, trim: false }).split("\n")

  /** What goes from the rows that are shown to these, leaving alone those at the top that stay as they are. */
  function change(rows: string[]): string {
    let same = 0
    while (same < shown.length && same < rows.length - 1 && shown[same] === rows[same]) same++
    const rest = rows.slice(same).join("\n")
    if (shown.length === 0) return rest
    if (same === shown.length) return `\n${rest}`
    const up = heightOf(shown.slice(same)) - 1
    return `\r${up > 0 ? `\u001b[${up}A` : ""}\u001b[J${rest}`
  }

  /** More than there are rows where the terminal became narrower since, and wrapped them once more. */
  const heightOf = (rows: string[]) =>
    rows.reduce((sum, row) => sum + Math.max(1, Math.ceil(Bun.stringWidth(row) / (output.columns || 80))), 0)

  function show(rows: string[], below: string): void {
    const changed = change(rows) + below
    shown = below === "" ? rows : []
    if (changed !== "") output.write(`${begin}${changed}${end}`)
  }

  return {
    color,
    columns: () => Math.min(columns_max, width()),
    print: (text) => show(wrap(text), "\n"),
    live: (text) => show(text === "" ? [] : wrap(text).slice(-Math.max(1, (output.rows || 24) - 2)), ""),
  }
}

/** Styles that come to nothing where there is no colour. */
export const style = (color: boolean) => {
  const sgr = (on: number, off: number) => (text: string) =>
    color && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return { dim: sgr(2, 22), bold: sgr(1, 22), red: sgr(31, 39), cyan: sgr(36, 39) }
}
