import type { Call } from "../frames.ts"
import { type Descriptor, type FileDescriptor, keepText, openDescriptors } from "./descriptors.ts"
import { type AskHost, GuestFailed } from "./engine.ts"
import { type GuestFiles, openFiles } from "./files.ts"
import { bytesAt, type Guest, putU32, putU64, vectorsAt, viewAt } from "./guest.ts"
import { errno, file_types, type WasiCall, WasiError } from "./preview1.ts"
import { pathCalls } from "./wasi-paths.ts"

export type Wasi = {
  find(name: string): (...words: (number | bigint)[]) => number
  stdout(): string
  stderr(): string
  files: GuestFiles
}

const clocks = { realtime: 0, monotonic: 1 }
const rights = { read: 1n << 1n, seek: 1n << 2n, tell: 1n << 5n, write: 1n << 6n }
const every_right = (1n << 30n) - 1n
/** Of WebCrypto, for one call. */
const random_bytes_max = 65536

/**
 * WASI preview 1 for one call of a reactor: no arguments, an empty standard input, no sockets, and of files what the
 * host gives. Every number comes from the guest and may be anything.
 */
export function openWasi(guest: Guest, call: Pick<Call, "env" | "folders">, ask: AskHost): Wasi {
  const [stdout, stderr] = [keepText(), keepText()]
  const files = openFiles(call.folders ?? [], ask)
  const descriptors = openDescriptors(files, stdout, stderr)
  const calls: Record<string, WasiCall> = {
    ...listCalls("args", guest, []),
    ...listCalls(
      "environ",
      guest,
      Object.entries(call.env).map(([name, value]) => Buffer.from(`${name}=${value}\0`)),
    ),
    ...clockCalls(guest),
    ...pathCalls(guest, descriptors, files),
    random_get(at: number, length: number) {
      const bytes = bytesAt(guest, at, length) as Uint8Array<ArrayBuffer>
      for (let start = 0; start < length; start += random_bytes_max) {
        crypto.getRandomValues(bytes.subarray(start, start + random_bytes_max))
      }
    },
    proc_exit(status: number) {
      throw new GuestFailed("exit", `it exited with status ${status}`)
    },
    sched_yield: () => undefined,
    fd_close: (fd: number) => descriptors.close(fd),
    fd_read(fd: number, at: number, count: number, out: number) {
      const found = readableAt(descriptors.get(fd))
      const read = found ? readInto(found, vectorsAt(guest, at, count), found.at) : 0
      if (found) found.at += read
      putU32(guest, out, read)
    },
    fd_pread(fd: number, at: number, count: number, offset: bigint, out: number) {
      const found = readableAt(descriptors.file(fd))
      if (!found) throw new WasiError("spipe")
      putU32(guest, out, readInto(found, vectorsAt(guest, at, count), toOffset(offset)))
    },
    fd_write(fd: number, at: number, count: number, out: number) {
      const found = descriptors.get(fd)
      const parts = vectorsAt(guest, at, count)
      if (found.type === "output") for (const part of parts) found.text.write(part)
      else {
        const file = writableAt(found)
        file.at = writeFrom(file, parts, file.append ? file.file.length : file.at)
      }
      putU32(guest, out, lengthOf(parts))
    },
    fd_pwrite(fd: number, at: number, count: number, offset: bigint, out: number) {
      const parts = vectorsAt(guest, at, count)
      writeFrom(writableAt(descriptors.file(fd)), parts, toOffset(offset))
      putU32(guest, out, lengthOf(parts))
    },
    fd_seek(fd: number, offset: bigint, whence: number, out: number) {
      const found = descriptors.file(fd)
      const bases = [0, found.at, found.file.length]
      const base = bases[whence]
      if (base === undefined) throw new WasiError("inval")
      found.at = toOffset(BigInt(base) + offset)
      putU64(guest, out, BigInt(found.at))
    },
    fd_tell: (fd: number, out: number) => putU64(guest, out, BigInt(descriptors.file(fd).at)),
    fd_sync: (fd: number) => files.sync(descriptors.file(fd).file),
    fd_datasync: (fd: number) => files.sync(descriptors.file(fd).file),
    fd_advise: (fd: number) => void descriptors.file(fd),
    fd_filestat_set_size(fd: number, length: bigint) {
      files.resize(writableAt(descriptors.file(fd)).file, toOffset(length))
    },
    fd_fdstat_get: (fd: number, out: number) => putFdstat(guest, descriptors.get(fd), out),
    fd_fdstat_set_flags(fd: number, flags: number) {
      const found = descriptors.get(fd)
      if (found.type === "file") found.append = (flags & 1) !== 0
    },
  }
  return {
    find: (name) => (calls[name] ? guarded(calls[name]) : () => errno.nosys),
    stdout: stdout.text,
    stderr: stderr.text,
    files,
  }

  function writeFrom(found: FileDescriptor, parts: Uint8Array[], start: number): number {
    let at = start
    for (const part of parts) {
      files.write(found.file, at, part)
      at += part.length
    }
    return at
  }
}

