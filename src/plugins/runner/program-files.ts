/** The folders that a program was granted, in memory, as the SDK asks for what is in them. */
import type { Folder } from "../packing.ts"

/** Of what a program makes in all of its folders, beside what it was given. */
const bytes_max = 16 << 20
const entries_max = 1000
const depth_max = 32
const name_bytes_max = 255
const handles_max = 256

/** `given` bytes are a part of others, and what a program changed is told by them: it writes into others. */
type File = { bytes: Uint8Array; size: number; given: boolean }
type Directory = Map<string, Entry>
type Entry = File | Directory
type Mount = { root: Directory; folder: Folder }
type Handle = { file: File; append: boolean; writable: boolean }

/** `code` is one of those that the SDK makes an error number of for the guest; any other is an I/O error. */
export class FileRefused extends Error {
  override name = "FileRefused"
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

export type ProgramFiles = {
  /** One operation, by the SDK's name of it. The mount is the folder's index. Throws FileRefused. */
  operate(mount: number, method: string, args: readonly unknown[]): unknown
  /** The writable folders with the files that were made or changed. */
  changed(): Folder[]
}

export function openProgramFiles(folders: readonly Folder[]): ProgramFiles {
  const left = { bytes: bytes_max, entries: entries_max }
  const mounts = folders.map((folder) => ({ root: toTree(folder), folder }))
  const handles = new Map<number, Handle>()
  let next_handle = 1

  const operations: Record<string, (mount: Mount, ...args: unknown[]) => unknown> = {
    stat: ({ root }, path) => describe(find(root, toParts(path))),
    readDir: ({ root }, path) =>
      [...directoryAt(root, toParts(path))].map(([name, entry]) => ({ name, ...describe(entry) })),
    open(mount, path, _read, write, create, create_new, truncate, append) {
      if (handles.size >= handles_max) throw new FileRefused("EMFILE")
      const writable = [write, create, create_new, truncate, append].includes(true)
      if (writable) checkWritable(mount)
      const file = openFile(mount.root, toParts(path), create === true, create_new === true)
      if (truncate === true) resize(file, 0)
      handles.set(next_handle, { file, writable, append: append === true })
      return next_handle++
    },
    read(_mount, id, offset, length) {
      const { file } = handleOf(id)
      const from = Math.min(toCount(offset), file.size)
      return file.bytes.slice(from, Math.min(from + toCount(length), file.size))
    },
    write(_mount, id, offset, data) {
      const { file, append, writable } = handleOf(id)
      if (!writable) throw new FileRefused("EACCES")
      const bytes = toBytes(data)
      const at = append ? file.size : toCount(offset)
      if (bytes.length === 0) return 0
      if (at + bytes.length > file.size) resize(file, at + bytes.length)
      makeOwn(file)
      file.bytes.set(bytes, at)
      return bytes.length
    },
    setLen(_mount, id, length) {
      const { file, writable } = handleOf(id)
      if (!writable) throw new FileRefused("EACCES")
      resize(file, toCount(length))
    },
    mkdir(mount, path) {
      checkWritable(mount)
      const { parent, name } = placeOf(mount.root, toParts(path))
      if (parent.has(name)) throw new FileRefused("EEXIST")
      takeEntry()
      parent.set(name, new Map())
    },
    remove(mount, path) {
      checkWritable(mount)
      const { parent, name } = placeOf(mount.root, toParts(path))
      const entry = parent.get(name)
      if (!entry) throw new FileRefused("ENOENT")
      if (entry instanceof Map && entry.size > 0) throw new FileRefused("ENOTEMPTY")
      parent.delete(name)
    },
    rename(mount, from, to) {
      checkWritable(mount)
      const [source, target] = [toParts(from), toParts(to)]
      const entry = find(mount.root, source)
      // A folder within itself would be reachable no more.
      if (source.length <= target.length && source.every((part, index) => part === target[index]))
        throw new FileRefused("EINVAL")
      const { parent, name } = placeOf(mount.root, target)
      const replaced = parent.get(name)
      if (replaced instanceof Map && replaced.size > 0) throw new FileRefused("ENOTEMPTY")
      const old = placeOf(mount.root, source)
      old.parent.delete(old.name)
      parent.set(name, entry)
    },
    close(_mount, id) {
      handles.delete(toCount(id))
    },
    flush: () => undefined,
    sync: () => undefined,
  }

  return {
    operate(index, method, args) {
      const mount = mounts[index]
      if (!mount || !Object.hasOwn(operations, method)) throw new FileRefused("ENOTSUP")
      return operations[method]!(mount, ...args)
    },
    changed: () =>
      mounts
        .filter(({ folder }) => folder.writable)
        .map(({ root, folder: { path, files } }) => ({
          path,
          writable: true,
          files: Object.fromEntries(changedIn(root, "", files)),
        })),
  }

  function openFile(root: Directory, parts: string[], create: boolean, create_new: boolean): File {
    const { parent, name } = placeOf(root, parts)
    const found = parent.get(name)
    if (found && create_new) throw new FileRefused("EEXIST")
    if (found instanceof Map) throw new FileRefused("EISDIR")
    if (found) return found
    if (!create && !create_new) throw new FileRefused("ENOENT")
    takeEntry()
    const file = { bytes: new Uint8Array(), size: 0, given: false }
    parent.set(name, file)
    return file
  }

  /** Deleted files give nothing back: they may still be open. */
  function resize(file: File, size: number): void {
    if (size > file.bytes.length) {
      const more = size - file.bytes.length
      if (more > left.bytes) throw new FileRefused("ENOSPC")
      // Twice as much, where there is room, so that one that grows byte by byte is not copied each time.
      const bytes = new Uint8Array(
        Math.min(Math.max(size, 2 * file.bytes.length), file.bytes.length + left.bytes),
      )
      left.bytes -= bytes.length - file.bytes.length
      bytes.set(file.bytes.subarray(0, file.size))
      file.bytes = bytes
      file.given = false
    }
    if (size < file.size) {
      makeOwn(file)
      file.bytes.fill(0, size, file.size)
    }
    file.size = size
  }

  function takeEntry(): void {
    if (left.entries === 0) throw new FileRefused("ENOSPC")
    left.entries -= 1
  }

  function handleOf(id: unknown): Handle {
    const handle = handles.get(toCount(id))
    if (!handle) throw new FileRefused("EBADF")
    return handle
  }
}

function checkWritable({ folder }: Mount): void {
  if (!folder.writable) throw new FileRefused("EACCES")
}

function toTree({ files }: Folder): Directory {
  const root: Directory = new Map()
  for (const [path, bytes] of Object.entries(files)) {
    const parts = toParts(path)
    let directory = root
    for (const part of parts.slice(0, -1)) {
      const below = directory.get(part) ?? new Map<string, Entry>()
      if (!(below instanceof Map)) throw new FileRefused("ENOTDIR")
      directory.set(part, below)
      directory = below
    }
    directory.set(parts.at(-1)!, { bytes, size: bytes.length, given: true })
  }
  return root
}

function makeOwn(file: File): void {
  if (!file.given) return
  file.bytes = file.bytes.slice()
  file.given = false
}

function find(root: Directory, parts: string[]): Entry {
  let entry: Entry = root
  for (const part of parts) {
    if (!(entry instanceof Map)) throw new FileRefused("ENOTDIR")
    const below = entry.get(part)
    if (!below) throw new FileRefused("ENOENT")
    entry = below
  }
  return entry
}

function directoryAt(root: Directory, parts: string[]): Directory {
  const entry = find(root, parts)
  if (!(entry instanceof Map)) throw new FileRefused("ENOTDIR")
  return entry
}

/** Where an entry is or would be. */
function placeOf(root: Directory, parts: string[]): { parent: Directory; name: string } {
  const name = parts.at(-1)
  if (name === undefined) throw new FileRefused("EACCES")
  return { parent: directoryAt(root, parts.slice(0, -1)), name }
}

const describe = (entry: Entry) =>
  entry instanceof Map ? { kind: "directory", size: 0 } : { kind: "file", size: entry.size }

function* changedIn(
  directory: Directory,
  below: string,
  given: Folder["files"],
): Generator<[string, Uint8Array]> {
  for (const [name, entry] of directory) {
    const path = `${below}${name}`
    if (entry instanceof Map) yield* changedIn(entry, `${path}/`, given)
    else {
      const bytes = entry.bytes.subarray(0, entry.size)
      if (!Object.hasOwn(given, path) || Buffer.compare(given[path]!, bytes) !== 0) yield [path, bytes]
    }
  }
}

/** The SDK hands relative paths without dots; they are made of what the guest says all the same. */
function toParts(path: unknown): string[] {
  if (typeof path !== "string") throw new FileRefused("EINVAL")
  const parts = path.split("/").filter((part) => part !== "")
  const is_odd = (part: string) =>
    part === "." || part === ".." || part.includes("\0") || Buffer.byteLength(part) > name_bytes_max
  if (parts.length > depth_max || parts.some(is_odd)) throw new FileRefused("EINVAL")
  return parts
}

function toCount(value: unknown): number {
  const count = Number(value)
  if (!Number.isSafeInteger(count) || count < 0) throw new FileRefused("EINVAL")
  return count
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return Uint8Array.from(value as number[])
  throw new FileRefused("EINVAL")
}
