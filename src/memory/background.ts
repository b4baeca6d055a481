/** Does what can wait when there is time for it: one thing at a time, in small steps. */
import { toTrace } from "../base/errors.ts"
import type { Log } from "../base/log.ts"

/**
 * One kind of work. Answers whether it found something to do, or "later" where it could not do it now; what it throws is
 * logged, and it is tried again later, too.
 */
export type Chore = { name: string; step(): Promise<boolean | "later"> }

export type Background = {
  /** There is something to do: it begins once it has been quiet for a moment, and before long in any case. */
  wake(): void
  /** Runs until nothing is left to do. For tests, and for those who must not begin before it is over. */
  idle(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export type BackgroundOptions = {
  chores: readonly Chore[]
  log: Log
  /** Longer than between two turns of somebody who types, shorter than he would notice. */
  quiet_ms: number
  /** However busy it is: what was said is found after so long at the latest. */
  longest_ms: number
}

/** A chore that could not go on is left alone for so long. */
const rest_ms = 30_000

export function openBackground({ chores, log, quiet_ms, longest_ms }: BackgroundOptions): Background {
  let timer: ReturnType<typeof setTimeout> | undefined
  let since: number | undefined
  let running: Promise<void> | undefined
  let again = false
  let is_over = false
  const resting = new Map<Chore, number>()

  const run = () => {
    timer = undefined
    since = undefined
    running ??= work().finally(() => {
      running = undefined
      if (again) wake()
      again = false
    })
    return running
  }
  const work = async () => {
    for (const chore of chores) {
      while (!is_over && (resting.get(chore) ?? 0) <= Date.now() && (await attempt(chore))) {
        // Whoever waits for the event loop comes first.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }
  const attempt = async (chore: Chore) => {
    try {
      const found = await chore.step()
      if (found === "later") rest(chore)
      return found === true
    } catch (thrown) {
      if (is_over) return false
      log.error("the memory's work in the background failed; it is tried again later", {
        chore: chore.name,
        cause: toTrace(thrown),
      })
      rest(chore)
      return false
    }
  }
  const rest = (chore: Chore) => {
    resting.set(chore, Date.now() + rest_ms)
    setTimeout(wake, rest_ms).unref()
  }
  const wake = () => {
    if (is_over) return
    if (running) {
      again = true
      return
    }
    const now = Date.now()
    since ??= now
    clearTimeout(timer)
    timer = setTimeout(run, Math.max(0, Math.min(quiet_ms, since + longest_ms - now)))
    timer.unref()
  }
  return {
    wake,
    async idle() {
      clearTimeout(timer)
      // What runs may have gone past what has come since.
      if (running) await running
      await run()
    },
    async [Symbol.asyncDispose]() {
      is_over = true
      clearTimeout(timer)
      await running
    },
  }
}
