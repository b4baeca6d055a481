import { harmless } from "../text.ts"
import { renderMarkdown, takeBlocks } from "./markdown.ts"
import { type Screen, style } from "./screen.ts"

export type Flow = {
  /** Prints for good, a blank line below what was printed before. */
  print(text: string): void
  /** Adds to the text that is being written; whole blocks of it are printed at once. */
  add(kind: "text" | "reasoning", text: string): void
  /** Prints what is still being written. */
  settle(): void
  /** From here on what is printed stays valid. */
  keep(): void
  /** Forgets what is being written. True when some of what it voids is printed already. */
  drop(): boolean
  /** Shows what is being written, and below it these lines. */
  draw(below: string[]): void
}

/** What a model writes, as it comes. */
export function openFlow(screen: Screen): Flow {
  const { dim } = style(screen.color)
  let kind: "none" | "text" | "reasoning" = "none"
  let pending = ""
  let is_first = true
  let has_printed = false

  const spaced = (text: string) => (is_first ? text : `\n${text}`)
  const render = (text: string) =>
    kind === "reasoning" ? dim(harmless(text).trim()) : renderMarkdown(text, screen.columns(), screen.color)

  function print(text: string): void {
    if (text.trim() === "") return
    screen.print(spaced(text))
    is_first = false
  }

  function printWritten(text: string): void {
    if (text.trim() === "") return
    print(render(text))
    has_printed = true
  }

  function settle(): void {
    printWritten(pending)
    pending = ""
    kind = "none"
  }

  return {
    print,
    settle,
    add(wanted, text) {
      if (kind !== wanted) settle()
      kind = wanted
      const { done, rest } = takeBlocks(pending + text)
      printWritten(done)
      pending = rest
    },
    keep() {
      has_printed = false
    },
    drop() {
      pending = ""
      kind = "none"
      const was_printed = has_printed
      has_printed = false
      return was_printed
    },
    draw(below) {
      const lines = [pending.trim() === "" ? "" : render(pending), ...below].filter((line) => line !== "")
      screen.live(lines.length === 0 ? "" : spaced(lines.join("\n")))
    },
  }
}
