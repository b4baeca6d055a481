import { isatty } from "node:tty"
import { writeStandardError } from "../base/log.ts"
import { harmless } from "./text.ts"

/** Whether they are terminals, asked past Node's streams, which take 2 ms of a start to set up. */
export const output = { isTTY: isatty(1) }
export const notes = { isTTY: isatty(2) }

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
