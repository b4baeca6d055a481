import type { Descriptor, Descriptors, FileDescriptor } from "./descriptors.ts"
import type { GuestFiles } from "./files.ts"
import { type Guest, putU32, putU64, vectorsAt, viewAt } from "./guest.ts"
import { file_types, type WasiCall, WasiError } from "./preview1.ts"

const rights = { read: 1n << 1n, write: 1n << 6n }
const every_right = (1n << 30n) - 1n
const appends = 1

/** The calls of WASI about what is open: reading, writing, where, and what it is. */
export function descriptorCalls(
  guest: Guest,
  descriptors: Descriptors,
  files: GuestFiles,
): Record<string, WasiCall> {
  return {
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
      if (found.type === "file") found.append = (flags & appends) !== 0
    },
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

/** Of all pieces. */
export const lengthOf = (parts: Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)

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
  stat.setUint16(2, found.type === "file" && found.append ? appends : 0, true)
  stat.setUint32(4, 0, true)
  stat.setBigUint64(8, given, true)
  stat.setBigUint64(16, found.type === "folder" ? every_right : 0n, true)
}
