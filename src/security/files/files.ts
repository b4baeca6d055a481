import { closeSync, fstatSync, read, readSync, type Stats } from "node:fs"
import { promisify } from "node:util"
import { type Disk, openDisk } from "../../kernel/disk.ts"
import { type Permit, type Target, ToolDenied } from "../target.ts"
import { explain, kindOf } from "./errors.ts"
import { openRoots, type Place, type Roots } from "./roots.ts"
import { writeFile } from "./write.ts"

export type FileStat = { type: "file" | "folder" | "link" | "other"; bytes: number; modified_ms: number }

export type Folder = { entries: (FileStat & { name: string })[] }

/** An open file or folder, for reading, and where it is without links; closed by whoever asked for it. */
export type Opened = Disposable & { fd: number; stat: FileStat; path: string }

/**
 * An agent's view of the disk: its workspace and the further folders it was granted, each opened once as a directory
 * descriptor. Everything else does not open, however it is spelled and whatever links are swapped meanwhile. Paths are
 * relative to the workspace or absolute; those in answers are, too. All of them throw ToolDenied outside of the granted
 * folders or where `permit` does, and Error with a sentence for the model otherwise (missing, a folder, a device, …).
 */
export type Files = {
  /** Absolute, without links. */
  workspace: string
  /** The path as rules see it: without "." and "..", relative in the workspace. Need not be there. Opens nothing. */
  toTarget(path: string, effect: "read" | "write"): Target
  /** The same for a path that somebody else is to open, wherever it leads; never throws ToolDenied. */
  toTargetAnywhere(path: string, effect: "read" | "write"): Target
  /** Regular files only, at most `bytes_max` of them from `offset`; 64 MiB at a time. */
  read(
    path: string,
    range?: { offset?: number; bytes_max?: number },
  ): Promise<{ bytes: Uint8Array; stat: FileStat }>
  /**
   * Replaces or makes a file in one step (another name first, then renamed), with the mode it had. A new one may be read
   * by whom its folder lets in and is nobody else's to write. Makes missing folders. `expected` is what the file must
   * still hold (undefined: anything, null: nothing must be there), else it throws and nothing is written. A file with
   * several hard links is not written, as the others may lie outside.
   */
  write(path: string, bytes: Uint8Array, expected?: Uint8Array | null): Promise<{ created: boolean }>
  /** By name. */
  list(path: string): Promise<Folder>
  /**
   * A file or folder itself, for a tool that goes through all that is below it. Below its descriptor such a tool opens
   * one name at a time, never through a link, and shows only what the call may read.
   */
  open(path: string): Promise<Opened>
  /** Of what a link leads to. */
  stat(path: string): Promise<FileStat>
}

/** What the folders of an agent are; absolute paths. The workspace is made when it is missing. */
export type FileGrants = {
  workspace: string
  read: readonly string[]
  write: readonly string[]
  /** The workspace only says what relative paths start from: it is neither opened nor made. */
  is_workspace_closed?: boolean
  /** Files and folders of the gateway itself, which no granted folder may contain, be or lie in. */
  forbidden?: readonly string[]
}

export type OpenFiles = Disposable & {
  /** How links are kept from leading out, or why nothing opens here; for `weft doctor`. */
  how: string
  /** The same folders for one call, which may do what `permit` lets it. */
  for(permit: Permit): Files
}

/** Read at once, as the way to another thread costs more than the reading. */
const at_once_bytes_max = 1 << 16
const piece_bytes = 1 << 20
const read_bytes_max = 64 << 20
/** Entries that are looked at before others get a turn: about a millisecond of work. */
const entries_at_once = 256
const readAt = promisify(read)

/** Throws ToolDenied where a grant would show what is forbidden. `disk` is for tests. */
export function openFiles(grants: FileGrants, disk: Disk | undefined = openDisk()): OpenFiles {
  if (!disk)
    throw new ToolDenied("The gateway has no safe way to open files on this system: it needs Linux or macOS.")
  const roots = openRoots(grants, disk)
  return {
    how: disk.how,
    for: (permit) => filesFor(roots, disk, permit),
    [Symbol.dispose]: () => roots[Symbol.dispose](),
  }
}

