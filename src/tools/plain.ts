/** Elements whose content is no text of the page. */
const silent = /^(script|style|noscript|template|svg|head|iframe|object)$/
/** Elements that do not end a line. */
const inline =
  /^(a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|img|input|ins|kbd|label|mark|q|s|samp|small|span|strong|sub|sup|time|tt|u|var|wbr)$/
const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " }

/**
 * The text of an HTML page, without links and structure: one pass from left to right, for pages that are too big or
 * too strange for a parser. Takes time in proportion to the length, whatever it is fed.
 */
export function toPlain(html: string): string {
  const tag = /<!--|<[/!?]?([a-z][a-z0-9-]{0,31})?/gi
  const ends = new Map<string, RegExp>()
  const parts: string[] = []
  let at = 0
  for (let found = tag.exec(html); found; found = tag.exec(html)) {
    const [start, name = ""] = found
    // A "<" by itself is text.
    if (start === "<") continue
    parts.push(html.slice(at, found.index))
    const lower = name.toLowerCase()
    if (!inline.test(lower)) parts.push("\n")
    at = endOf(html, found.index, start)
    if (silent.test(lower) && start[1] !== "/") {
      const end = ends.get(lower) ?? new RegExp(`</${lower}`, "gi")
      ends.set(lower, end)
      end.lastIndex = at
      at = end.exec(html)?.index ?? html.length
    }
    tag.lastIndex = at
  }
  parts.push(html.slice(at))
  return parts
    .join("")
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi, decode)
    .replace(/[ \t\r\f\v\u00a0]+/g, " ")
    .replace(/ ?\n[ \n]*/g, "\n")
    .trim()
}

/** Where the text goes on after the tag or comment that begins here; one that does not end takes the rest. */
function endOf(html: string, from: number, start: string): number {
  const mark = start === "<!--" ? "-->" : ">"
  const end = html.indexOf(mark, from + start.length)
  return end === -1 ? html.length : end + mark.length
}

function decode(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name) return named[name.toLowerCase()] ?? whole
  const code = Number.parseInt(decimal ?? hex ?? "", decimal ? 10 : 16)
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
}
