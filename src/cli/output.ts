import { fstatSync, statSync } from "node:fs"
import { writeStandardError } from "../base/log.ts"
import { harmless } from "./text.ts"

/** Whether they are terminals, asked past Node's streams, which take 2 ms of a start to set up. */
export const output = { isTTY: isTerminal(1) }
export const notes = { isTTY: isTerminal(2) }

/** Files, pipes and /dev/null are no terminals; only for the others is `node:tty` loaded, which takes 3 ms. */
function isTerminal(descriptor: number): boolean {
  const found = fstatSync(descriptor)
  if (!found.isCharacterDevice()) return false
  const nowhere = statSync("/dev/null", { throwIfNoEntry: false })
  return found.rdev !== nowhere?.rdev && process.getBuiltinModule("node:tty").isatty(descriptor)
}

type Stream = { isTTY?: boolean; columns?: number }

/** Colour and live drawing are for terminals whose owner did not forbid them. */
export const hasColor = ({ isTTY }: Stream): boolean =>
  isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb"

export const columnsOf = ({ columns }: Stream): number => columns || 80

/** Results go to standard output and nothing else does. Text of others becomes harmless on a terminal. */
export function printResult(text: string): Promise<void> {
  return write(`${output.isTTY ? harmless(text) : text}\n`)
}

export const printJson = (value: unknown): Promise<void> => write(`${JSON.stringify(value)}\n`)

/** Whatever is not the result: hints, warnings, progress. */
export function note(text: string): void {
  writeStandardError(`${harmless(text)}\n`)
}

/**
 * Resolves when the reader has it, so that leaving the process cuts nothing off. A reader that has enough
 * (`weft session list | head`) is no error, and there is nobody left to tell.
 */
export async function write(text: string): Promise<void> {
  try {
    await Bun.write(Bun.stdout, text)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EPIPE") throw thrown
    process.exit(0)
  }
}
