/** How far a value reaches after the words that announce it. */
import type { CompiledLanguage } from "./compile.ts"
import type { ValueKind } from "./fact.ts"
import { silence } from "./spoken.ts"

export type Span = { start: number; end: number }

/** No value is longer, in words; where words are not separated, in characters. */
const words_max: Record<ValueKind, number> = {
  name: 4,
  place: 6,
  thing: 7,
  job: 7,
  phrase: 14,
  date: 9,
  number: 5,
  id: 3,
  version: 1,
  rest: 60,
}
const characters_max: Record<ValueKind, number> = {
  name: 8,
  place: 12,
  thing: 16,
  job: 12,
  phrase: 24,
  date: 18,
  number: 14,
  id: 24,
  version: 12,
  rest: 120,
}
const length_max = 400
/** What is shorter says nothing on its own, in any script. */
const clause_chars_min = 8

/** Small words inside of names. */
const particle =
  /^(?:de|del|da|do|dos|das|di|la|le|las|los|el|du|des|van|von|vom|zu|zur|der|den|am|an|im|of|the|bin|al|ibn|ter|sur|sous|upon|&)$/u
const capital = /^[\p{Lu}\p{N}]/u
/** Not inside of a number, a time, a version or a name with a dot. */
const mark = /[.,;:!?…()[\]{}"\n\ue000—–。，、；：！？（）「」]/u
const spaced_dash = /^\s[-–—]\s/

/** The value that begins at `from` and ends before `to` in the user's own words, or undefined where there is none. */
export function takeValue(
  text: string,
  spoken: string,
  { from, to, kind, language }: { from: number; to: number; kind: ValueKind; language: CompiledLanguage },
): Span | undefined {
  let start = from
  while (start < to && /[\s:：,，]/.test(spoken[start]!)) start++
  if (start >= to) return undefined
  if (spoken[start] === silence) return quotedName(text, start, kind)
  if (kind === "rest") return trimmed(spoken, start, Math.min(to, start + length_max))
  const limit = Math.min(to, start + length_max)
  const span = language.is_spaced
    ? takeWords(spoken, start, limit, kind, language)
    : takeCharacters(spoken, start, limit, kind, language)
  // What goes on as a quotation was not taken whole.
  if (!span || (spoken[span.end] === silence && kind !== "name")) return undefined
  return fits(spoken.slice(span.start, span.end), kind, language) ? span : undefined
}

/** The value in front of the words that tell of it: "shellfish" in "…, and shellfish makes me ill". */
export function takeBefore(
  spoken: string,
  { from, to, kind, language }: { from: number; to: number; kind: ValueKind; language: CompiledLanguage },
): Span | undefined {
  const base = Math.max(from, to - 90)
  const end = base + spoken.slice(base, to).replace(/[\s,:–—-]+$/u, "").length
  let start = base
  for (const { index } of spoken.slice(base, end).matchAll(/[.,;:!?…()"\n\ue000—。，；：！？¿¡](?!\d)/gu)) {
    start = base + index + 1
  }
  const piece = spoken.slice(start, end)
  for (const { index, 0: word } of piece.matchAll(language.is_spaced ? /\S+/gu : /./gu)) {
    if (
      index + word.length < piece.length &&
      language.stop.test(piece.slice(index, index + 40).toLowerCase())
    ) {
      start = end - piece.length + index + word.length
    }
  }
  const span = trimmed(spoken, start, end)
  if (!span) return undefined
  const value = spoken.slice(span.start, span.end)
  const named = /(?:(?<=\s)\p{Lu}[\p{L}\p{N}'.-]*(?:\s+|$))+$/u.exec(value)
  if (named && kind !== "version") return trimmed(spoken, span.start + named.index, span.end)
  const count = language.is_spaced ? value.split(/\s+/).length : value.length / 2
  return count > 5 || language.refuse.test(value.toLowerCase()) || !fits(value, kind, language)
    ? undefined
    : span
}

/** All of a piece, where it is long enough to say something and nothing in it is quoted. */
export function takeClause(spoken: string, from: number, to: number): Span | undefined {
  if (to - from > length_max) return undefined
  const span = trimmed(spoken, from, to)
  if (!span || span.end - span.start < clause_chars_min) return undefined
  return spoken.slice(span.start, span.end).includes(silence) ? undefined : span
}

/** A name may stand in quotation marks or as code, where the sentence itself does not: the repo is called `tidewatch`. */
function quotedName(text: string, start: number, kind: ValueKind): Span | undefined {
  if (!["name", "thing", "id", "version"].includes(kind)) return undefined
  const found = /^["“„«「『‘'`]([^"”“»«」』’'`\n]{1,60})["”“»」』’'`]/u.exec(text.slice(start, start + 64))
  if (!found || found[1]!.trim().split(/\s+/).length > 5) return undefined
  return trimmed(text, start + 1, start + 1 + found[1]!.length)
}

function takeWords(
  spoken: string,
  from: number,
  to: number,
  kind: ValueKind,
  language: CompiledLanguage,
): Span | undefined {
  let end = from
  let count = 0
  let is_named = false
  for (let at = from; at < to && count < words_max[kind]; ) {
    const word = wordAt(spoken, at, to)
    if (!word) break
    const plain = spoken.slice(word.start, word.end)
    if (count === 0 && language.refuse.test(spoken.slice(word.start, word.start + 40).toLowerCase()))
      return undefined
    if (count > 0 && language.stop.test(spoken.slice(word.start, word.start + 40).toLowerCase())) break
    // A name in capitals ends with them; the small words inside are only kept where capitals go on.
    const is_capital = capital.test(plain)
    if (count === 0) is_named = is_capital && (kind === "name" || kind === "place")
    if (is_named && !is_capital && !particle.test(plain)) break
    count++
    if (!is_named || is_capital) end = word.end
    at = word.end
    if (word.is_last && !(kind === "date" && goesOn(spoken, word.end, to))) break
    if (word.is_last) at++
  }
  return end > from ? trimmed(spoken, from, end) : undefined
}

/** A date may go on after a comma: "Friday, 14 March", "March 3, 2027". */
const goesOn = (spoken: string, at: number, to: number) =>
  /^,\s*(?:\d|(?:um|at|a las|à) )/u.test(spoken.slice(at, Math.min(to, at + 10)))

function wordAt(spoken: string, from: number, to: number): (Span & { is_last: boolean }) | undefined {
  let start = from
  while (start < to && /\s/.test(spoken[start]!)) {
    if (spoken[start] === "\n" && spoken[start + 1] === "\n") return undefined
    start++
  }
  if (start > from && spaced_dash.test(spoken.slice(start - 1, start + 2))) return undefined
  let end = start
  while (end < to && !/\s/.test(spoken[end]!) && !endsAt(spoken, end)) end++
  if (end === start) return undefined
  return { start, end, is_last: end >= to || !/\s/.test(spoken[end]!) }
}

/** Whether a mark there ends a value: not between digits, inside a name with a dot, or after an ordinal or an initial. */
function endsAt(spoken: string, at: number): boolean {
  const char = spoken[at]!
  if (!mark.test(char)) return false
  if (!".,:".includes(char)) return true
  const before = spoken[at - 1] ?? ""
  const after = spoken[at + 1] ?? ""
  if (/\d/.test(before) && /\d/.test(after)) return false
  if (char !== ".") return true
  if (/[\p{L}\p{N}]/u.test(after)) return false
  const word = /[^\s.]+$/u.exec(spoken.slice(Math.max(0, at - 5), at))?.[0] ?? ""
  const is_short = /^(?:\p{Lu}|St|Dr|Mt|Nr|No|a|p|m|\d{1,2})$/u.test(word)
  return !(is_short && /^\s?[\p{Lu}\p{Ll}]/u.test(spoken.slice(at + 1, at + 3)))
}

function takeCharacters(
  spoken: string,
  from: number,
  to: number,
  kind: ValueKind,
  language: CompiledLanguage,
): Span | undefined {
  if (language.refuse.test(spoken.slice(from, from + 8).toLowerCase())) return undefined
  let end = from
  // Latin letters and digits are one word, however long.
  for (let units = 0; end < to && units < characters_max[kind]; ) {
    if (endsAt(spoken, end) || (end > from && language.stop.test(spoken.slice(end, end + 8).toLowerCase())))
      break
    const is_latin = /[a-z\d]/i.test(spoken[end]!)
    if (!is_latin || !/[a-z\d]/i.test(spoken[end - 1] ?? "")) units++
    end++
  }
  return trimmed(spoken, from, end)
}

function trimmed(spoken: string, from: number, to: number): Span | undefined {
  const piece = spoken.slice(from, to)
  const start = from + piece.length - piece.replace(/^[\s,;:'*_-]+/u, "").length
  const end = from + piece.replace(/[\s,;:.!?。！？，'*_-]+$/u, "").length
  return end > start ? { start, end } : undefined
}

/** A time of day, a day in figures, an ordinal: not any number. */
const timed =
  /\d[:.h]\d\d(?!\d)|\d\s?(?:am|pm|uhr|h)\b|\b\d{1,2}[./-]\d{1,2}(?!\d)|\d{4}-\d\d|\d(?:st|nd|rd|th|\.(?!\d)|º|er)(?![\p{L}])/iu

function fits(value: string, kind: ValueKind, language: CompiledLanguage): boolean {
  if (value.includes(silence)) return false
  const words = value.split(/\s+/).length
  switch (kind) {
    case "name":
      return /\p{L}/u.test(value) && (capital.test(value) || words <= 2)
    case "date":
      return timed.test(value) || language.dated.test(value.toLowerCase())
    case "number":
      return /[\d一二三四五六七八九十百千万两]/.test(value)
    case "id":
      return /\d/.test(value) || words === 1
    case "version":
      return /^v?\d+\.\d/i.test(value)
    default:
      return /[\p{L}\p{N}]/u.test(value)
  }
}
