import { heldBytes, type ReadProc, usedMs } from "./proc.ts"

/** How often it is looked at; between two looks a guest can take no more than its own memory, which is capped too. */
const every_ms = 50
/** Of those that have nothing to do, which may do something all the same. */
const idle_every_ms = 250
/** What an engine may have to do once a call is over: compiling what was called often has taken it 1.8 s. */
const idle_work_ms_max = 3000

/** What keeps an eye on the memory of processes, and on the work of those that have nothing to do. */
export type Watch = Disposable & {
  /** Calls `onExceeded` once where the process has more than that or works for nobody, from now on until it is removed. */
  add(pid: number, bytes_max: number, onExceeded: () => void): void
  /** It works, as one does that was just added, or it has nothing to do. */
  mark(pid: number, is_busy: boolean): void
  remove(pid: number): void
}

type Watched = {
  bytes_max: number
  onExceeded: () => void
  is_busy: boolean
  /** Of all that it has worked, when it was first seen with nothing to do. */
  idle_since_work_ms: number | undefined
}

/** Without `read` the system's own files are. Of a process that they do not tell of it sees nothing. */
export function openWatch(read?: ReadProc): Watch {
  const watched = new Map<number, Watched>()
  let timer: NodeJS.Timeout | undefined
  let looks_at_ms = Number.POSITIVE_INFINITY

  function look(): void {
    for (const [pid, one] of watched) {
      if ((heldBytes(pid, read) ?? 0) <= one.bytes_max && !worksForNobody(pid, one, read)) continue
      watched.delete(pid)
      one.onExceeded()
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
      watched.set(pid, { bytes_max, onExceeded, is_busy: true, idle_since_work_ms: undefined })
      lookWithin(every_ms)
    },
    mark(pid, is_busy) {
      const found = watched.get(pid)
      if (found) Object.assign(found, { is_busy, idle_since_work_ms: undefined })
      if (is_busy) lookWithin(every_ms)
    },
    remove: (pid) => void watched.delete(pid),
    [Symbol.dispose]() {
      watched.clear()
      clearTimeout(timer)
    },
  }
}

function worksForNobody(pid: number, one: Watched, read?: ReadProc): boolean {
  if (one.is_busy) return false
  const used_ms = usedMs(pid, read) ?? 0
  one.idle_since_work_ms ??= used_ms
  return used_ms - one.idle_since_work_ms > idle_work_ms_max
}