function filesFor(roots: Roots, disk: Disk, permit: Permit): Files {
  /** Finds something, asks for what it turned out to be, and hands its descriptor over for as long as `use` takes. */
  async function withFound<T>(
    path: string,
    use: (found: number, stat: Stats, real: Target) => Promise<T> | T,
  ): Promise<T> {
    const place = roots.locate(path, "read")
    permit(roots.toTarget(place, "read"))
    using stack = new DisposableStack()
    const found = find(disk, place, path)
    stack.defer(() => closeSync(found))
    const real = roots.toTarget(roots.placeOf(place.root, found, path), "read")
    permit(real)
    return await use(found, fstatSync(found), real)
  }
  return {
    workspace: roots.workspace,
    toTarget: (path, effect) => roots.toTarget(roots.locate(path, effect), effect),
    toTargetAnywhere: (path, effect) =>
      roots.toTarget(roots.locate(path, effect, { anywhere: true }), effect),
    read: (path, range = {}) =>
      withFound(path, async (found, stat) => {
        if (!stat.isFile()) throw new Error(`"${path}" is ${kindOf(stat)}, not a file that can be read.`)
        return { bytes: await readFound(disk, found, stat, path, range), stat: toFileStat(stat) }
      }),
    write: (path, bytes, expected) => writeFile({ roots, disk, permit }, path, bytes, expected),
    list: (path) =>
      withFound(path, (found, stat) => {
        if (!stat.isDirectory()) throw new Error(`"${path}" is ${kindOf(stat)}, not a folder.`)
        return listFound(disk, found, path)
      }),
    open: (path) =>
      withFound(path, (found, stat, { text }) => {
        if (!stat.isFile() && !stat.isDirectory()) {
          throw new Error(`"${path}" is ${kindOf(stat)}, neither a file nor a folder.`)
        }
        const fd = openFound(disk, found, path)
        return { fd, stat: toFileStat(stat), path: text, [Symbol.dispose]: () => closeSync(fd) }
      }),
    stat: (path) => withFound(path, (_, stat) => toFileStat(stat)),
  }
}

function find(disk: Disk, { root, names }: Place, path: string): number {
  try {
    return disk.find(root.folder(), names === "" ? "." : names)
  } catch (thrown) {
    throw explain(thrown, path)
  }
}

type Range = { offset?: number; bytes_max?: number }

async function readFound(
  disk: Disk,
  found: number,
  stat: Stats,
  path: string,
  { offset = 0, bytes_max }: Range,
): Promise<Uint8Array> {
  const rest = Math.max(0, stat.size - offset)
  if (bytes_max === undefined && rest > read_bytes_max) {
    throw new Error(`"${path}" has ${stat.size} bytes, too many to read at once. Read parts of it.`)
  }
  const wanted = Math.min(bytes_max ?? rest, rest, read_bytes_max)
  using stack = new DisposableStack()
  const fd = openFound(disk, found, path)
  stack.defer(() => closeSync(fd))
  // Filling it with zeros first would take as long as reading.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(wanted).buffer)
  if (wanted <= at_once_bytes_max) return bytes.subarray(0, readSync(fd, bytes, 0, wanted, offset))
  let done = 0
  while (done < wanted) {
    const length = Math.min(piece_bytes, wanted - done)
    const { bytesRead: count } = await readAt(fd, bytes, done, length, offset + done)
    // Somebody made it shorter meanwhile.
    if (count === 0) break
    done += count
  }
  return bytes.subarray(0, done)
}

function openFound(disk: Disk, found: number, path: string): number {
  try {
    return disk.openFound(found)
  } catch (thrown) {
    throw explain(thrown, path)
  }
}

async function listFound(disk: Disk, found: number, path: string): Promise<Folder> {
  const names = await disk.names(found).catch((thrown) => {
    throw explain(thrown, path)
  })
  const entries: Folder["entries"] = []
  for (const [index, name] of names.sort().entries()) {
    if (index % entries_at_once === entries_at_once - 1) await new Promise(setImmediate)
    const stat = disk.stat(found, name)
    // Gone since the names were read.
    if (stat) entries.push({ name, ...toFileStat(stat) })
  }
  return { entries }
}

function toFileStat(stat: Stats): FileStat {
  const type = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "folder"
      : stat.isSymbolicLink()
        ? "link"
        : "other"
  return { type, bytes: stat.size, modified_ms: Math.round(stat.mtimeMs) }
}
