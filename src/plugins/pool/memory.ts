import { readFileSync } from "node:fs"

/** How often it is looked at; between two looks a guest can take no more than its own memory, which is capped too. */
const every_ms = 50
/** Of those that have nothing to do, which may do something all the same. */
const idle_every_ms = 250

/** What keeps an eye on the memory of processes, closer on those that work. */
export type MemoryWatch = Disposable & {
  /** Calls `onExceeded` once where the process has more than that, from now on until it is removed. */
  add(pid: number, bytes_max: number, onExceeded: () => void): void
  /** It works, as one does that was just added, or it has nothing to do. */
  mark(pid: number, is_busy: boolean): void
  remove(pid: number): void
}

type Watched = { bytes_max: number; onExceeded: () => void; is_busy: boolean }

export function openMemoryWatch(): MemoryWatch {
  const watched = new Map<number, Watched>()
  let timer: NodeJS.Timeout | undefined
  let looks_at_ms = Number.POSITIVE_INFINITY

  function look(): void {
    for (const [pid, { bytes_max, onExceeded }] of watched) {
      if ((heldBytes(pid) ?? 0) <= bytes_max) continue
      watched.delete(pid)
      onExceeded()
    }
    looks_at_ms = Number.POSITIVE_INFINITY
    if (watched.size === 0) return
    // Only now, as calls come and go faster than a timer is made.
    lookWithin([...watched.values()].some(({ is_busy }) => is_busy) ? every_ms : idle_every_ms)
  }

  function lookWithin(delay_ms: number): void {
    const at_ms = performance.now() + delay_ms
    if (looks_at_ms <= at_ms) return
    clearTimeout(timer)
    looks_at_ms = at_ms
    timer = setTimeout(look, delay_ms).unref()
  }

  return {
    add(pid, bytes_max, onExceeded) {
      watched.set(pid, { bytes_max, onExceeded, is_busy: true })
      lookWithin(every_ms)
    },
    mark(pid, is_busy) {
      const found = watched.get(pid)
      if (found) found.is_busy = is_busy
      if (is_busy) lookWithin(every_ms)
    },
    remove: (pid) => void watched.delete(pid),
    [Symbol.dispose]() {
      watched.clear()
      clearTimeout(timer)
    },
  }
}

/** What the system holds for a process: in memory, swapped out, and to find either; undefined as with `residentBytes`. */
const heldBytes = (pid: number): number | undefined => sumOf(pid, /^Vm(?:RSS|Swap|PTE):\s+(\d+)/gm)

/** undefined where there is no such process, or a system that does not say. */
export const residentBytes = (pid: number): number | undefined => sumOf(pid, /^VmRSS:\s+(\d+)/gm)

function sumOf(pid: number, lines: RegExp): number | undefined {
  try {
    const found = [...readFileSync(`/proc/${pid}/status`, "utf8").matchAll(lines)]
    if (found.length === 0) return undefined
    return found.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}
