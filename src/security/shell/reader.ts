/** How the words of a program that runs others are read: what all readers have in common. */

import { isHarmlessVariable } from "./builtins.ts"
import type { Words } from "./shell.ts"

export type Unwrapped = {
  /** What it runs besides itself. */
  commands: Words[]
  /** Strings that it hands to a shell, and which shell. */
  shells?: { text: string; shell: string }[]
  opaque?: string
  /** A file that it would run, as it was written. */
  script?: string
  /** A name of its own that it would run, or else the program of that name. */
  name?: string
}

export const refused = (opaque: string): Unwrapped => ({ commands: [], opaque })

export type Options = {
  /** Options without a value; the single letters may be put together. */
  flags?: string[]
  /** Options with one, in the next word or the same ("-n5", "--name=5"). */
  values?: string[]
  /** Words of its own before the command. */
  own?: number
  /** NAME=value before the command. */
  variables?: true
}

/** For a program whose words are: options, its own words, then a command. An option that is not listed is not read. */
export function launcher({ flags = [], values = [], own = 0, variables }: Options) {
  return (args: Words, name: string): Unwrapped => {
    let at = 0
    for (; at < args.length; at++) {
      const word = args[at]
      if (word === null || word === undefined) return refused(`what ${name} would run is not known`)
      if (word === "--") {
        at++
        break
      }
      if (!word.startsWith("-") || word === "-") break
      if (flags.includes(word)) continue
      const value = values.find(
        (one) => word === one || word.startsWith(one.startsWith("--") ? `${one}=` : one),
      )
      if (value === undefined) return refused(`an option of ${name} is not understood`)
      if (value !== word) continue
      at++
      if (args[at] === null) return refused(`what ${name} would run is not known`)
    }
    for (const end = at + own; at < end; at++) {
      if (args[at] === null) return refused(`what ${name} would run is not known`)
    }
    for (; variables && /^\w+=/.test(args[at] ?? ""); at++) {
      const [variable = ""] = args[at]!.split("=", 1)
      if (!isHarmlessVariable(variable))
        return refused(`${name} sets ${variable}, which may change what programs do`)
    }
    return inner(args.slice(at), name)
  }
}

/** A command within another one's words. */
export function inner(words: Words, name: string): Unwrapped {
  if (words.length === 0) return { commands: [] }
  const [program] = words
  if (program === null || program === undefined || program.startsWith("-") || program.includes("=")) {
    return refused(`what ${name} would run is not known`)
  }
  return { commands: [words] }
}
