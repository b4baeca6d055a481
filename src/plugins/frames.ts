/**
 * What the gateway and a runner say to each other: frames of
 * `u32 payload bytes | u8 kind | u32 header bytes | header (JSON object, UTF-8) | body`, little-endian.
 * Neither side trusts the other: a length that is too large is refused before anything is held for it.
 */

/** Of the whole protocol; the sender is said by the half: below 16 the gateway, from 16 on the runner. */
export const kinds = {
  /** The prepared module as the body; header `Load`. Once, answered by `loaded` or `failed`. */
  load: 1,
  /** The input as the body; header `Call`. Answered by `done` or `failed`, after any number of `host`. */
  call: 2,
  /** What a host function answers: its result as the body; header `Answer`. */
  answer: 3,
  /** The runner has put up its walls and reads; header `Ready`. */
  ready: 16,
  loaded: 17,
  /** A host function is called and waited for: its argument as the body; header `Host`. */
  host: 18,
  /** The output as the body; header `Done`. */
  done: 19,
  /** Header `Failed`. */
  failed: 20,
} as const

export type Kind = keyof typeof kinds

export type Load = { engine: "reactor" | "wasmer"; output_bytes_max: number; memory_pages_max: number }

/** A call of one export, or of a program. */
export type Call = {
  /** The export of a reactor; "" for a program. */
  function: string
  env: Record<string, string>
  /** For a program: its arguments without its own name. Its standard input is the body. */
  args?: string[]
  /** For a program: the folders that are put into its file system, whole. */
  folders?: Folder[]
}

/** A folder with all that is in it. Paths are relative to it; the bytes are base64. */
export type Folder = { path: string; writable: boolean; files: Record<string, string> }

/** `error` is one of `host_errors` where the function failed, 0 where the body is its result. */
export type Answer = { error: number }
/** The walls that this system did not give, each with the reason. */
export type Ready = { missing: string[] }
export type Host = { function: string }
export type Done = {
  /** What it wrote to standard error, and a reactor to standard output; at most 64 KiB each. */
  stdout: string
  stderr: string
  exit_code?: number
  /** The writable folders as a program left them. */
  folders?: Folder[]
}
export type Failed = { kind: FailureKind; message: string; stdout: string; stderr: string }

/** Why a call has no output. The first seven are said by a runner, the others about one. */
export type FailureKind =
  | "compile"
  | "instantiate"
  | "trap"
  | "exit"
  | "abi"
  | "output"
  | "memory"
  | "time"
  | "crash"
  | "protocol"
  | "host_calls"
  | "aborted"

/** What a guest's import returns where it has no result. Part of the plugin ABI, version 1. */
export const host_errors = {
  /** The plugin was not granted that, or the agent's rules do not allow it. */
  denied: -1,
  not_found: -2,
  /** The argument makes no sense. */
  invalid: -3,
  too_large: -4,
  /** It was tried and failed. `take_result` has no message then; the gateway's log has it. */
  failed: -5,
  /** There is no such function. */
  unknown: -6,
} as const

export type HostError = keyof typeof host_errors

export type Frame = { kind: Kind; header: Record<string, unknown>; body: Uint8Array }
