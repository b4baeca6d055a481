import { accessSync, readdirSync, readFileSync, statSync } from "node:fs"
import { isCode } from "../disk.ts"

/** Everything below a process, as /proc shows it; children before their parents. */
export function descendantsOf(pid: number | "self"): number[] {
  const found: number[] = []
  // A list, as a chain of processes may be longer than the stack.
  const waiting = childrenOf(pid)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next)
    waiting.push(...childrenOf(next))
  }
  return found.reverse()
}

/** Those that ended and were not waited for, too. */
export function childrenOf(pid: number | "self"): number[] {
  const tasks = orGone(() => readdirSync(`/proc/${pid}/task`)) ?? []
  return tasks.flatMap((task) => {
    const text = orGone(() => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")) ?? ""
    return text.split(" ").filter(Boolean).map(Number)
  })
}

/** Kernels can be built without this list. */
export function canListChildren(): boolean {
  try {
    accessSync("/proc/thread-self/children")
    return true
  } catch (thrown) {
    if (isCode(thrown, "ENOENT", "EACCES")) return false
    throw thrown
  }
}

/** Threads, and bytes of memory that stay when files are dropped from the cache; what is shared is counted by each. */
export function usageOf(pids: readonly number[]): { tasks: number; bytes: number } {
  let [tasks, bytes] = [0, 0]
  for (const pid of pids) {
    const status = orGone(() => readFileSync(`/proc/${pid}/status`, "utf8")) ?? ""
    tasks += Number(status.match(/^Threads:\s*(\d+)/m)?.[1] ?? 0)
    bytes += sum(status, /^(?:RssAnon|RssShmem|VmSwap|HugetlbPages):\s*(\d+)/gm)
  }
  return { tasks, bytes }
}

/** The same memory with each page once, however many share it. Slower. */
export function exactBytesOf(pids: readonly number[]): number {
  const each = pids.map((pid) => {
    const rollup = orGone(() => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))
    return rollup === undefined
      ? usageOf([pid]).bytes
      : sum(rollup, /^(?:Pss_Anon|Pss_Shmem|SwapPss|(?:Private|Shared)_Hugetlb):\s*(\d+)/gm)
  })
  return each.reduce((all, bytes) => all + bytes, 0)
}

/** Of fields in KiB. */
const sum = (text: string, fields: RegExp): number =>
  [...text.matchAll(fields)].reduce((all, [, kilobytes]) => all + Number(kilobytes) * 1024, 0)

/** Tasks of our user, which count against the same RLIMIT_NPROC. */
export function countUserTasks(): number {
  const uid = process.getuid?.()
  const counts = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const stat = orGone(() => statSync(`/proc/${name}/task`))
      return stat && stat.uid === uid ? Math.max(0, stat.nlink - 2) : 0
    })
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Processes end while they are looked at. */
function orGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (thrown) {
    if (isCode(thrown, "ENOENT", "ESRCH", "EACCES", "ENOTDIR")) return undefined
    throw thrown
  }
}
