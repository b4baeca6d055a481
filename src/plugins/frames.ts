/**
 * What the gateway and a runner say to each other: frames of
 * `u32 payload bytes | u8 kind | u32 header bytes | header (JSON object, UTF-8) | body`, little-endian, where the payload
 * is all that comes after its length. Neither side trusts the other: a length that is too large is refused before
 * anything is held for it.
 */

import { isBeyond } from "../base/depth.ts"
import type { PackedFolder } from "./packing.ts"

/** Of the whole protocol; the sender is said by the half: below 16 the gateway, from 16 on the runner. */
export const kinds = {
  /** The prepared module as the body; header `Load`. Once, answered by `loaded` or `failed`. */
  load: 1,
  /** The input as the body, and after it what is in `folders`; header `Call`. Answered by `done` or `failed`, after any number of `host`. */
  call: 2,
  /** What a host function answers: its result as the body; header `Answer`. */
  answer: 3,
  /** The runner has put up its walls and reads; header `Ready`. */
  ready: 16,
  loaded: 17,
  /** A host function is called and waited for: its argument as the body; header `Host`. */
  host: 18,
  /** The output as the body, and after it what is in `folders`; header `Done`. */
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
  /**
   * For a program: the folders that are put into its file system, whole. For a reactor: those that it was granted, by the
   * path that the grant writes and without what is in them, which it gets by `FileArgument`.
   */
  folders?: PackedFolder[]
  /** Of the body, where there are `folders`: what comes before their files. */
  input_bytes?: number
}

/**
 * What a reactor's file calls ask of the host, by the functions
 * - fs_read: gives the file's bytes, at most `file_bytes_max`
 * - fs_write: makes the file of the bytes, or replaces it as a whole
 * - fs_list: gives a JSON list of `FileEntry`
 * - fs_stat: gives a JSON `FileStat`
 *
 * Their argument is `u32 json bytes (little-endian) | FileArgument as JSON | bytes`.
 */
export type FileArgument = {
  /** A granted folder, as the grant writes it. */
  folder: string
  /** Relative to it, without "." and ".."; "" for the folder itself. */
  path: string
}
export type FileEntry = { name: string; type: FileType }
export type FileStat = { type: FileType; size_bytes: number; modified_ms: number }
export type FileType = "file" | "folder" | "other"

export const file_bytes_max = 8 << 20

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
  /** The writable folders with what a program made or changed in them. */
  folders?: PackedFolder[]
  /** Of the body, where there are `folders`: what comes before their files. */
  output_bytes?: number
  /** It has taken memory that it cannot give back, and is to be called no more. */
  is_spent?: boolean
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

/** What came is no frame of the other side. Whoever sent it is not to be read any further. */
export class FrameError extends Error {
  override name = "FrameError"
}

/** More than a runner's header ever has; so many are parsed in a millisecond or two. */
const values_max = 10_000
const depth_max = 8
/** Of kinds that say little and come by thousands. */
const short_headers: readonly Kind[] = ["loaded", "host"]
const short_header_bytes_max = 4096

/** Of a payload: the kind and the length of its header. */
const fixed_bytes = 5
const length_bytes = 4
const from_runner = 16

export function encodeFrame(kind: Kind, header: object, body?: Uint8Array): Uint8Array {
  const body_bytes = body?.length ?? 0
  const frame = encodeStart(kind, header, body_bytes, body_bytes)
  if (body) frame.set(body, frame.length - body_bytes)
  return frame
}

/** All that comes before a body of `body_bytes`, and `room` for that many of them. */
export function encodeStart(kind: Kind, header: object, body_bytes: number, room = 0): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const payload = fixed_bytes + text.length + body_bytes
  const start = Buffer.allocUnsafe(length_bytes + fixed_bytes + text.length + room)
  start.writeUInt32LE(payload, 0)
  start[length_bytes] = kinds[kind]
  start.writeUInt32LE(text.length, length_bytes + 1)
  text.copy(start, length_bytes + fixed_bytes)
  return start
}

export type Decoder = {
  /** Takes what came, in pieces of any size. `next` is to be asked until it has nothing before the next piece. */
  push(chunk: Uint8Array): void
  /** The next whole frame, with bytes of its own. Throws FrameError, and from then on always. */
  next(): Frame | undefined
  /** Whether nothing of a further frame has come. */
  isEmpty(): boolean
}

/**
 * Reads frames of `sender`. A payload has at most `bytes_max` bytes, a header `header_bytes_max` of them; no more than
 * that and one piece is held at any time. A header is read as soon as it has come; only then is there room for the
 * body, once and for all of it.
 */
