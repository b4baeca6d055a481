import { syscalls } from "../syscalls.gen.ts"
import {
  ANSWER,
  allow,
  argument_at,
  clone_namespaces,
  errno,
  IF_ANY_BIT,
  IF_AT_LEAST,
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

export type FilterOptions = {
  /** chmod and the like, of which Landlock knows nothing. */
  metadata: boolean
  /** Processes (and negative: groups) that it must not signal. */
  guarded: number[]
}

const unix_family = 1
/** Of terminals, and two that choose who is signalled for a socket. */
const refused_requests = [0x5412, 0x541c, 0x541d, 0x5423, 0x8901, 0x8902]
const set_owner_commands = [8, 15]

/** Of calls that give a file a mode: which argument it is, and which one says whether there is one at all. */
const modes_at = [
  ["chmod", 1],
  ["fchmod", 1],
  ["fchmodat", 2],
  ["fchmodat2", 2],
  ["creat", 1],
  ["mknod", 1],
  ["mknodat", 2],
  ["open", 2, 1],
  ["openat", 3, 2],
] as const
const set_user_id = 0o4000
/** O_CREAT and __O_TMPFILE. */
const makes_a_file = 0o100 | 0o20000000

/**
 * The system calls that a sandboxed program does not get: instruction by instruction what native/sandbox-seccomp.h
 * makes where there are no namespaces, which the tests compare.
 */
export function buildFilter({ metadata, guarded }: FilterOptions, machine: Machine): Buffer {
  const code: Instruction[] = []
  const column = machine === "x64" ? 0 : 1
  const emit = (...instruction: Instruction) => code.push(instruction)
  const answer = (value: number) => emit(ANSWER, value, 0, 0)
  const load = (offset: number) => emit(LOAD, offset, 0, 0)
  const answerEqual = (value: number, result: number) => {
    emit(IF_EQUAL, value >>> 0, 0, 1)
    answer(result)
  }
  const numbers = (list: Record<string, readonly [number, number]>) =>
    Object.values(list)
      .map((row) => row[column])
      .filter((call) => call >= 0)
  const numberOf = (name: keyof typeof syscalls.number) => syscalls.number[name][column]
  /** For one call, with an argument of it loaded; the jump over the block is filled in at its end. */
  const block = (name: keyof typeof syscalls.number, argument: number, fill: () => void) => {
    const jump: Instruction = [IF_EQUAL, numberOf(name), 0, 0]
    const start = code.push(jump)
    load(argument_at(argument))
    fill()
    jump[3] = code.length - start
  }

  load(machine_at)
  emit(IF_EQUAL, machines[machine], 1, 0)
  answer(kill)
  load(number_at)
  if (machine === "x64") {
    // The x32 numbers are a second door to everything below.
    emit(IF_AT_LEAST, 0x40000000, 0, 1)
    answer(errno("ENOSYS"))
  }
  for (const call of numbers(syscalls.refuse)) answerEqual(call, errno("EPERM"))
  for (const call of numbers(syscalls.absent)) answerEqual(call, errno("ENOSYS"))
  filterSetuid()
  if (!metadata) {
    for (const call of numbers(syscalls.metadata)) answerEqual(call, errno("EPERM"))
    block("utimensat", 1, () => {
      // Without a path it is about an open descriptor.
      emit(IF_EQUAL, 0, 0, 3)
      load(argument_at(1) + 4)
      answerEqual(0, allow)
      answer(errno("EPERM"))
    })
  }
  filterSignals()
  block("socket", 0, () => answer(errno("EAFNOSUPPORT")))
  block("socketpair", 0, () => {
    answerEqual(unix_family, allow)
    answer(errno("EAFNOSUPPORT"))
  })
  block("clone", 0, () => {
    emit(IF_ANY_BIT, clone_namespaces, 0, 1)
    answer(errno("EPERM"))
    answer(allow)
  })
  block("ioctl", 1, () => {
    for (const request of refused_requests) answerEqual(request, errno("EPERM"))
    answer(allow)
  })
  block("personality", 0, () => {
    answerEqual(0xffffffff, allow)
    answerEqual(0, allow)
    answer(errno("EPERM"))
  })
  block("prlimit64", 0, () => {
    answerEqual(0, allow)
    answer(errno("EPERM"))
  })
  answer(allow)
  return toBytes(code)

  /** A program of the gateway's user, or root's, for whoever can reach the folder from outside. */
  function filterSetuid(): void {
    for (const [name, mode, flags] of modes_at) {
      if (numberOf(name) < 0) continue
      block(name, flags ?? mode, () => {
        if (flags !== undefined) {
          emit(IF_ANY_BIT, makes_a_file, 0, 3)
          load(argument_at(mode))
        }
        emit(IF_ANY_BIT, set_user_id, 0, 1)
        answer(errno("EPERM"))
        load(number_at)
      })
    }
  }

  function filterSignals(): void {
    if (guarded.length === 0) return
    answerEqual(numberOf("tkill"), errno("EPERM"))
    // A folder of /proc does for it as well as what pidfd_open gives.
    answerEqual(numberOf("pidfd_send_signal"), errno("EPERM"))
    const calls = [
      ["kill", 0],
      ["tgkill", 0],
      ["tgkill", 1],
      ["rt_sigqueueinfo", 0],
      ["rt_tgsigqueueinfo", 0],
      ["rt_tgsigqueueinfo", 1],
      ["pidfd_open", 0],
    ] as const
    for (const [name, argument] of calls) {
      block(name, argument, () => {
        for (const pid of [...guarded, -1]) answerEqual(pid, errno("EPERM"))
        // A later pair may look at another argument of the same call.
        load(number_at)
      })
    }
    // Signals by way of a descriptor's owner.
    block("fcntl", 1, () => {
      for (const command of set_owner_commands) answerEqual(command, errno("EPERM"))
      answer(allow)
    })
  }
}
