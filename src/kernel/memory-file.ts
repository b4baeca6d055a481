import { writeSync } from "node:fs"
import { openLibc, toC } from "./libc.ts"

const close_on_exec = 0x1
const allow_sealing = 0x2
/** Since Linux 6.3; a system may be set up to refuse the execution of what does not ask for it. */
const executable = 0x10
const add_seals = 1033
/** No seal, shrink, grow or write any more: whoever gets at the descriptor cannot change what will run. */
const all_seals = 0x1 | 0x2 | 0x4 | 0x8

/**
 * A file in memory with these bytes, that can be loaded and executed by `/proc/self/fd/N` whatever is mounted noexec.
 * Returns its descriptor, which is closed on exec; undefined where the system has none. Linux only.
 */
export function openMemoryFile(name: string, bytes: Uint8Array): number | undefined {
  if (process.platform !== "linux") return undefined
  const libc = openLibc({
    memfd_create: { args: ["ptr", "u32"], returns: "i32" },
    fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  })
  const flags = close_on_exec | allow_sealing
  let fd = libc.memfd_create(toC(name), flags | executable)
  if (fd < 0) fd = libc.memfd_create(toC(name), flags)
  if (fd < 0) return undefined
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
  libc.fcntl(fd, add_seals, all_seals)
  return fd
}
