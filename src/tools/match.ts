import { cutText } from "./text.ts"

export type Edit = { old_text: string; new_text: string; all?: boolean }
/** A stretch of the text and what takes its place; UTF-16 units. */
export type Change = { start: number; end: number; text: string; edit_index: number }

const lines_shown_max = 10
const similar_max = 3
/** Some 20 ms of the gateway's time. */
const compared_letters_max = 400_000
const compared_lines_max = 20_000
const compared_length_max = 200
/** The changes of one call; each is an object until it is written. */
const changes_max = 100_000

/**
 * Where the edits apply in the text as it is, in order, all of them or an Error that says what is wrong with one. Each is
 * matched against the whole original; none may reach into another. Line endings of an edit follow the text's.
 */
export function findChanges(text: string, edits: readonly Edit[]): Change[] {
  const changes: Change[] = []
  const ending = endingOf(text)
  for (const [i, edit] of edits.entries()) {
    const found = changesOf(text, ending, edit, i, edits.length > 1 ? `Edit ${i + 1}: ` : "")
    for (const change of found) changes.push(change)
    if (changes.length > changes_max)
      throw new Error(`That is more than ${changes_max} replacements; use exec. Nothing was written.`)
  }
  changes.sort((a, b) => a.start - b.start)
  for (const [i, { start, edit_index }] of changes.entries()) {
    const before = changes[i - 1]
    if (before && before.end > start) {
      const [one, other] = [before.edit_index + 1, edit_index + 1].sort((a, b) => a - b)
      throw new Error(
        `Edits ${one} and ${other} overlap on line ${lineAt(text, start)}; make one of them. Nothing was written.`,
      )
    }
  }
  return changes
}

export function applyChanges(text: string, changes: readonly Change[]): string {
  const parts: string[] = []
  let at = 0
  for (const { start, end, text: added } of changes) {
    parts.push(text.slice(at, start), added)
    at = end
  }
  return parts.join("") + text.slice(at)
}

/** What ends the lines of a text. One with both kinds is matched as it is first; a pure one is given no other. */
const endingOf = (text: string): "lf" | "crlf" | "mixed" =>
  !text.includes("\r\n") ? "lf" : /(?<!\r)\n/.test(text) ? "mixed" : "crlf"

function changesOf(
  text: string,
  ending: ReturnType<typeof endingOf>,
  { old_text, new_text, all }: Edit,
  edit_index: number,
  label: string,
): Change[] {
  if (old_text === "")
    throw new Error(`${label}old_text is empty; write_file makes or replaces a whole file.`)
  if (!old_text.isWellFormed() || !new_text.isWellFormed())
    throw new Error(`${label}old_text or new_text holds half of a character. Nothing was written.`)
  if (old_text === new_text) throw new Error(`${label}old_text and new_text are the same.`)
  const [as_is, as_crlf] = [
    { old: old_text, new: new_text },
    { old: toCrlf(old_text), new: toCrlf(new_text) },
  ]
  let used = ending === "crlf" ? as_crlf : as_is
  let starts = placesOf(text, used.old)
  if (starts.length === 0 && ending === "mixed" && as_crlf.old !== old_text) {
    used = as_crlf
    starts = placesOf(text, used.old)
  }
  if (starts.length === 0) throw new Error(`${label}${toMissing(text, old_text)}`)
  // "aa" is in "aaa" twice as well, and which was meant is not for us to choose.
  if (starts.length === 1 && !all) {
    const again = text.indexOf(used.old, starts[0]! + 1)
    if (again !== -1) starts.push(again)
  }
  if (starts.length > 1 && !all) throw new Error(`${label}${toAmbiguous(text, starts)}`)
  return starts.map((start) => ({ start, end: start + used.old.length, text: used.new, edit_index }))
}

const toCrlf = (text: string): string => text.replace(/\r?\n/g, "\r\n")

function placesOf(text: string, wanted: string): number[] {
  const starts: number[] = []
  let at = text.indexOf(wanted)
  for (; at !== -1 && starts.length <= changes_max; at = text.indexOf(wanted, at + wanted.length))
    starts.push(at)
  return starts
}

function toAmbiguous(text: string, starts: number[]): string {
  const lines: number[] = []
  let [line, from] = [1, 0]
  for (const start of starts.slice(0, lines_shown_max)) {
    line += newlinesIn(text, from, start)
    from = start
    lines.push(line)
  }
  const more = starts.length > lines.length ? " and more" : ""
  const count = starts.length > changes_max ? `more than ${changes_max}` : starts.length
  return `old_text occurs ${count} times, on lines ${lines.join(", ")}${more}; add lines around it, or say all. Nothing was written.`
}

const lineAt = (text: string, place: number): number => 1 + newlinesIn(text, 0, place)

export function newlinesIn(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) count++
  return count
}

function toMissing(text: string, old_text: string): string {
  const similar = similarLines(text, old_text)
  const hint =
    similar.length > 0 ? ` The most similar lines:\n${similar.join("\n")}` : " No line is similar to it."
  return `old_text does not occur; it must be exact, white space included. Nothing was written.${hint}`
}

/** The lines that are most like the longest line of what was looked for, as "12: text". */
function similarLines(text: string, old_text: string): string[] {
  const longest = old_text
    .split("\n")
    .map(toComparable)
    .reduce((best, line) => (line.length > best.length ? line : best), "")
  if (longest === "") return []
  const wanted = pairsOf(longest)
  let letters_left = compared_letters_max
  const score = (line: string): number => {
    const other = toComparable(line)
    // With twice as many letters more or fewer there cannot be enough in common.
    if (other.length > 3 * longest.length || longest.length > 3 * other.length || letters_left < 0) return 0
    letters_left -= other.length
    return likeness(wanted, pairsOf(other))
  }
  return text
    .split("\n", compared_lines_max)
    .map((line, i) => ({ line, i, score: score(line) }))
    .filter(({ score }) => score > 0.5)
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .slice(0, similar_max)
    .map(({ line, i }) => `${i + 1}: ${cutText(line.replace(/\r$/, ""), compared_length_max)}`)
}

const toComparable = (line: string): string => line.slice(0, compared_length_max).trim().replace(/\s+/g, " ")

function pairsOf(line: string): Map<string, number> {
  const pairs = new Map<string, number>()
  for (let i = 0; i < Math.max(1, line.length - 1); i++) {
    const pair = line.slice(i, i + 2)
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
  }
  return pairs
}

/** The share of pairs of neighbouring letters that two lines have in common (Dice), 0 to 1. */
function likeness(a: Map<string, number>, b: Map<string, number>): number {
  let [common, all] = [0, 0]
  for (const [pair, count] of a) {
    common += Math.min(count, b.get(pair) ?? 0)
    all += count
  }
  for (const count of b.values()) all += count
  return (2 * common) / all
}