function guarded(call: WasiCall): (...words: (number | bigint)[]) => number {
  return (...words) => {
    try {
      call(...(words.map((word) => (typeof word === "number" ? word >>> 0 : word)) as never[]))
      return errno.success
    } catch (thrown) {
      if (thrown instanceof WasiError) return thrown.number
      throw thrown
    }
  }
}

/** Of arguments and of the environment: how many, and where they are put. */
function listCalls(name: "args" | "environ", guest: Guest, items: Uint8Array[]): Record<string, WasiCall> {
  return {
    [`${name}_sizes_get`](count: number, bytes: number) {
      putU32(guest, count, items.length)
      putU32(guest, bytes, lengthOf(items))
    },
    [`${name}_get`](pointers: number, texts: number) {
      let at = texts
      for (const [index, item] of items.entries()) {
        putU32(guest, pointers + 4 * index, at)
        bytesAt(guest, at, item.length).set(item)
        at += item.length
      }
    },
  }
}

function clockCalls(guest: Guest): Record<string, WasiCall> {
  return {
    clock_time_get(clock: number, _precision: bigint, out: number) {
      if (clock > 3) throw new WasiError("inval")
      const now = clock === clocks.realtime ? BigInt(Date.now()) * 1_000_000n : BigInt(Bun.nanoseconds())
      putU64(guest, out, now)
    },
    clock_res_get(clock: number, out: number) {
      if (clock > 3) throw new WasiError("inval")
      putU64(guest, out, clock === clocks.realtime ? 1_000_000n : 1n)
    },
    /** Waits for the first of some clocks. Descriptors are always ready. */
    poll_oneoff(subscriptions: number, events: number, count: number, out: number) {
      if (count === 0 || count > 64) throw new WasiError("inval")
      const list = viewAt(guest, subscriptions, 48 * count)
      let first = { index: 0, wait_ms: Number.POSITIVE_INFINITY }
      for (let index = 0; index < count; index++) {
        const wait_ms = list.getUint8(48 * index + 8) === 0 ? waitOf(list, 48 * index + 16) : 0
        if (wait_ms < first.wait_ms) first = { index, wait_ms }
      }
      // The gateway's deadline ends what waits for too long.
      if (first.wait_ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, first.wait_ms)
      const [data, type] = [list.getBigUint64(48 * first.index, true), list.getUint8(48 * first.index + 8)]
      const event = bytesAt(guest, events, 32)
      event.fill(0)
      putU64(guest, events, data)
      event[10] = type
      putU32(guest, out, 1)
    },
  }
}

function waitOf(list: DataView, at: number): number {
  const clock = list.getUint32(at, true)
  const timeout = list.getBigUint64(at + 8, true)
  const absolute = (list.getUint16(at + 24, true) & 1) !== 0
  if (!absolute) return Number(timeout) / 1e6
  const now = clock === clocks.realtime ? BigInt(Date.now()) * 1_000_000n : BigInt(Bun.nanoseconds())
  return timeout > now ? Number(timeout - now) / 1e6 : 0
}

const lengthOf = (parts: Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)

function toOffset(offset: bigint): number {
  if (offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new WasiError("inval")
  return Number(offset)
}

/** undefined for standard input, which is empty. */
function readableAt(found: Descriptor): FileDescriptor | undefined {
  if (found.type === "input") return undefined
  if (found.type === "folder") throw new WasiError("isdir")
  if (found.type !== "file" || !found.readable) throw new WasiError("badf")
  return found
}

function writableAt(found: Descriptor): FileDescriptor {
  if (found.type !== "file" || !found.writable) throw new WasiError("badf")
  return found
}

function readInto({ file }: FileDescriptor, parts: Uint8Array[], start: number): number {
  let at = start
  for (const part of parts) {
    const piece = file.bytes.subarray(Math.min(at, file.length), Math.min(at + part.length, file.length))
    part.set(piece)
    at += piece.length
    if (piece.length < part.length) break
  }
  return at - start
}

function putFdstat(guest: Guest, found: Descriptor, out: number): void {
  const stat = viewAt(guest, out, 24)
  const types = {
    input: file_types.terminal,
    output: file_types.terminal,
    folder: file_types.folder,
    file: file_types.file,
  }
  // A stream that cannot be sought is a terminal to C libraries, which then write each line at once.
  const given = {
    input: rights.read,
    output: rights.write,
    folder: every_right,
    file: every_right,
  }[found.type]
  stat.setUint8(0, types[found.type])
  stat.setUint8(1, 0)
  stat.setUint16(2, found.type === "file" && found.append ? 1 : 0, true)
  stat.setUint32(4, 0, true)
  stat.setBigUint64(8, given, true)
  stat.setBigUint64(16, found.type === "folder" ? every_right : 0n, true)
}
