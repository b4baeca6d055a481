import { openLibc } from "./libc.ts"

const [get_flags, set_flags] = [3, 4]
const nonblocking = 0o4000
const events = { read: 1, write: 4 }

export type WaitFor = (fd: number, event: keyof typeof events) => void

/**
 * Makes calls on these descriptors wait. What is returned waits for one that does not all the same: on systems other
 * than Linux all of them, as a call with a variable number of arguments is not for bun:ffi there.
 */
export function makeBlocking(fds: number[]): WaitFor {
  const libc = openLibc({
    fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
    poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  })
  if (process.platform === "linux") {
    for (const fd of fds) libc.fcntl(fd, set_flags, libc.fcntl(fd, get_flags, 0) & ~nonblocking)
  }
  return (fd, event) => {
    const entry = new Int32Array([fd, events[event]])
    libc.poll(entry, 1, -1)
  }
}
