import {
  accessSync,
  chmodSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  type Stats,
  unlinkSync,
} from "node:fs"
import { readdir } from "node:fs/promises"
import { constants as system } from "node:os"
import { type Beneath, findHere, openBeneath } from "./beneath.ts"
import { darwinDisk } from "./darwin.ts"
import { systemError } from "./errno.ts"
import { isKernels } from "./file-systems.ts"

/**
 * What can be done with folders that are held open as descriptors, whatever happens to their names meanwhile. A `name`
 * is one component, never "..", with neither a slash nor a zero byte; a `path` is relative and has no zero byte.
 * Everything throws as node:fs does.
 */
export type Disk = {
  /** How links are kept from leading out; for `weft doctor`. */
  how: string
  /** An absolute path, links and all. */
  openFolder(path: string): number
  /** Follows links that stay below the folder; the result names a thing and is not open for reading. */
  find(folder: number, path: string): number
  /** What has this name itself, even a link. */
  findHere(folder: number, name: string): number
  /** What was found, open for reading; never waits for the other end of a pipe. */
  openFound(found: number): number
  /** Where it is at this moment, without links. */
  pathOf(found: number): string
  /** Whether it is the kernel's own: /proc, /sys and the like. */
  isKernels(found: number): boolean
  names(folder: number): Promise<string[]>
  /** Of a link itself; undefined where there is nothing. */
  stat(folder: number, name: string): Stats | undefined
  /** Returns the new folder, with this mode whatever the umask is. One that somebody else just made will do. */
  makeFolder(folder: number, name: string, mode: number): number
  /** Throws EACCES or EROFS where this user may not write to what was found. */
  checkWritable(found: number): void
  /** For writing, mode 0600; throws EEXIST for whatever has the name. */
  create(folder: number, name: string): number
  rename(folder: number, from: string, to: string): void
  /** Throws EEXIST if something is called `to`. */
  renameNew(folder: number, from: string, to: string): void
  remove(folder: number, name: string): void
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const at = (folder: number, name: string) => `/proc/self/fd/${folder}/${name}`

/** Undefined where the system has no way to do this. */
export function openDisk(): Disk | undefined {
  if (process.platform === "linux") return linuxDisk(openBeneath())
  return process.platform === "darwin" ? darwinDisk() : undefined
}

/** By the links in /proc, which lead to what is open and not to what has its name now. */
export function linuxDisk(beneath: Beneath): Disk {
  return {
    how: beneath.how,
    openFolder: (path) => openSync(path, O_RDONLY | O_DIRECTORY),
    find: beneath.find,
    findHere: (folder, name) => findHere(folder, name),
    openFound: (found) => openSync(`/proc/self/fd/${found}`, O_RDONLY | O_NONBLOCK),
    pathOf: (found) => readlinkSync(`/proc/self/fd/${found}`),
    isKernels: (found) => isKernels(`/proc/self/fd/${found}`),
    names: (folder) => readdir(`/proc/self/fd/${folder}`),
    stat: (folder, name) => lstatSync(at(folder, name), { throwIfNoEntry: false }),
    makeFolder,
    checkWritable: (found) => accessSync(`/proc/self/fd/${found}`, constants.W_OK),
    create: (folder, name) => openSync(at(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
    rename: (folder, from, to) => renameSync(at(folder, from), at(folder, to)),
    renameNew(folder, from, to) {
      if (!beneath.renameNew) return linkNew(folder, from, to)
      try {
        beneath.renameNew(folder, from, to)
      } catch (thrown) {
        if (!isCode(thrown, "EINVAL", "ENOSYS")) throw thrown
        linkNew(folder, from, to)
      }
    },
    remove: (folder, name) => unlinkSync(at(folder, name)),
  }
}

function makeFolder(folder: number, name: string, mode: number): number {
  let is_new = true
  try {
    mkdirSync(at(folder, name), { mode: 0o700 })
  } catch (thrown) {
    if (!isCode(thrown, "EEXIST")) throw thrown
    is_new = false
  }
  // A dangling link is in the way, too, and is no folder.
  const made = findHere(folder, name, O_DIRECTORY)
  if (is_new) chmodSync(`/proc/self/fd/${made}`, mode)
  return made
}

/** A second name and the end of the first: that, too, fails if the name is taken. */
function linkNew(folder: number, from: string, to: string): void {
  try {
    linkSync(at(folder, from), at(folder, to))
  } catch (thrown) {
    // File systems without second names (FAT, some in user space): the look and the rename are two steps there.
    if (!isCode(thrown, "EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK")) throw thrown
    if (lstatSync(at(folder, to), { throwIfNoEntry: false })) throw systemError("rename", system.errno.EEXIST)
    renameSync(at(folder, from), at(folder, to))
    return
  }
  unlinkSync(at(folder, from))
}

export const isCode = (thrown: unknown, ...codes: string[]): boolean =>
  codes.includes((thrown as NodeJS.ErrnoException)?.code ?? "")

/** Whether two descriptors are of the same thing. */
export function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one, { bigint: true }), fstatSync(other, { bigint: true })]
  return a.dev === b.dev && a.ino === b.ino
}
