import { writeSync } from "node:fs"

export type Level = "debug" | "info" | "warn" | "error"

const ranks: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }
/** A field longer than this is cut, so that no stranger's header can fill a disk. */
const field_chars_max = 512

export type Log = Record<Level, (message: string, fields?: Record<string, unknown>) => void>

/**
 * One JSON object a line on standard error. The message is a constant sentence; values go into fields, where
 * control characters are escaped. Levels below `least` cost one comparison.
 */
export function openLog(least: Level, write: (line: string) => void): Log {
  const at =
    (level: Level) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (ranks[level] < ranks[least]) return
      const line = JSON.stringify({ at: new Date().toISOString(), level, message, ...fields }, cut)
      write(`${line.replace(unescaped, toEscape)}\n`)
    }
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }
}

/**
 * Writes past Node's streams, which take 2 ms of a start to set up. A reader that is gone loses lines, as does a full
 * one where the descriptor does not block. Behind a blocking pipe (a shell's, most supervisors') a reader that stops
 * reading stops the gateway once the pipe's 64 KiB are full.
 */
export function writeStandardError(line: string): void {
  try {
    writeSync(2, line)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== "EAGAIN" && code !== "EPIPE") throw thrown
  }
}

export const isLevel = (text: string): text is Level => Object.hasOwn(ranks, text)

/** The control characters that JSON leaves as they are; some terminals obey them. */
const unescaped = /[\u007f-\u009f]/g
const toEscape = (character: string) => `\\u00${character.charCodeAt(0).toString(16)}`

const cut = (_key: string, value: unknown) =>
  typeof value === "string" && value.length > field_chars_max ? `${value.slice(0, field_chars_max)}…` : value
