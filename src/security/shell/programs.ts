/**
 * Programs that run other programs. What a wrapper runs is taken out of its words, so that a rule for the wrapper does not
 * cover it; where that cannot be told, the command is opaque. The lists say what is known to be safe to read; an option
 * that is in none of them is not read.
 */
import { posix } from "node:path"
import { tools } from "./guarded.ts"
import { launchers, unreadable } from "./launchers.ts"
import { refused, type Unwrapped } from "./reader.ts"
import type { Words } from "./shell.ts"

export function unwrap(words: Words): Unwrapped {
  const [program, ...args] = words
  if (program === null || program === undefined) return { commands: [], opaque: "its program is not known" }
  const name = posix.basename(program)
  if (unreadable.has(name) || unreadable.has(familyOf(name)))
    return refused(`${name} runs what cannot be told from its words`)
  const read = shells.has(name) ? readShellCall(name) : (launchers[name] ?? tools[familyOf(name)])
  return read ? read(args, name) : { commands: [] }
}

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
