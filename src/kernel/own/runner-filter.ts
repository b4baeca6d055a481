import {
  ANSWER,
  allow,
  argument_at,
  clone_namespaces,
  errno,
  IF_ANY_BIT,
  IF_EQUAL,
  type Instruction,
  kill,
  LOAD,
  type Machine,
  machine_at,
  machines,
  number_at,
  toBytes,
} from "./bpf.ts"

export type RunnerProfile = "reactor" | "wasmer"

/** By name with their numbers on x64 and arm64; -1 is not there. */
type Numbers = Record<string, readonly [number, number]>

/**
 * All that a process needs that computes and says so: memory, threads of its own, clocks, and the descriptors that it
 * already has. Found by strace: calls, growing memory, collecting garbage and compiling in the background.
 */
export const reactor_calls: Numbers = {
  read: [0, 63],
  write: [1, 64],
  poll: [7, -1],
  ppoll: [271, 73],
  epoll_wait: [232, -1],
  epoll_pwait: [281, 22],
  epoll_pwait2: [441, 441],
  epoll_ctl: [233, 21],
  mmap: [9, 222],
  mprotect: [10, 226],
  munmap: [11, 215],
  mremap: [25, 216],
  madvise: [28, 233],
  brk: [12, 214],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  // The collector holds a thread still by a signal, in which it waits for the next.
  rt_sigsuspend: [130, 133],
  sigaltstack: [131, 132],
  futex: [202, 98],
  sched_yield: [24, 124],
  sched_getaffinity: [204, 123],
  membarrier: [324, 283],
  set_robust_list: [273, 99],
  rseq: [334, 293],
  getpid: [39, 172],
  gettid: [186, 178],
  nanosleep: [35, 101],
  clock_nanosleep: [230, 115],
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  gettimeofday: [96, 169],
  time: [201, -1],
  getrusage: [98, 165],
  getrandom: [318, 278],
  restart_syscall: [219, 128],
  exit: [60, 93],
  exit_group: [231, 94],
}

/** What a program's runner needs besides: it has threads with event loops of their own. */
export const wasmer_calls: Numbers = {
  close: [3, 57],
  fstat: [5, 80],
  lseek: [8, 62],
  eventfd2: [290, 19],
  epoll_create1: [291, 20],
  timerfd_create: [283, 85],
  timerfd_settime: [286, 86],
  set_tid_address: [218, 96],
  getrlimit: [97, 163],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  uname: [63, 160],
  sysinfo: [99, 179],
}

const clone: readonly [number, number] = [56, 220]
const clone3: readonly [number, number] = [435, 435]
const prctl: readonly [number, number] = [157, 167]
const tgkill: readonly [number, number] = [234, 131]
const fcntl: readonly [number, number] = [72, 25]
const prlimit64: readonly [number, number] = [302, 261]
const makes_thread = 0x10000
const set_name = 15
/**
 * To copy a descriptor, and to read and set its flags. With the others a process names who is to be sent which signal
 * when something comes to be read: its gateway, where that has the same user, and SIGKILL.
 */
const descriptor_commands = [1030, 1, 2, 3, 4]

/**
 * What a runner may still ask the kernel for, once it has put up its walls; all else is refused with EPERM: no file, no
 * connection, no process, no signal to another. `pid` is its own.
 */
export function buildRunnerFilter(profile: RunnerProfile, pid: number, machine: Machine): Buffer {
  const column = machine === "x64" ? 0 : 1
  const granted = { ...reactor_calls, ...(profile === "wasmer" ? wasmer_calls : {}) }
  const allowed = Object.values(granted)
    .map((row) => row[column])
    .filter((call) => call >= 0)
  const refuse = errno("EPERM")
  const when = (call: readonly [number, number], ...then: Instruction[]): Instruction[] => [
    [IF_EQUAL, call[column], 0, then.length],
    ...then,
  ]
  return toBytes([
    [LOAD, machine_at, 0, 0],
    [IF_EQUAL, machines[machine], 1, 0],
    [ANSWER, kill, 0, 0],
    [LOAD, number_at, 0, 0],
    ...allowed.flatMap((call) => when([call, call], [ANSWER, allow, 0, 0])),
    // Its flags are in memory, where no filter sees them; without it the C library takes clone.
    ...when(clone3, [ANSWER, errno("ENOSYS"), 0, 0]),
    ...when(
      clone,
      [LOAD, argument_at(0), 0, 0],
      [IF_ANY_BIT, clone_namespaces, 1, 0],
      [IF_ANY_BIT, makes_thread, 1, 0],
      [ANSWER, refuse, 0, 0],
      [ANSWER, allow, 0, 0],
    ),
    ...when(prctl, ...onlyWhere([argument_at(0), [set_name]])),
    ...when(tgkill, ...onlyWhere([argument_at(0), [pid]])),
    ...(profile === "wasmer" ? wasmerRules() : []),
    [ANSWER, refuse, 0, 0],
  ])

  /** Limits are read, of itself alone: those of another process of the same user could be set as well. */
  function wasmerRules(): Instruction[] {
    const nothing: Condition[] = [argument_at(2), argument_at(2) + 4].map((word) => [word, [0]])
    return [
      ...when(fcntl, ...onlyWhere([argument_at(1), descriptor_commands])),
      ...when(prlimit64, ...onlyWhere([argument_at(0), [0]], ...nothing)),
    ]
  }
}

/** Where a 32-bit word of the call is, and what it may be. */
type Condition = [word_at: number, values: readonly number[]]

/** All of the conditions have to hold. The arguments that they are about are 32-bit numbers, but for pointers. */
function onlyWhere(...conditions: Condition[]): Instruction[] {
  const refuse: Instruction = [ANSWER, errno("EPERM"), 0, 0]
  return [
    ...conditions.flatMap(([word_at, values]): Instruction[] => [
      [LOAD, word_at, 0, 0],
      ...values.map((value, index): Instruction => [IF_EQUAL, value, values.length - index, 0]),
      refuse,
    ]),
    [ANSWER, allow, 0, 0],
  ]
}
