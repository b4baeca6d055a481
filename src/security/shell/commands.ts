/** All that a command would run: what its shell runs, and what the programs in it run in turn. */
import { realpathSync } from "node:fs"
import { unwrap } from "./programs.ts"
import { readShell, type ShellReading, type Words } from "./shell.ts"

export type Found = {
  /** Wrappers and what is in them, in the order in which they were found. */
  programs: FoundProgram[]
  /** Files of redirections, as they were written. */
  writes: string[]
  reads: string[]
  /** Why it cannot be told what its shell would run besides. */
  opaque?: string
  /** It changes its folder, so that relative paths in it may be others than they seem. */
  wanders?: true
  /** Only bash understands it as it was read. */
  bash?: true
  /** The words, where no shell is needed. */
  words?: string[]
}

export type FoundProgram = {
  words: Words
  /** Why it cannot be told what it would run besides. */
  opaque?: string
  /** A file that it would run, as it was written. */
  script?: string
  /** A name of its own that it would run, or else the program of that name. */
  name?: string
}

const depth_max = 8
const programs_max = 256

/** A string is for a shell; a list is a program and its words as they are. */
export async function readCommand(command: string | readonly string[]): Promise<Found> {
  const found: Found = { programs: [], writes: [], reads: [] }
  if (typeof command !== "string") {
    found.words = [...command]
    await addProgram(found, found.words, 0)
    return found
  }
  const reading = await readShell(command)
  if (reading.plain) found.words = reading.commands[0]!.words.map((word) => word!)
  if (reading.bash) found.bash = true
  if (reading.opaque !== undefined) found.opaque = reading.opaque
  await addReading(found, reading, 0)
  return found
}

async function addReading(found: Found, reading: ShellReading, depth: number): Promise<void> {
  found.writes.push(...reading.writes)
  found.reads.push(...reading.reads)
  if (reading.wanders) found.wanders = true
  for (const { words } of reading.commands) await addProgram(found, words, depth)
}

async function addProgram(found: Found, words: Words, depth: number): Promise<void> {
  if (depth > depth_max || found.programs.length >= programs_max) {
    found.opaque ??= "it runs too many programs, or one within another too deeply"
    return
  }
  const { commands, shells = [], opaque, ...runs } = unwrap(words)
  const program: FoundProgram = { words, ...runs }
  found.programs.push(program)
  if (opaque !== undefined) program.opaque = opaque
  for (const inner of commands) await addProgram(found, inner, depth + 1)
  for (const { text, shell } of shells) {
    const reading = await readShell(text)
    const why = reading.opaque ?? (reading.bash && shell !== "bash" ? `it is not for ${shell}` : undefined)
    if (why !== undefined) program.opaque ??= why
    await addReading(found, reading, depth + 1)
  }
}

const bare_word = /^[A-Za-z0-9_\-./:@%+,=^]+$/

/** Words as one would type them; what is not known yet is "…". */
export const toText = (words: Words): string => words.map(toWord).join(" ")

function toWord(word: string | null): string {
  if (word === null) return "…"
  return bare_word.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** Where a path leads, or undefined where nothing is. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}
