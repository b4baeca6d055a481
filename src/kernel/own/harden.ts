import { ptr } from "bun:ffi"
import { readFileSync, writeSync } from "node:fs"
import { no_cache } from "../launcher.ts"
import { toC } from "../libc.ts"
import { type Wall, walls } from "../walls.ts"
import { toProgram } from "./bpf.ts"
import { type Calls, lastError, openCalls, prctl } from "./calls.ts"
import { applyLandlock, landlockVersion } from "./landlock.ts"
import { dropCapabilities, limit, preferForKilling, RLIMIT } from "./limits.ts"
import { Failed, type Options, parseOptions, report } from "./options.ts"
import { buildFilter } from "./seccomp.ts"

/** Written to by whoever is not going to execute anything; closed by an execution that succeeds. */
export const ready_fd = 4

/** Why a wall does not hold; those that are not in it do. */
type Missing = Map<Wall, string>

const SIGKILL = 9n
const set_mask = 2
const set_descriptor_flags = 2
const close_on_exec = 1
const add_seals = 1033
const [seal, shrink, grow] = [1, 2, 4]

/**
 * The inner of the two processes: puts up the walls around its main thread and becomes the program, which leaves the
 * other threads behind. `words` are the supervisor, how many tasks its user has already, what is missing of the wall
 * "processes" (or "-"), and then those of native/sandbox.c.
 */
export function hardenAndExecute(words: string[]): void {
  const calls = openCalls()
  try {
    const [supervisor, running, processes, ...rest] = words
    const options = parseOptions(rest)
    const missing: Missing = new Map()
    if (processes !== "-") missing.set("processes", processes!)
    enclose(calls, options, Number(supervisor), Number(running), missing)
    for (const wall of walls) {
      const why = missing.get(wall)
      report(why === undefined ? `holds ${wall}` : `missing ${wall} ${why}`)
    }
    if (walls.some((wall) => options.required.has(wall) && missing.has(wall))) report("refused")
    else report(`failed execute ${execute(calls, options.argv)}`)
  } catch (thrown) {
    if (!(thrown instanceof Failed)) throw thrown
    report(thrown.message)
  }
  writeSync(ready_fd, "x")
  // Not the usual way out, which may need what is forbidden by now.
  calls._exit(0)
}

function enclose(
  calls: Calls,
  options: Options,
  supervisor: number,
  running: number,
  missing: Missing,
): void {
  const miss = (wall: Wall, why: string) => missing.has(wall) || missing.set(wall, why)
  calls.prctl(prctl.set_pdeathsig, SIGKILL, 0, 0, 0)
  if (process.ppid !== supervisor) throw new Failed("parent", "ESRCH")
  const [group, own_group] = [calls.getpgid(options.parent), calls.getpgid(supervisor)]
  calls.setsid()
  preferForKilling()
  calls.umask(0o022)
  if (calls.chdir(toC(options.folder)) !== 0) throw new Failed("folder", lastError(calls))
  resetSignals(calls)
  closeOnExecution(calls)
  // A file in memory, which is how input is given, takes up no more room than it does.
  calls.fcntl(0, add_seals, seal | shrink | grow)
  for (const [resource, value] of limitsOf(options, running)) {
    const failed = limit(calls, resource, value)
    if (failed) miss("limits", `setrlimit: ${failed}`)
  }
  // No other way than RLIMIT_NPROC would hold against who forks as fast as it can.
  if (process.getuid?.() === 0) miss("limits", "processes: the kernel does not count those of root")
  const privileged = dropCapabilities(calls)
  if (privileged) miss("no_new_privileges", `capabilities: ${privileged}`)
  if (calls.prctl(prctl.set_no_new_privs, 1, 0, 0, 0) !== 0) {
    miss("no_new_privileges", `no_new_privs: ${lastError(calls)}`)
  }
  const version = landlockVersion(calls)
  const open = applyLandlock(calls, version, options.grants)
  if (open) miss("landlock", `landlock: ${open}`)
  const wants_landlock = options.required.has("landlock")
  const guarded = [supervisor, options.parent, own_group, group].flatMap((pid) =>
    pid > 0 ? [pid, -pid] : [],
  )
  const unfiltered = applySeccomp(calls, { metadata: !wants_landlock, guarded: [...new Set(guarded)] })
  if (unfiltered) miss("seccomp", `seccomp: ${unfiltered}`)
  // Landlock knows nothing of modes and owners; the filter forbids them to those who must have this wall.
  if (!wants_landlock) miss("landlock", "modes and owners: there is no namespace of mounts")
  else if (unfiltered) miss("landlock", `modes and owners: ${unfiltered}`)
  if (version < 3) miss("landlock", "truncate: ENOSYS")
  // The filter guards us and the gateway only; the processes of the same user are more.
  if (version < 6) miss("processes", "signals: this kernel's Landlock does not hold them back")
  if (unfiltered) miss("network", `seccomp: ${unfiltered}`)
  if (options.proxy) miss("network", "hosts are granted, and there is no namespace of the network")
}