export function openDecoder(
  bytes_max: number,
  sender: "gateway" | "runner",
  header_bytes_max = bytes_max,
): Decoder {
  const names = new Map(
    Object.entries(kinds)
      .filter(([, number]) => number >= from_runner === (sender === "runner"))
      .map(([name, number]) => [number as number, name as Kind]),
  )
  const utf8 = new TextDecoder("utf-8", { fatal: true })
  /** What came before a body, or after it. */
  let held: Buffer = Buffer.alloc(0)
  let start = 0
  let end = 0
  /** The frame whose body is still to come, and how much of that has. Nothing is held then. */
  let coming: Frame | undefined
  let filled = 0
  let failure: FrameError | undefined

  return {
    push(chunk) {
      if (failure) return
      const rest = coming ? fill(coming.body, chunk) : chunk
      if (rest.length === 0) return
      makeRoom(rest.length)
      held.set(rest, end)
      end += rest.length
    },
    next() {
      if (failure) throw failure
      try {
        return take()
      } catch (thrown) {
        if (!(thrown instanceof FrameError)) throw thrown
        failure = thrown
        held = Buffer.alloc(0)
        throw thrown
      }
    },
    isEmpty: () => start === end && !coming,
  }

  /** What is left of the chunk. */
  function fill(body: Uint8Array, chunk: Uint8Array): Uint8Array {
    const wanted = body.length - filled
    body.set(chunk.length <= wanted ? chunk : chunk.subarray(0, wanted), filled)
    filled += Math.min(wanted, chunk.length)
    return chunk.subarray(wanted)
  }

  /** Room for headers grows with what came and not with what was announced. */
  function makeRoom(bytes: number): void {
    const left = end - start
    if (held.length - end >= bytes) return
    const needed = left + bytes
    const room = held.length >= needed ? held : Buffer.allocUnsafe(Math.max(4096, 2 * needed))
    held.copy(room, 0, start, end)
    held = room
    start = 0
    end = left
  }

  function take(): Frame | undefined {
    const frame = coming ?? begin()
    if (!frame || filled < frame.body.length) return undefined
    coming = undefined
    return frame
  }

  /** A frame whose header has come, with as much of its body as has. */
  function begin(): Frame | undefined {
    if (end - start < length_bytes) return undefined
    const payload = held.readUInt32LE(start)
    if (payload < fixed_bytes) throw new FrameError("a frame is too short")
    if (payload > bytes_max) throw new FrameError("a frame is too long")
    if (end - start < length_bytes + fixed_bytes) return undefined
    const kind = names.get(held[start + length_bytes]!)
    if (!kind) throw new FrameError("a frame is of an unknown kind")
    const header_bytes = held.readUInt32LE(start + length_bytes + 1)
    if (header_bytes > payload - fixed_bytes) throw new FrameError("a header is longer than its frame")
    const most = short_headers.includes(kind) ? short_header_bytes_max : header_bytes_max
    if (header_bytes > most) throw new FrameError("a header is too long")
    const at = start + length_bytes + fixed_bytes
    if (end < at + header_bytes) return undefined
    const header = parseHeader(held.subarray(at, at + header_bytes))
    const body = newBytes(payload - fixed_bytes - header_bytes)
    start = at + header_bytes
    filled = Math.min(body.length, end - start)
    body.set(held.subarray(start, start + filled))
    start += filled
    if (start === end) start = end = 0
    if (end === 0 && held.length > kept_bytes) held = Buffer.alloc(0)
    coming = { kind, header, body }
    return coming
  }

  function parseHeader(bytes: Uint8Array): Record<string, unknown> {
    let header: unknown
    try {
      const text = utf8.decode(bytes)
      if (sender === "runner" && isBeyond(text, depth_max, values_max)) {
        throw new FrameError("a header has too many values")
      }
      header = JSON.parse(text)
    } catch (thrown) {
      if (thrown instanceof FrameError) throw thrown
      throw new FrameError("a header is not JSON")
    }
    if (typeof header !== "object" || header === null || Array.isArray(header)) {
      throw new FrameError("a header is not an object")
    }
    return header as Record<string, unknown>
  }
}

/** Of the decoder's room, between frames. */
const kept_bytes = 1 << 18
/** From here on, filling with zeros what is overwritten anyway takes longer than asking for it. */
const unfilled_bytes_min = 4096

const newBytes = (length: number): Uint8Array =>
  length < unfilled_bytes_min ? new Uint8Array(length) : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
