/** What a shell string would run, as far as the text tells; what it does not tell makes it opaque. */

export type Words = (string | null)[]

export type ShellReading = {
  /** In the order of the text. A word is null where only the run shows what it is, and how many words. */
  commands: { words: Words }[]
  /** Files of redirections, as they were written. */
  writes: string[]
  reads: string[]
  /** Why it cannot be told what would run. What is in `commands` would still run, but maybe not only that. */
  opaque?: string
  /** One command without anything of the shell's, which can be run without one. */
  plain?: true
  /** Only bash understands it as it was read. */
  bash?: true
  /** It changes its folder, so that relative paths in it may be others than they seem. */
  wanders?: true
}

export const shell_chars_max = 65_536

/** A command of words that no shell changes, in quotes or without. No tilde, brace, wildcard, escape or assignment. */
const plain_word = /(?:[A-Za-z0-9_\-./:@%+,=^]|'[^']*'|"[^"$`\\!]*")+/y
const plain_gap = /[ \t]+/y

export async function readShell(text: string): Promise<ShellReading> {
  const nothing = { commands: [], writes: [], reads: [] }
  if (text.length > shell_chars_max)
    return { ...nothing, opaque: `it is longer than ${shell_chars_max} characters` }
  // Blanks in some locales, line ends in some shells, and what no person sees.
  if (/[^\P{C}\n\t]|(?! )\p{Z}/u.test(text)) {
    return { ...nothing, opaque: "it has control characters or blanks that are not the space" }
  }
  const words = toPlainWords(text)
  if (words) return { ...nothing, commands: [{ words }], plain: true }
  const joined = joinLines(text)
  if (joined === undefined)
    return { ...nothing, opaque: "a backslash ends a line where that may mean two things" }
  const { readInThread } = await import("./thread.ts")
  return (await readInThread(joined)) ?? { ...nothing, opaque: "it is too much to read" }
}

function toPlainWords(text: string): string[] | undefined {
  const words: string[] = []
  const trimmed = text.replace(/^[ \t\n]+/, "").trimEnd()
  for (let at = 0; at < trimmed.length; ) {
    plain_word.lastIndex = at
    const [word] = plain_word.exec(trimmed) ?? []
    if (word === undefined) return undefined
    words.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"))
    plain_gap.lastIndex = at += word.length
    const gap = plain_gap.exec(trimmed)?.[0].length ?? 0
    if (gap === 0 && at < trimmed.length) return undefined
    at += gap
  }
  const [program] = words
  if (program === undefined || program === "" || program.includes("=")) return undefined
  return of_the_shell.has(program) || unlike_programs.has(program) ? undefined : words
}

/** A shell takes a backslash and the line end after it away, but not within single quotes and comments. */
function joinLines(text: string): string | undefined {
  if (!text.includes("\\\n")) return text
  return /'|#|<<|\\\\\n/.test(text) ? undefined : text.replaceAll("\\\n", "")
}

/** Words that are the shell's own grammar where a program's name is expected. */
export const reserved = new Set(
  "! { } [[ ]] (( )) case coproc do done elif else esac fi for function if in select then until while".split(
    " ",
  ),
)

/** Builtins that can do more than the programs of their names. A shell within a command runs the builtin. */
const unlike_programs = new Set(["printf", "test"])

/** Builtins that are no programs, or not the same ones; a command of them needs a shell. */
export const of_the_shell = new Set([
  ...reserved,
  ...". : [ alias bg bind break builtin caller cd chdir command compgen complete compopt continue declare dirs".split(
    " ",
  ),
  ...".. disown enable eval exec exit export fc fg getopts hash help history jobs let local logout".split(
    " ",
  ),
  ...(
    "mapfile popd pushd read readarray readonly return set shift shopt source suspend time times trap type " +
    "typeset ulimit umask unalias unset wait"
  ).split(" "),
])
