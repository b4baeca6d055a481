import { read } from "bun:ffi"
import { getSystemErrorName } from "node:util"
import { openLibc } from "../libc.ts"

/** The functions of the C library that Bun does not offer. Numbers of system calls that have none are in `syscall`. */
export const openCalls = () =>
  openLibc({
    _exit: { args: ["i32"], returns: "void" },
    __errno_location: { args: [], returns: "ptr" },
    capset: { args: ["ptr", "ptr"], returns: "i32" },
    chdir: { args: ["ptr"], returns: "i32" },
    dup2: { args: ["i32", "i32"], returns: "i32" },
    execve: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
    fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
    getpgid: { args: ["i32"], returns: "i32" },
    getrlimit: { args: ["i32", "ptr"], returns: "i32" },
    pipe2: { args: ["ptr", "i32"], returns: "i32" },
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
    setrlimit: { args: ["i32", "ptr"], returns: "i32" },
    setsid: { args: [], returns: "i32" },
    signal: { args: ["i32", "i64"], returns: "u64" },
    sigprocmask: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    syscall: { args: ["i64", "u64", "u64", "u64", "u64"], returns: "i64" },
    umask: { args: ["u32"], returns: "u32" },
    waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  })

export type Calls = ReturnType<typeof openCalls>

/** The name of what the last call failed with. To be asked for at once, before anything else runs. */
export function lastError(calls: Calls): string {
  const at = calls.__errno_location()
  return at ? getSystemErrorName(-read.i32(at)) : "EIO"
}

export const prctl = {
  set_pdeathsig: 1,
  set_dumpable: 4,
  set_seccomp: 22,
  capbset_drop: 24,
  set_child_subreaper: 36,
  set_no_new_privs: 38,
  cap_ambient: 47,
} as const
