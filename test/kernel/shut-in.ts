/**
 * Puts up a runner's walls around itself as `shut-in.ts PROFILE`, then tries what a runner must not be able to do, by
 * the kernel's own numbers. Writes one line of JSON: what each was answered.
 */
import { ptr, read } from "bun:ffi"
import { readSync, writeSync } from "node:fs"
import { openLibc, toC } from "../../src/kernel/libc.ts"
import { enclose } from "../../src/kernel/own/enclose.ts"
import type { RunnerProfile } from "../../src/kernel/own/runner-filter.ts"
import { makeBlocking } from "../../src/kernel/waiting.ts"

const word = "u64" as const
const libc = openLibc({
  syscall: { args: ["i64", word, word, word, word, word, word], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
  _exit: { args: ["i32"], returns: "void" },
})
const column = process.arch === "x64" ? 0 : 1
type Try = [name: string, numbers: [number, number], ...words: (number | Uint8Array)[]]

const path = toC("/etc/passwd")
/** So that nothing is lost should the walls not hold. */
const nowhere = toC("/nonexistent/weft/file")
const program = toC("/bin/true")
const room = new Uint8Array(256)
const here = -100
const parent = process.ppid
const tries: Try[] = [
  ["open", [2, -1], path, 0],
  ["openat", [257, 56], here, path, 0],
  ["openat2", [437, 437], here, path, room, 24],
  ["openat /proc/self/mem", [257, 56], here, toC("/proc/self/mem"), 2],
  ["creat", [85, -1], nowhere, 0o600],
  ["name_to_handle_at", [303, 264], here, path, room, room],
  ["memfd_create", [319, 279], path, 0],
  ["socket of the internet", [41, 198], 2, 1, 0],
  ["socket of this machine", [41, 198], 1, 1, 0],
  ["socket of netlink", [41, 198], 16, 3, 0],
  ["socketpair", [53, 199], 1, 1, 0, room],
  ["connect", [42, 203], 0, room, 16],
  ["sendto", [44, 206], 1, room, 0, 0],
  ["sendmsg", [46, 211], 1, room, 0],
  ["execve", [59, 221], program, 0, 0],
  ["execveat", [322, 281], here, program, 0, 0],
  ["fork", [57, -1]],
  ["vfork", [58, -1]],
  ["clone of a process", [56, 220], 17, 0, 0, 0, 0],
  ["clone of a thread in a new namespace", [56, 220], 0x10000000 | 0x10f00, 0, 0, 0, 0],
  ["kill", [62, 129], parent, 0],
  ["kill of itself", [62, 129], process.pid, 0],
  ["tkill", [200, 130], parent, 0],
  ["tgkill", [234, 131], parent, parent, 0],
  ["rt_sigqueueinfo", [129, 138], parent, 0, room],
  ["pidfd_open", [434, 434], parent, 0],
  ["ptrace", [101, 117], 0, 0, 0, 0],
  ["process_vm_readv", [310, 270], parent, room, 1, room, 1, 0],
  ["process_vm_writev", [311, 271], parent, room, 1, room, 1, 0],
  ["prctl of dumps", [157, 167], 4, 1, 0, 0, 0],
  ["prctl of the parent's death", [157, 167], 1, 0, 0, 0, 0],
  ["seccomp", [317, 277], 1, 0, room],
  ["io_uring_setup", [425, 425], 1, room],
  ["bpf", [321, 280], 0, room, 64],
  ["userfaultfd", [323, 282], 1],
  ["perf_event_open", [298, 241], room, 0, -1, -1, 0],
  ["setrlimit", [160, 164], 7, room],
  ["prlimit64 of another", [302, 261], parent, 7, 0, room],
  ["prlimit64 that sets another's", [302, 261], parent, 7, room, 0],
  ["prlimit64 that sets its own", [302, 261], 0, 7, room, 0],
  ["fcntl that says whom to signal", [72, 25], 0, 8, parent],
  ["fcntl that says by which signal", [72, 25], 0, 10, 9],
  ["fcntl that has it sent to a group", [72, 25], 0, 15, room],
  ["newfstatat", [262, 79], here, path, room, 0],
  ["setuid", [105, 146], 0],
  ["unlink", [87, -1], nowhere],
  ["unlinkat", [263, 35], here, nowhere, 0],
  ["mkdirat", [258, 34], here, nowhere, 0o700],
  ["readlinkat", [267, 78], here, toC("/proc/self/exe"), room, 256],
  ["getdents64", [217, 61], 0, room, 256],
  ["chdir", [80, 49], path],
  ["mount", [165, 40], nowhere, nowhere, nowhere, 0, 0],
  ["unshare", [272, 97], 0x10000000],
  ["setns", [308, 268], 0, 0],
  ["keyctl", [250, 219], 0, 0],
  ["shmget", [29, 194], 0, 0, 0],
  ["mq_open", [240, 180], nowhere, 0],
  ["inotify_init1", [294, 26], 0],
  ["ioctl", [16, 29], 0, 0x5412, room],
  ["dup", [32, 23], 0],
  ["splice", [275, 76], 0, 0, 1, 0, 1, 0],
  ["setsid", [112, 157]],
  ["the 32-bit door", [0x40000000 | 2, -1], path, 0],
  ["clone3", [435, 435], room, 88],
]

function attempt([, numbers, ...words]: Try): number | "done" {
  const values = words.map((value) =>
    typeof value === "number" ? BigInt.asUintN(64, BigInt(value)) : BigInt(ptr(value)),
  )
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = values
  const result = Number(libc.syscall(numbers[column], a, b, c, d, e, f))
  if (result >= 0) {
    // Perhaps it is a second process by now, which must not go on.
    if (numbers[0] >= 56 && numbers[0] <= 58 && result === 0) libc._exit(0)
    return "done"
  }
  const at = libc.__errno_location()
  return at ? read.i32(at) : 0
}

makeBlocking([0, 1])
const missing = enclose(process.argv[2] as RunnerProfile, process.ppid)
const answers: Record<string, number | string> = {}
for (const one of tries) if (one[1][column] >= 0) answers[one[0]] = attempt(one)
writeSync(1, `${JSON.stringify({ missing, answers })}\n`)
// Held until it is looked at from outside.
readSync(0, new Uint8Array(1))
