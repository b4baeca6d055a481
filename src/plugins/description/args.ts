/**
 * The command line of a program that knows nothing of Weft, from its manifest's words and a call's input.
 * `{field}` within a word is replaced by that field; `{{field}}` stands for the text `{field}`. Nothing is ever split:
 * a word stays one word, whatever is put into it, and there is no shell.
 */
import { AppError } from "../../base/errors.ts"

const holes = /\{\{([\w.-]+)\}\}|\{([\w.-]+)\}/g

/** The names of the holes in a word that are none of `fields`. */
export const unfilledHoles = (word: string, fields: readonly string[]): string[] =>
  [...word.matchAll(holes)].flatMap(([, , field]) =>
    field === undefined || fields.includes(field) ? [] : [field],
  )

/**
 * The words for an input that its schema has accepted. Texts are put in as they are, numbers and truth values as they
 * read, anything else as JSON. A word with a hole whose field is missing or null is left out, so that an option and its
 * value belong into one word ("--count={count}"). A word that begins with a hole may not come to begin with "-", as the
 * program would take it for an option, unless "--" stands before it. Throws AppError invalid_params, as NUL cannot
 * stand in a word.
 */
export function fillArgs(args: readonly string[], input: Record<string, unknown>): string[] {
  const options_end = args.indexOf("--")
  return args.flatMap((word, index) => {
    const filled = fillWord(word, input)
    if (filled === undefined) return []
    const after_options = options_end !== -1 && index > options_end
    const [, , first] = new RegExp(`^(?:${holes.source})`).exec(word) ?? []
    if (first !== undefined && filled.startsWith("-") && !after_options) {
      throw refuse(first, 'a text that does not begin with "-", which the program would take for an option')
    }
    return [filled]
  })
}

function fillWord(word: string, input: Record<string, unknown>): string | undefined {
  let is_missing = false
  const filled = word.replace(holes, (_, literal?: string, field?: string) => {
    if (field === undefined) return `{${literal}}`
    const value = Object.hasOwn(input, field) ? toText(input[field]) : undefined
    if (value?.includes("\0")) throw refuse(field, "a text without NUL characters")
    is_missing ||= value === undefined
    return value ?? ""
  })
  return is_missing ? undefined : filled
}

/** As a word or standard input has it; undefined for what is missing. */
export function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === "string") return value
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

const refuse = (field: string, expected: string): AppError =>
  new AppError("invalid_params", { path: `/${field}`, expected })
