/**
 * Programs that run other programs. What a wrapper runs is taken out of its words, so that a rule for the wrapper does not
 * cover it; where that cannot be told, the command is opaque. The lists say what is known to be safe to read; an option
 * that is in none of them is not read.
 */
import { posix } from "node:path"
import { launchers, unreadable } from "./programs-launchers.ts"
import { tools } from "./programs-tools.ts"
import type { Words } from "./shell.ts"
import { isHarmlessVariable } from "./shell-builtins.ts"

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

export function unwrap(words: Words): Unwrapped {
  const [program, ...args] = words
  if (program === null || program === undefined) return { commands: [], opaque: "its program is not known" }
  const name = posix.basename(program)
  if (unreadable.has(name) || unreadable.has(familyOf(name)))
    return refused(`${name} runs what cannot be told from its words`)
  const read = shells.has(name) ? readShellCall(name) : (launchers[name] ?? tools[familyOf(name)])
  return read ? read(args, name) : { commands: [] }
}

export const refused = (opaque: string): Unwrapped => ({ commands: [], opaque })

/** "python3.11" and "gcc-12" are read like "python" and "gcc". */
const familyOf = (name: string): string => name.replace(/-?[\d.]+$/, "") || name

const shells = new Set(["sh", "bash", "dash", "ash", "rbash", "bash-static", "static-sh"])

function readShellCall(shell: string) {
  return (args: Words): Unwrapped => {
    let strings = false
    let at = 0
    for (; at < args.length; at++) {
      const word = args[at]!
      if (word === null) return refused(`what ${shell} would run is not known`)
      if (/^-[eux]*c[eux]*$/.test(word)) strings = true
      else if (!/^-[eux]+$/.test(word)) break
    }
    const first = args[at]
    if (first === undefined || first === null || /^[-+]/.test(first)) {
      return refused(`what ${shell} would run is not known`)
    }
    return strings ? { commands: [], shells: [{ text: first, shell }] } : { commands: [], script: first }
  }
}

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
