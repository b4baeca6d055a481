import { harmless } from "./text.ts"

type Stream = { isTTY?: boolean; columns?: number }

/** Colour and live drawing are for terminals whose owner did not forbid them. */
export const hasColor = ({ isTTY }: Stream): boolean =>
  isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb"

export const columnsOf = ({ columns }: Stream): number => columns || 80

/** Results go to standard output and nothing else does. Text of others becomes harmless on a terminal. */
export function printResult(text: string): Promise<void> {
  return write(`${process.stdout.isTTY ? harmless(text) : text}\n`)
}

export const printJson = (value: unknown): Promise<void> => write(`${JSON.stringify(value)}\n`)

/** Whatever is not the result: hints, warnings, progress. */
export function note(text: string): void {
  process.stderr.write(`${harmless(text)}\n`)
}

/** Resolves when the reader has it, so that leaving the process cuts nothing off. */
export function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}
