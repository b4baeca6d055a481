import {
  type FileArgument,
  type FileEntry,
  type FileStat,
  file_bytes_max,
  type HostError,
  host_errors,
} from "../frames.ts"
import type { Folder } from "../packing.ts"
import { type AskHost, GuestFailed } from "./engine.ts"
import { type ErrnoName, WasiError } from "./preview1.ts"

/** Of all the files that are open at once. */
const held_bytes_max = 32 << 20
const path_bytes_max = 4096

/** A file that is open, whole and in memory; shared by all descriptors of it. */
export type OpenFile = {
  folder: string
  path: string
  /** With room to spare; `length` of it are the file. */
  bytes: Uint8Array
  length: number
  modified_ms: number
  /** The host does not have it like this yet. */
  changed: boolean
  /** How many descriptors there are of it. */
  users: number
}

/** The granted folders of one call, behind the host's functions for files. All of it throws WasiError. */
export type GuestFiles = {
  folders: readonly Folder[]
  stat(folder: string, path: string): FileStat
  list(folder: string, path: string): FileEntry[]
  /** The file, if it is open already: the host's may be older. */
  find(folder: string, path: string): OpenFile | undefined
  /** `stat` is what is there already, undefined for a new file. */
  open(folder: string, path: string, stat: FileStat | undefined, empty: boolean): OpenFile
  write(file: OpenFile, at: number, bytes: Uint8Array): void
  resize(file: OpenFile, length: number): void
  /** Gives the host what has changed. */
  sync(file: OpenFile): void
  close(file: OpenFile): void
  /** At the end of a call that has an output. Throws GuestFailed. */
  syncAll(): void
}

export function openFiles(folders: readonly Folder[], ask: AskHost): GuestFiles {
  const opened = new Map<string, OpenFile>()
  const files: GuestFiles = {
    folders,
    stat: (folder, path) => parse(askFor("fs_stat", { folder, path })) as FileStat,
    list: (folder, path) => parse(askFor("fs_list", { folder, path })) as FileEntry[],
    find: (folder, path) => opened.get(`${folder}\0${path}`),
    open(folder, path, stat, empty) {
      const key = `${folder}\0${path}`
      const known = opened.get(key)
      if (known) {
        if (empty) files.resize(known, 0)
        known.users++
        return known
      }
      if (!empty && stat) checkRoom(stat.size_bytes)
      const bytes = stat && !empty ? askFor("fs_read", { folder, path }) : new Uint8Array(0)
      checkRoom(bytes.length)
      const changed = !stat || empty
      const file = {
        folder,
        path,
        bytes,
        length: bytes.length,
        modified_ms: stat?.modified_ms ?? Date.now(),
        changed,
        users: 1,
      }
      opened.set(key, file)
      return file
    },
    write(file, at, bytes) {
      const end = at + bytes.length
      if (end > file_bytes_max) throw new WasiError("fbig")
      if (end > file.length) files.resize(file, end)
      file.bytes.set(bytes, at)
      touch(file)
    },
    resize(file, length) {
      if (length > file_bytes_max) throw new WasiError("fbig")
      if (length > file.bytes.length) {
        const room = Math.min(file_bytes_max, Math.max(length, 2 * file.bytes.length, 4096))
        checkRoom(room - file.bytes.length)
        const bytes = new Uint8Array(room)
        bytes.set(file.bytes.subarray(0, file.length))
        file.bytes = bytes
      }
      if (length < file.length) file.bytes.fill(0, length, file.length)
      file.length = length
      touch(file)
    },
    sync(file) {
      if (!file.changed) return
      askFor("fs_write", { folder: file.folder, path: file.path }, file.bytes.subarray(0, file.length))
      file.changed = false
    },
    close(file) {
      file.users--
      if (file.users > 0) return
      opened.delete(`${file.folder}\0${file.path}`)
      files.sync(file)
    },
    syncAll() {
      for (const file of opened.values()) {
        try {
          files.sync(file)
        } catch (thrown) {
          if (!(thrown instanceof WasiError)) throw thrown
          throw new GuestFailed("output", `what it wrote to ${file.path} could not be kept`)
        }
      }
    },
  }
  return files

  function checkRoom(more: number): void {
    let held = more
    for (const file of opened.values()) held += file.bytes.length
    if (more > file_bytes_max) throw new WasiError("fbig")
    if (held > held_bytes_max) throw new WasiError("nomem")
  }

  function askFor(name: string, argument: FileArgument, bytes?: Uint8Array): Uint8Array {
    const json = Buffer.from(JSON.stringify(argument))
    const whole = Buffer.allocUnsafe(4 + json.length + (bytes?.length ?? 0))
    whole.writeUInt32LE(json.length, 0)
    json.copy(whole, 4)
    if (bytes) whole.set(bytes, 4 + json.length)
    const answer = ask(name, whole)
    if (answer.error !== 0) throw new WasiError(toErrno(answer.error))
    return answer.bytes
  }
}

function touch(file: OpenFile): void {
  file.changed = true
  file.modified_ms = Date.now()
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

function toErrno(error: number): ErrnoName {
  const names: Record<HostError, ErrnoName> = {
    denied: "notcapable",
    not_found: "noent",
    invalid: "inval",
    too_large: "fbig",
    failed: "io",
    unknown: "nosys",
  }
  const name = (Object.keys(host_errors) as HostError[]).find((key) => host_errors[key] === error)
  return name ? names[name] : "io"
}

/** A path of the guest's, below `base`; never above the folder. The host checks it again. Throws WasiError. */
export function resolvePath(base: string, bytes: Uint8Array): string {
  if (bytes.length > path_bytes_max) throw new WasiError("nametoolong")
  const text = decodePath(bytes)
  if (text === "") throw new WasiError("noent")
  if (text.includes("\0")) throw new WasiError("inval")
  if (text.startsWith("/")) throw new WasiError("notcapable")
  const parts = base === "" ? [] : base.split("/")
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.pop() === undefined) throw new WasiError("notcapable")
  }
  return parts.join("/")
}

function decodePath(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new WasiError("ilseq")
  }
}