function limitsOf(options: Options, running: number): [number, bigint][] {
  return [
    [RLIMIT.core, 0n],
    [RLIMIT.nofile, BigInt(options.files)],
    [RLIMIT.fsize, options.file_bytes],
    [RLIMIT.nproc, BigInt(options.processes + running)],
    [RLIMIT.stack, 8n << 20n],
    [RLIMIT.memlock, 1n << 20n],
    [RLIMIT.msgqueue, 0n],
    [RLIMIT.nice, 0n],
    [RLIMIT.rtprio, 0n],
  ]
}

/**
 * What is ignored here would be ignored in the program. Those that are handled begin anew with it, and must not be
 * touched before: the collector of garbage stops threads by signals.
 */
function resetSignals(calls: Calls): void {
  const ignored = BigInt(
    `0x${readFileSync("/proc/self/status", "utf8").match(/^SigIgn:\s*(\w+)/m)?.[1] ?? 0}`,
  )
  for (let number = 1n; number <= 64n; number++) {
    if (ignored & (1n << (number - 1n))) calls.signal(Number(number), 0)
  }
}

/** Whatever was inherited or opened meanwhile, from the status on. */
function closeOnExecution(calls: Calls): void {
  const close_range = 436
  const only_mark = 4
  if (Number(calls.syscall(close_range, 3, 0xffffffff, only_mark, 0)) === 0) return
  for (let fd = 3; fd < 1024; fd++) calls.fcntl(fd, set_descriptor_flags, close_on_exec)
}

function applySeccomp(calls: Calls, options: Parameters<typeof buildFilter>[0]): string | undefined {
  if (process.arch !== "x64" && process.arch !== "arm64") return "ENOSYS"
  const filter = buildFilter(options, process.arch)
  const program = toProgram(filter)
  const by_filter = 2
  return calls.prctl(prctl.set_seccomp, by_filter, ptr(program), 0, 0) === 0 ? undefined : lastError(calls)
}

/** Returns only if it fails, the error's name. The environment is the one this process was started with. */
function execute(calls: Calls, argv: readonly string[]): string {
  const environment = readFileSync("/proc/self/environ")
  const words = argv.map(toC)
  const variables = splitZero(environment)
    .filter((part) => !Object.keys(no_cache).some((name) => part.toString().startsWith(`${name}=`)))
    .map((part) => Buffer.concat([part, Buffer.alloc(1)]))
  const nothing = new Uint8Array(128)
  calls.sigprocmask(set_mask, nothing, null)
  calls.execve(words[0]!, toPointers(words), toPointers(variables))
  return lastError(calls)
}

function splitZero(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start)
    parts.push(bytes.subarray(start, end === -1 ? bytes.length : end))
    start = end === -1 ? bytes.length : end + 1
  }
  return parts
}

const toPointers = (words: Buffer[]) => new BigUint64Array([...words.map((word) => BigInt(ptr(word))), 0n])
