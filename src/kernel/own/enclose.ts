import { ptr } from "bun:ffi"
import { openLibc } from "../libc.ts"
import { toProgram } from "./bpf.ts"
import { type Calls, lastError, openCalls, prctl } from "./calls.ts"
import { countUserTasks } from "./descendants.ts"
import { dropCapabilities, limit, preferForKilling, RLIMIT } from "./limits.ts"
import { buildRunnerFilter, type RunnerProfile } from "./runner-filter.ts"

const SIGKILL = 9n
const seccomp = { x64: 317, arm64: 277 }
const set_filter = 1
/** For all threads of the process, which the engine has started long before. */
const all_threads = 1
/** The kernel's user and group for whom there is no other. */
const nobody = 65534
/** Descriptors: those that are open by now, and some of the engine's own. */
const files = { reactor: 16, wasmer: 256 }
/**
 * Beyond those of its user by now, whose later ones count too: a runner that starts threads without end is stopped before
 * the system has no more to give, and one that starts its few does not fail for what others do.
 */
const further_tasks = 4096

/**
 * Shuts this process in for the rest of its life, as one that computes for `parent` and talks to nobody else. Returns
 * what this system does not give, each with the reason. Ends the process where its parent is gone already.
 */
export function enclose(profile: RunnerProfile, parent: number): string[] {
  if (process.platform !== "linux") {
    return [`walls: a process is shut in on Linux only; this system is ${process.platform}`]
  }
  const calls = openCalls()
  const missing: string[] = []
  const miss = (wall: string, why: string | undefined) => {
    if (why !== undefined) missing.push(`${wall}: ${why}`)
  }
  const check = (result: number) => (result === 0 ? undefined : lastError(calls))
  preferForKilling()
  miss("user", becomeNobody(check))
  // Once more, as another user takes it back.
  miss("parent", endWith(calls, parent))
  // A terminal's signals are not for it. Whoever leads a group already cannot have a session.
  calls.setsid()
  for (const [name, resource, value] of limitsOf(profile)) {
    miss(`limit of ${name}`, limit(calls, resource, value))
  }
  miss("capabilities", dropCapabilities(calls))
  miss("no_new_privileges", check(calls.prctl(prctl.set_no_new_privs, 1, 0, 0, 0)))
  // Others of the same user can then neither trace it nor read its memory.
  miss("dumpable", check(calls.prctl(prctl.set_dumpable, 0, 0, 0, 0)))
  miss("seccomp", applyFilter(calls, profile))
  return missing
}

/**
 * From now on this process ends when `parent` does, and at once where that is gone already. For what it does before it
 * shuts itself in, which may take long, or for ever on a system that has no more threads to give.
 */
export function followParent(parent: number): void {
  if (process.platform === "linux") endWith(openCalls(), parent)
}

/** Returns why it will not. */
function endWith(calls: Calls, parent: number): string | undefined {
  const failed = calls.prctl(prctl.set_pdeathsig, SIGKILL, 0, 0, 0) !== 0
  const why = failed ? lastError(calls) : undefined
  // It may have died before it was asked for.
  if (process.ppid !== parent) calls._exit(1)
  return why
}

/** None of memory: the engine reserves far more than it uses, and ends itself where it may not. */
const limitsOf = (profile: RunnerProfile): [string, number, bigint][] => [
  ["dumps", RLIMIT.core, 0n],
  ["files", RLIMIT.nofile, BigInt(files[profile])],
  ["written bytes", RLIMIT.fsize, 0n],
  ["locked memory", RLIMIT.memlock, 0n],
  ["threads", RLIMIT.nproc, BigInt(countUserTasks() + further_tasks)],
  ["queues", RLIMIT.msgqueue, 0n],
  ["priority", RLIMIT.nice, 0n],
  ["real-time priority", RLIMIT.rtprio, 0n],
]

/**
 * Root has nothing to lose by being nobody here. It is the only way to take the capabilities of all threads: the C library
 * changes the user of each, but `capset` is for one.
 */
function becomeNobody(check: (result: number) => string | undefined): string | undefined {
  if (process.getuid?.() !== 0) return undefined
  const libc = openLibc({
    setgroups: { args: ["u64", "ptr"], returns: "i32" },
    setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
    setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
  })
  return (
    check(libc.setgroups(0, null)) ??
    check(libc.setresgid(nobody, nobody, nobody)) ??
    check(libc.setresuid(nobody, nobody, nobody))
  )
}

function applyFilter(calls: Calls, profile: RunnerProfile): string | undefined {
  const { arch } = process
  if (arch !== "x64" && arch !== "arm64") return `there is no filter for ${arch}`
  const filter = buildRunnerFilter(profile, process.pid, arch)
  const program = toProgram(filter)
  // A number above 0 is a thread that has another filter and cannot be given this one.
  const result = Number(calls.syscall(seccomp[arch], set_filter, all_threads, ptr(program), 0))
  if (result === 0) return undefined
  return result > 0 ? "a thread has a filter of its own" : lastError(calls)
}
