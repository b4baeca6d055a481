import { readFileSync } from "node:fs"

/** How often it is looked at; between two looks a guest can take no more than its own memory, which is capped too. */
const every_ms = 50

/** What keeps an eye on the resident memory of processes while they work. */
export type MemoryWatch = Disposable & {
  /** Calls `onExceeded` once where the process has more than that. */
  add(pid: number, bytes_max: number, onExceeded: () => void): void
  remove(pid: number): void
}

type Watched = { bytes_max: number; onExceeded: () => void }

export function openMemoryWatch(): MemoryWatch {
  const watched = new Map<number, Watched>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    // Only now, as calls come faster than a timer is made.
    if (watched.size === 0) stop()
    for (const [pid, { bytes_max, onExceeded }] of watched) {
      if ((residentBytes(pid) ?? 0) <= bytes_max) continue
      watched.delete(pid)
      onExceeded()
    }
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    add(pid, bytes_max, onExceeded) {
      watched.set(pid, { bytes_max, onExceeded })
      timer ??= setInterval(look, every_ms).unref()
    },
    remove: (pid) => void watched.delete(pid),
    [Symbol.dispose]() {
      watched.clear()
      stop()
    },
  }
}

/** undefined where there is no such process, or a system that does not say. */
export function residentBytes(pid: number): number | undefined {
  try {
    const [kilobytes] = readFileSync(`/proc/${pid}/status`, "utf8").match(/(?<=^VmRSS:\s+)\d+/m) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}
