import { closeSync, constants, linkSync, openSync, readlinkSync, renameSync, unlinkSync } from "node:fs"
import { constants as system } from "node:os"
import { assert } from "../base/errors.ts"
import { systemError } from "./errno.ts"
import { toC } from "./libc.ts"
import { type Kernel, loadKernel } from "./library.ts"

/** Opening below a directory descriptor, so that no link and no rename leads out of it. */
export type Beneath = {
  /** For `weft doctor`. */
  how: string
  /**
   * `path` is relative, not empty and without a zero byte; links below the folder are followed. Flags are those of
   * open(2). Returns a descriptor that is closed on exec. Throws EXDEV for what leads out, ELOOP for links of /proc.
   */
  open(folder: number, path: string, flags: number, mode?: number): number
  /** Renames `from` within a folder in one step if nothing is called `to`; throws EEXIST otherwise. Single names. */
  renameNew(folder: number, from: string, to: string): void
}

const { EEXIST, ELOOP, EXDEV } = system.errno
export const O_PATH = 0o10000000
/** What links may lead to links, as in Linux. */
const links_max = 40

/** The best that this system has. Linux only: others have src/kernel/darwin.ts or nothing. */
export function openBeneath(state_folder?: string): Beneath {
  const { kernel, how } = loadKernel(state_folder)
  if (!kernel) return { ...byComponents, how: `${byComponents.how} (${how})` }
  return answersOpenat2(kernel) ? withKernel(kernel) : byComponents
}

function answersOpenat2(kernel: Kernel): boolean {
  const root = openSync("/", constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const fd = kernel.kernel_open_beneath(root, toC("."), O_PATH, 0)
    if (fd < 0) return false
    closeSync(fd)
    return true
  } finally {
    closeSync(root)
  }
}

function withKernel(kernel: Kernel): Beneath {
  return {
    how: "openat2 with RESOLVE_BENEATH",
    open(folder, path, flags, mode = 0) {
      checkPath(path)
      const fd = kernel.kernel_open_beneath(folder, toC(path), flags, mode)
      if (fd < 0) throw systemError("openat2", -fd)
      return fd
    },
    renameNew(folder, from, to) {
      const result = kernel.kernel_rename_new(folder, toC(from), toC(to))
      if (result === 0) return
      const error = systemError("renameat2", -result)
      if (error.code !== "EINVAL" && error.code !== "ENOSYS") throw error
      linkNew(folder, from, to)
    },
  }
}

/**
 * One component after the other, none of them through a link: a link's own text is read and walked in its place. ".."
 * goes back to the descriptor that was opened before, never to what the kernel thinks is above.
 */
export const byComponents: Beneath = {
  how: "component by component with O_NOFOLLOW",
  open(folder, path, flags, mode = 0) {
    checkPath(path)
    const names = path.split("/").filter((name) => name !== "" && name !== ".")
    const opened: number[] = []
    const here = () => opened.at(-1) ?? folder
    try {
      for (let links = 0; names.length > 0; ) {
        const name = names.shift()!
        if (name === "..") {
          const above = opened.pop()
          if (above === undefined) throw systemError("open", EXDEV)
          closeSync(above)
          continue
        }
        const last = names.length === 0 && !path.endsWith("/")
        const link = readLink(here(), name)
        if (link !== undefined && !(last && flags & constants.O_NOFOLLOW)) {
          if (link.startsWith("/")) throw systemError("open", EXDEV)
          if (++links > links_max) throw systemError("open", ELOOP)
          names.unshift(...link.split("/").filter((part) => part !== "" && part !== "."))
          continue
        }
        if (last) return openOne(here(), name, flags, mode)
        opened.push(openOne(here(), name, O_PATH | constants.O_DIRECTORY))
      }
      return openOne(here(), ".", flags, mode)
    } finally {
      for (const fd of opened) closeSync(fd)
    }
  },
  renameNew: linkNew,
}

/** Never through a link, should one have come there since it was looked at: then it fails with ELOOP or ENOTDIR. */
const openOne = (folder: number, name: string, flags: number, mode = 0): number =>
  openSync(`/proc/self/fd/${folder}/${name}`, flags | constants.O_NOFOLLOW, mode)

function readLink(folder: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${folder}/${name}`)
  } catch (thrown) {
    // Not a link, or nothing at all, of which opening it will tell.
    const { code } = thrown as NodeJS.ErrnoException
    if (code === "EINVAL" || code === "ENOENT" || code === "ENOTDIR") return undefined
    throw thrown
  }
}

/** A second name and the end of the first: the file system refuses a name that is taken. */
function linkNew(folder: number, from: string, to: string): void {
  const at = `/proc/self/fd/${folder}`
  try {
    linkSync(`${at}/${from}`, `${at}/${to}`)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    // File systems without second names (FAT, some in user space): the look and the rename are two steps there.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EMLINK") throw thrown
    if (isThere(folder, to)) throw systemError("rename", EEXIST)
    renameSync(`${at}/${from}`, `${at}/${to}`)
    return
  }
  unlinkSync(`${at}/${from}`)
}

function isThere(folder: number, name: string): boolean {
  try {
    closeSync(openOne(folder, name, O_PATH))
    return true
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return false
    throw thrown
  }
}

function checkPath(path: string): void {
  assert(path !== "" && !path.includes("\0") && !path.startsWith("/"), "a path below a folder is relative")
}
