import { type Module, PluginFailed } from "../module.ts"
import type { Runner } from "./runner.ts"

export type Waiting = {
  readonly module: Module
  readonly key: string
  resolve(runner: Runner): void
  reject(reason: unknown): void
}

/** Calls that wait for a runner, the oldest first. */
export type Queue = {
  /** Rejects with the signal's reason, or with PluginFailed where no runner was free within the call's own time. */
  add(module: Module, key: string, signal: AbortSignal): Promise<Runner>
  /** As they are now. */
  all(): readonly Waiting[]
  give(waiting: Waiting, runner: Runner): void
  /** All of one module. */
  fail(key: string, reason: unknown): void
  failAll(reason: unknown): void
}

/** `isComing` says whether a runner is being made ready; that has limits of its own. */
export function openQueue(isComing: (key: string) => boolean): Queue {
  let queue: readonly Waiting[] = []

  function leave(waiting: Waiting): void {
    queue = queue.filter((other) => other !== waiting)
  }

  /** Whoever is told that there is nothing must not be given a runner any more. */
  function refuse(waiting: Waiting, reason: unknown): void {
    leave(waiting)
    waiting.reject(reason)
  }

  return {
    async add(module, key, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Runner>()
      const waiting: Waiting = { module, key, resolve, reject }
      queue = [...queue, waiting]
      const { timeout_ms } = module.limits
      const late = () => {
        if (isComing(key)) timer = setTimeout(late, timeout_ms).unref()
        else
          refuse(
            waiting,
            new PluginFailed("time", `No process was free for the plugin within ${timeout_ms} ms.`),
          )
      }
      let timer = setTimeout(late, timeout_ms).unref()
      const abort = () => refuse(waiting, signal.reason)
      signal.addEventListener("abort", abort)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        signal.removeEventListener("abort", abort)
      }
    },
    all: () => queue,
    give(waiting, runner) {
      leave(waiting)
      waiting.resolve(runner)
    },
    fail(key, reason) {
      for (const waiting of queue) if (waiting.key === key) refuse(waiting, reason)
    },
    failAll(reason) {
      for (const waiting of queue) refuse(waiting, reason)
    },
  }
}
