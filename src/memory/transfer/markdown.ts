/** The memory files of nanobot and clawft: `MEMORY.md` and `HISTORY.md`. */
import { time_ms_max } from "./row.ts"

export type Noted = {
  text: string
  created_ms: number
  /** Its time is the file's, which changes with whatever else is in it. */
  undated?: true
  fact?: { subject: string; predicate: string; object: string }
}

type Block = { heading: string[]; text: string; is_item: boolean }

/**
 * A note for each item of a list and each paragraph, with the headings that it stands below; a fact where an item is
 * "key: value". Comments, and paragraphs in brackets, which are a template's, say nothing.
 */
export function parseMemoryFile(text: string, created_ms: number): Noted[] {
  return blocksOf(text.replace(/<!--[\s\S]*?-->/g, "")).flatMap(({ heading, text, is_item }) => {
    if (/^[*_]*\(.*\)[*_]*$/s.test(text) || /^-{3,}$/.test(text)) return []
    const said = [...heading, text].join(": ")
    const fact = is_item ? toFact(heading, text) : undefined
    return [{ text: said, created_ms, undated: true, ...(fact && { fact }) }]
  })
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  const heading: string[] = []
  let open: Block | undefined
  for (const line of text.split(/\r?\n/)) {
    const title = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
    const item = /^\s{0,3}(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?(.*)$/.exec(line)
    if (title) {
      // The first level is the file's own title.
      const level = title[1]!.length - 2
      heading.length = Math.max(0, level)
      if (level >= 0) heading[level] = title[2]!
      open = undefined
    } else if (line.trim() === "") open = undefined
    else if (item || !open) {
      open = { heading: heading.filter(Boolean), text: (item?.[1] ?? line).trim(), is_item: item !== null }
      blocks.push(open)
    } else open.text += `\n${line.trim()}`
  }
  return blocks.filter((block) => block.text !== "")
}

/** A key has at most so many letters, or it is a sentence with a colon in it. */
const key_pattern = /^[*_`]*([\p{L}][\p{L}\p{N} '’_-]{0,39}?)[*_`]*\s*[:：][*_`]*\s+([^\n]{1,300})$/u
const about_user = /\b(users?|personal|profile|preferences?|about|identity|contact|long[- ]term memory)\b/i

function toFact(heading: readonly string[], text: string): Noted["fact"] {
  const [, key, value] = key_pattern.exec(text) ?? []
  if (!key || !value || key.split(/\s+/).length > 4) return undefined
  const below = heading.at(-1)
  const subject = below === undefined || about_user.test(below) ? "user" : toWord(below)
  return { subject, predicate: toWord(key), object: value.replace(/^[*_`]+|[*_`]+$/g, "").trim() }
}

const toWord = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "")

/** Paragraphs that begin with "[2026-02-01 14:03]", in the zone of this machine; one without a date has the last one's. */
export function parseHistoryFile(text: string, fallback_ms: number): Noted[] {
  let created_ms = fallback_ms
  let undated: Pick<Noted, "undated"> = { undated: true }
  return text
    .split(/\r?\n\s*\r?\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "" && !/^#{1,6}\s[^\n]*$/.test(paragraph))
    .map((paragraph) => {
      const dated = /^\[(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)\]\s*/.exec(paragraph)
      if (!dated) return { text: paragraph, created_ms, ...undated }
      const said_ms = toTime(`${dated[1]}T${dated[2]}`)
      created_ms = said_ms ?? fallback_ms
      undated = said_ms === undefined ? { undated: true } : {}
      return { text: paragraph.slice(dated[0].length) || paragraph, created_ms, ...undated }
    })
}

/** Undefined where it is no time. Without a zone it is this machine's. */
export function toTime(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined
  const time_ms = new Date(value.trim().replace(" ", "T")).getTime()
  return time_ms >= 0 && time_ms <= time_ms_max ? Math.floor(time_ms) : undefined
}
