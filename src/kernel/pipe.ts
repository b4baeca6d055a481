import { read } from "bun:ffi"
import { once } from "../base/once.ts"
import { systemError } from "./errno.ts"
import { openLibc } from "./libc.ts"

const close_on_exec = 0o2000000

const libc = once(() =>
  openLibc({
    pipe2: { args: ["ptr", "i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  }),
)

export type Pipe = { read: number; write: number }

/**
 * A pipe, both ends closed on exec and the caller's to close. Where Bun makes the streams of a child they are sockets,
 * which cannot be opened by /dev/stdout. Throws as node:fs does. Linux only.
 */
export function openPipe(): Pipe {
  const ends = new Int32Array(2)
  if (libc().pipe2(ends, close_on_exec) < 0) {
    const at = libc().__errno_location()
    throw systemError("pipe2", at ? read.i32(at) : 0)
  }
  return { read: ends[0]!, write: ends[1]! }
}
