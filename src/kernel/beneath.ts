import { closeSync, constants, openSync, readlinkSync } from "node:fs"
import { constants as system } from "node:os"
import { systemError } from "./errno.ts"
import { toC } from "./libc.ts"
import { type Kernel, loadKernel } from "./library.ts"

/** Finding something below a directory descriptor, so that no link and no rename leads out of it. Linux only. */
export type Beneath = {
  /** For `weft doctor`. */
  how: string
  /**
   * Follows links, and returns a descriptor that names what is there without opening it: no device notices and no pipe
   * waits. Throws EXDEV for what leads out, ELOOP for links of /proc.
   */
  find(folder: number, path: string): number
  /** Where a rename can be made to fail if the name is taken; EINVAL and ENOSYS say that it cannot. */
  renameNew?(folder: number, from: string, to: string): void
}

export const O_PATH = 0o10000000
/** How many links may lead to links, as in Linux. */
const links_max = 40
const { ELOOP, EXDEV } = system.errno

/** The best that this kernel has. */
export function openBeneath(): Beneath {
  const { kernel, how } = loadKernel()
  if (!kernel) return { ...byComponents, how: `${byComponents.how}: ${how}` }
  if (answersOpenat2(kernel)) return withKernel(kernel)
  return { ...byComponents, how: `${byComponents.how}: this kernel has no openat2` }
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
    find(folder, path) {
      const fd = kernel.kernel_open_beneath(folder, toC(path), O_PATH, 0)
      if (fd < 0) throw systemError("openat2", -fd)
      return fd
    },
    renameNew(folder, from, to) {
      const result = kernel.kernel_rename_new(folder, toC(from), toC(to))
      if (result < 0) throw systemError("renameat2", -result)
    },
  }
}

/** How one name in a folder is looked at; neither goes through a link. */
export type Steps = {
  /** The text of a link; undefined for everything else. */
  readLink(folder: number, name: string): string | undefined
  /** The folder of this name, where there is more to come, or what has the name itself. */
  openFolder(folder: number, name: string): number
  findHere(folder: number, name: string): number
}

/**
 * One component after the other, none of them through a link: a link's own text is read and walked in its place. ".."
 * goes back to the descriptor that was opened before, never to what the kernel thinks is above. A link that comes to a
 * place after it was looked at is found itself (the last name) or is no folder (the others).
 */
export function walk(folder: number, path: string, steps: Steps): number {
  const names = toNames(path)
  const opened: number[] = []
  const here = () => opened.at(-1) ?? folder
  try {
    for (let links = 0; names.length > 0; ) {
      const name = names.shift()!
      const link = name === ".." ? undefined : steps.readLink(here(), name)
      if (name === "..") {
        const above = opened.pop()
        if (above === undefined) throw systemError("open", EXDEV)
        closeSync(above)
      } else if (link !== undefined) {
        if (link.startsWith("/")) throw systemError("open", EXDEV)
        if (++links > links_max) throw systemError("open", ELOOP)
        names.unshift(...toNames(link))
      } else if (names.length === 0) return steps.findHere(here(), name)
      else opened.push(steps.openFolder(here(), name))
    }
    return steps.findHere(here(), ".")
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

export const byComponents: Beneath = {
  how: "component by component with O_NOFOLLOW",
  find: (folder, path) =>
    walk(folder, path, {
      readLink,
      openFolder: (above, name) => findHere(above, name, constants.O_DIRECTORY),
      findHere,
    }),
}

const toNames = (path: string): string[] => path.split("/").filter((name) => name !== "" && name !== ".")

/** What has a name in a folder: a link is found itself. */
export const findHere = (folder: number, name: string, flags = 0): number =>
  openSync(`/proc/self/fd/${folder}/${name}`, O_PATH | constants.O_NOFOLLOW | flags)

function readLink(folder: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${folder}/${name}`)
  } catch (thrown) {
    // Not a link, or nothing at all, of which finding it will tell.
    const { code } = thrown as NodeJS.ErrnoException
    if (code === "EINVAL" || code === "ENOENT" || code === "ENOTDIR") return undefined
    throw thrown
  }
}
