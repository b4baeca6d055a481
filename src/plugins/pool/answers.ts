/** What a runner may say, and what becomes of one that says something else. */
import type { Failed, FailureKind, Frame } from "../frames.ts"
import { type Module, PluginFailed } from "../module.ts"
import { type Folder, folder_limits, packed_bytes_max } from "../packing.ts"
import type { Bounds, Process } from "./process.ts"

/** Of a file that a plugin writes, which reaches the host whole. */
export const file_bytes_max = 8_388_608
/** Besides the bytes of a body: names, paths, numbers. */
export const slack_bytes = 65_536
/** Of each of two streams, in characters; in JSON each takes up to six bytes. */
const written_chars_max = 65_536
const header_bytes_max = 12 * written_chars_max + slack_bytes
const message_chars_max = 1000

/** The kinds that a runner may give as the reason why a call has no output. */
const said_by_runners: ReadonlySet<unknown> = new Set<FailureKind>([
  "compile",
  "instantiate",
  "trap",
  "exit",
  "abi",
  "output",
  "memory",
])

/** Of what it says in a call. Only who was given folders has files to write, and to leave behind. */
export function boundsFor({ engine, limits }: Module, folders: readonly Folder[] = []): Bounds {
  const has_files = engine === "reactor" && folders.length > 0
  const leaves_files = engine === "wasmer" && folders.some(({ writable }) => writable)
  const body = Math.max(limits.output_bytes_max, has_files ? file_bytes_max : 0) + slack_bytes
  if (!leaves_files) return { frame_bytes_max: header_bytes_max + body, header_bytes_max }
  const header = header_bytes_max + packed_bytes_max
  return { frame_bytes_max: header + body + folder_limits.bytes, header_bytes_max: header }
}

export function failureOf({ header }: Frame, process: Process, plugin: string): PluginFailed {
  const { kind, message, stderr } = header as Partial<Failed>
  if (!kind || !said_by_runners.has(kind) || typeof message !== "string") {
    return broken(process, "a failure without a reason")
  }
  const text = message.slice(0, message_chars_max).toWellFormed()
  return new PluginFailed(kind, `The plugin "${plugin}" failed: ${text}.`, toWritten(stderr, process))
}

export function toWritten(text: unknown, process: Process): string {
  if (typeof text !== "string" || text.length > written_chars_max) throw broken(process, "no text")
  return text
}

export const outOfOrder = ({ kind }: Frame, process: Process): PluginFailed =>
  broken(process, `"${kind}" out of its turn`)

export function broken(process: Process, what: string): PluginFailed {
  const failure = new PluginFailed("protocol", `The plugin's process broke the protocol: ${what}.`)
  process.kill(failure)
  return failure
}
