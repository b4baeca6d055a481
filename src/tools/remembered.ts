/** How tools show what is remembered. */
import type { MemorySearched, Remembered } from "./tool.ts"

/** Of one of them: a model that wants more asks for more. */
const text_chars_max = 1200

export function toLine(item: Remembered & { why?: readonly string[] }): string {
  const { id, text, who, is_trusted, created_ms, session_key, tags, why = [] } = item
  const when = new Date(created_ms).toISOString().slice(0, 16).replace("T", " ")
  const place = session_key === null ? "" : ` in ${session_key}`
  const told = tags.map((tag) => `#${tag}`)
  // Tags are words of whoever added it, as the text is.
  const notes = [...why, ...(is_trusted ? told : [])].join(", ")
  const flat = toFlat(text)
  const cut = flat.length > text_chars_max ? `${flat.slice(0, text_chars_max).toWellFormed()}…` : flat
  const shown = is_trusted ? cut : `(untrusted) ${[cut, ...told].join(" ")}`
  return toFlat(`[${id}] ${when} ${who}${place}${notes && ` (${notes})`}: ${shown}`)
}

/** Nothing in it begins another line, or is seen by nobody but a model. */
const toFlat = (text: string): string =>
  text
    .replace(/(?![\u200c\u200d])[\p{Cf}\p{Cs}\p{Co}\p{DI}]/gu, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()

const count = new Intl.NumberFormat("en")

/** What was looked at and how, and what could not be: nothing found means something only then. */
export function toAccount({ rows, words_matched, vectors, pending, warnings }: MemorySearched): string {
  const by_meaning = vectors.map(
    ({ index, looked_at }) => `${count.format(looked_at)} compared by meaning (${index})`,
  )
  const how = [`words matched in ${count.format(words_matched)}`, ...by_meaning].join(", ")
  const late = pending > 0 ? ` ${count.format(pending)} messages are not indexed yet.` : ""
  const wrong = warnings.map((warning) => ` Warning: ${warning}.`).join("")
  return `Searched ${count.format(rows)} rows: ${how}.${late}${wrong}`
}
