import { harmless } from "../text.ts"

/**
 * Cuts off the blocks that nothing which is still to come can change: paragraphs, lists and tables before a blank
 * line, code whose fence is closed. What is left is the block that is being written.
 */
export function takeBlocks(text: string): { done: string; rest: string } {
  let cut = 0
  let offset = 0
  let fence: string | undefined
  let is_list = false
  let was_blank = false
  for (const line of text.split(/(?<=\n)/)) {
    const is_whole = line.endsWith("\n")
    const opened = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== undefined) {
      if (is_whole && opened?.startsWith(fence) && line.trim() === opened) {
        fence = undefined
        if (!is_list) cut = offset + line.length
      }
    } else if (line.trim() === "") {
      was_blank = true
    } else {
      if (was_blank && startsBlock(line, is_list, is_whole)) {
        cut = offset
        is_list = false
      }
      if (offset === cut) is_list = list_marker.test(line)
      was_blank = false
      fence = opened
    }
    offset += line.length
  }
  return { done: text.slice(0, cut), rest: text.slice(cut) }
}

const list_marker = /^ {0,3}([-*+]|\d{1,9}[.)])(\s|$)/

/** After a blank line: whether this line begins something new rather than going on with a list. */
function startsBlock(line: string, is_list: boolean, is_whole: boolean): boolean {
  if (!is_list) return true
  // "1" and "-" may yet become markers.
  const could_be_marker = !is_whole && /^ {0,3}([-*+]+|\d{1,9}[.)]?)?$/.test(line)
  return !could_be_marker && !/^\s/.test(line) && !list_marker.test(line)
}

/** Markdown as a terminal shows it, with nothing in it but text and colours. */
export function renderMarkdown(text: string, columns: number, color: boolean): string {
  const safe = harmless(text).replace(/&#(x[0-9a-f]+|\d+);?/gi, (entity, code: string) => {
    const point = code[0] === "x" || code[0] === "X" ? Number.parseInt(code.slice(1), 16) : Number(code)
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ? "\ufffd" : entity
  })
  const rendered = Bun.markdown.ansi(safe, { columns, colors: color, hyperlinks: false })
  return onlyColors(rendered).replace(/^\n+|\s+$/g, "")
}

/** Should the renderer ever let a sequence through that is not a colour, it ends here. */
function onlyColors(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for.
  return text.replace(/\u001b(?!\[[\d;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, "\ufffd")
}
