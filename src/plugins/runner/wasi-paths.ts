import type { FileStat, FileType } from "../frames.ts"
import type { Descriptors, FolderDescriptor } from "./descriptors.ts"
import { type GuestFiles, resolvePath } from "./files.ts"
import { bytesAt, type Guest, putU32, viewAt } from "./guest.ts"
import { file_types, type WasiCall, WasiError } from "./preview1.ts"

const creates = 1
const only_folders = 2
const only_new = 4
const truncates = 8
const appends = 1
const right_to_read = 1n << 1n
const right_to_write = 1n << 6n
const entry_bytes = 24
const stat_bytes = 64

/** The calls of WASI that name a file, and those about folders. */
export function pathCalls(
  guest: Guest,
  descriptors: Descriptors,
  files: GuestFiles,
): Record<string, WasiCall> {
  return {
    path_open(
      fd: number,
      _follow: number,
      at: number,
      length: number,
      how: number,
      rights: bigint,
      _inherited: bigint,
      flags: number,
      out: number,
    ) {
      const base = descriptors.folder(fd)
      const path = resolvePath(base.path, bytesAt(guest, at, length))
      // Before anything is made.
      viewAt(guest, out, 4)
      putU32(guest, out, open(base, path, how, rights, flags))
    },
    path_filestat_get(fd: number, _follow: number, at: number, length: number, out: number) {
      const base = descriptors.folder(fd)
      putStat(guest, out, files.stat(base.folder, resolvePath(base.path, bytesAt(guest, at, length))))
    },
    fd_filestat_get(fd: number, out: number) {
      const found = descriptors.get(fd)
      if (found.type === "folder") return putStat(guest, out, files.stat(found.folder, found.path))
      if (found.type !== "file")
        return putStat(guest, out, { type: "terminal", size_bytes: 0, modified_ms: 0 })
      const { length, modified_ms } = found.file
      return putStat(guest, out, { type: "file", size_bytes: length, modified_ms })
    },
    fd_prestat_get(fd: number, out: number) {
      const stat = viewAt(guest, out, 8)
      stat.setUint32(0, 0, true)
      stat.setUint32(4, preopened(fd).length, true)
    },
    fd_prestat_dir_name(fd: number, at: number, length: number) {
      const name = preopened(fd)
      if (length < name.length) throw new WasiError("nametoolong")
      bytesAt(guest, at, name.length).set(name)
    },
    fd_readdir(fd: number, at: number, length: number, cookie: bigint, out: number) {
      const found = descriptors.folder(fd)
      if (cookie < 0n) throw new WasiError("inval")
      if (cookie === 0n || !found.entries) found.entries = files.list(found.folder, found.path)
      putU32(guest, out, putEntries(bytesAt(guest, at, length), found, cookie))
    },
  }

  function open(base: FolderDescriptor, path: string, how: number, rights: bigint, flags: number): number {
    const makes = (how & (creates | truncates)) !== 0
    const writes = makes || (rights & right_to_write) !== 0n
    if (writes && !base.writable) throw new WasiError("notcapable")
    const stat = statOrNothing(base.folder, path, (how & creates) !== 0)
    if (stat && (how & only_new) !== 0 && (how & creates) !== 0) throw new WasiError("exist")
    if (stat?.type === "folder") {
      if (writes) throw new WasiError("isdir")
      return descriptors.add({
        type: "folder",
        folder: base.folder,
        writable: base.writable,
        path,
        preopened: false,
      })
    }
    if ((how & only_folders) !== 0) throw new WasiError("notdir")
    const file = files.open(base.folder, path, stat, (how & truncates) !== 0)
    return descriptors.add({
      type: "file",
      file,
      at: 0,
      readable: (rights & right_to_read) !== 0n,
      writable: (rights & right_to_write) !== 0n,
      append: (flags & appends) !== 0,
    })
  }

  function statOrNothing(folder: string, path: string, may_miss: boolean): FileStat | undefined {
    const known = files.find(folder, path)
    if (known) return { type: "file", size_bytes: known.length, modified_ms: known.modified_ms }
    try {
      return files.stat(folder, path)
    } catch (thrown) {
      if (may_miss && thrown instanceof WasiError && thrown.message === "noent") return undefined
      throw thrown
    }
  }

  function preopened(fd: number): Uint8Array {
    const found = descriptors.get(fd)
    if (found.type !== "folder" || !found.preopened) throw new WasiError("badf")
    return Buffer.from(found.folder)
  }
}

type StatType = FileType | "terminal"

function putStat(guest: Guest, out: number, stat: Omit<FileStat, "type"> & { type: StatType }): void {
  bytesAt(guest, out, stat_bytes).fill(0)
  const view = viewAt(guest, out, stat_bytes)
  view.setUint8(16, file_types[stat.type])
  view.setBigUint64(24, 1n, true)
  view.setBigUint64(32, BigInt(stat.size_bytes), true)
  const modified = BigInt(Math.trunc(stat.modified_ms)) * 1_000_000n
  for (const at of [40, 48, 56]) view.setBigUint64(at, modified, true)
}

/** As many entries as there is room for; the last may be cut, as WASI has it. Returns the bytes that were filled. */
function putEntries(room: Uint8Array, { entries = [] }: FolderDescriptor, cookie: bigint): number {
  let filled = 0
  for (let index = Number(cookie); index < entries.length && filled < room.length; index++) {
    const { name, type } = entries[index]!
    const text = Buffer.from(name)
    const entry = Buffer.alloc(entry_bytes + text.length)
    entry.writeBigUInt64LE(BigInt(index + 1), 0)
    entry.writeUInt32LE(text.length, 16)
    entry[20] = file_types[type]
    text.copy(entry, entry_bytes)
    const part = entry.subarray(0, room.length - filled)
    room.set(part, filled)
    filled += part.length
  }
  return filled
}
