import { read as readMemory } from "bun:ffi"
import { accessSync, constants, fchmodSync, lstatSync, openSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { constants as system } from "node:os"
import { walk } from "./beneath.ts"
import type { Disk } from "./disk.ts"
import { systemError } from "./errno.ts"
import { openLibc, toC } from "./libc.ts"

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
/** Of <sys/fcntl.h> and <stdio.h> there. */
const O_SYMLINK = 0x200000
const O_CLOEXEC = 0x1000000
/** No link anywhere in a path. */
const O_NOFOLLOW_ANY = 0x20000000
const F_GETPATH = 50
const path_bytes_max = 1024
const RENAME_EXCL = 4

/**
 * The same folders on macOS, which has no /proc: by the calls that take a descriptor and a name. None of those that are
 * used this way is variadic where it matters, since such arguments are passed differently on its processors.
 */
export function darwinDisk(): Disk {
  const libc = openLibc({
    __error: { args: [], returns: "ptr" },
    dup: { args: ["i32"], returns: "i32" },
    // The path's buffer is the first of the variadic arguments, which arm64 has on the stack: after eight others.
    fcntl: {
      args: process.arch === "arm64" ? ["i32", "i32", ...Array(6).fill("u64"), "ptr"] : ["i32", "i32", "ptr"],
      returns: "i32",
    },
    mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
    openat: { args: ["i32", "ptr", "i32"], returns: "i32" },
    readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: "i64" },
    renameatx_np: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
    unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  })
  const lastErrno = () => {
    const at = libc.__error()
    return at ? readMemory.i32(at) : system.errno.EIO
  }
  const check = (call: string, result: number): number => {
    if (result < 0) throw systemError(call, lastErrno())
    return result
  }
  const openAt = (folder: number, name: string, flags: number) =>
    check("openat", libc.openat(folder, toC(name), flags | O_CLOEXEC))
  // A link itself is opened by O_SYMLINK; O_NOFOLLOW would refuse it.
  const findHere = (folder: number, name: string) => openAt(folder, name, O_RDONLY | O_NONBLOCK | O_SYMLINK)
  const steps = {
    readLink(folder: number, name: string): string | undefined {
      const text = Buffer.alloc(path_bytes_max)
      const length = Number(libc.readlinkat(folder, toC(name), text, text.length))
      if (length >= 0) return text.toString("utf8", 0, length)
      const { EINVAL, ENOENT, ENOTDIR } = system.errno
      const errno = lastErrno()
      if (errno === EINVAL || errno === ENOENT || errno === ENOTDIR) return undefined
      throw systemError("readlinkat", errno)
    },
    openFolder: (folder: number, name: string) => openAt(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
    findHere,
  }
  function pathOf(found: number): string {
    const text = Buffer.alloc(path_bytes_max)
    const call = libc.fcntl as (...words: unknown[]) => number
    const padding = process.arch === "arm64" ? Array(6).fill(0) : []
    check("fcntl", call(found, F_GETPATH, ...padding, text))
    return text.toString("utf8", 0, text.indexOf(0))
  }
  return {
    how: "component by component with openat",
    openFolder: (path) => openSync(path, O_RDONLY | O_DIRECTORY),
    find: (folder, path) => walk(folder, path, steps),
    findHere,
    // What was found is open for reading already.
    openFound: (found) => check("dup", libc.dup(found)),
    pathOf,
    // There is no file system of the kernel's own but /dev, whose things are devices.
    isKernels: () => false,
    async names(folder) {
      const path = pathOf(folder)
      const names = await readdir(path)
      if (pathOf(folder) !== path) throw systemError("readdir", system.errno.ENOENT)
      return names
    },
    stat: (folder, name) => lstatSync(`${pathOf(folder)}/${name}`, { throwIfNoEntry: false }),
    makeFolder(folder, name, mode) {
      const made = libc.mkdirat(folder, toC(name), 0o700)
      const errno = made < 0 ? lastErrno() : 0
      if (made < 0 && errno !== system.errno.EEXIST) throw systemError("mkdirat", errno)
      const fd = openAt(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      if (made === 0) fchmodSync(fd, mode)
      return fd
    },
    checkWritable: (found) => accessSync(pathOf(found), constants.W_OK),
    // Its mode would be a variadic argument of openat; by path, then, and through no link.
    create: (folder, name) =>
      openSync(`${pathOf(folder)}/${name}`, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW_ANY, 0o600),
    rename: (folder, from, to) =>
      void check("renameatx_np", libc.renameatx_np(folder, toC(from), folder, toC(to), 0)),
    renameNew: (folder, from, to) =>
      void check("renameatx_np", libc.renameatx_np(folder, toC(from), folder, toC(to), RENAME_EXCL)),
    remove: (folder, name) => void check("unlinkat", libc.unlinkat(folder, toC(name), 0)),
  }
}
