import { toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"

/** Work beside the gateway's own, one after the other. */
export type Background = {
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
  /** What waits under this name already is not done twice. */
  start(name: string, run: (signal: AbortSignal) => Promise<void>): void
  idle(): Promise<void>
  stop(): Promise<void>
}

export function openBackground(log: Log): Background {
  const stopping = new AbortController()
  const { signal } = stopping
  const waiting = new Set<string>()
  let last = Promise.resolve()
  const runNext = async (name: string, run: (signal: AbortSignal) => Promise<void>) => {
    waiting.delete(name)
    if (signal.aborted) return
    try {
      await run(signal)
    } catch (thrown) {
      if (!signal.aborted) log.error("Work on the vectors failed.", { work: name, trace: toTrace(thrown) })
    }
  }
  const idle = async () => {
    for (let seen: unknown; seen !== last; ) {
      seen = last
      await last
    }
  }
  return {
    signal,
    start(name, run) {
      if (waiting.has(name) || signal.aborted) return
      waiting.add(name)
      last = last.then(() => runNext(name, run))
    },
    idle,
    async stop() {
      stopping.abort()
      await idle()
    },
  }
}

export type Pace = {
  /** Work goes on for so long before everything else has its turn. */
  slice_ms: number
  /** Rows that are read from SQLite at once. */
  rows_at_once: number
}

/** Long enough that the pauses cost little, and short enough that nobody notices. */
export const usual_pace: Pace = { slice_ms: 4, rows_at_once: 128 }

/** Lets everything else that waits have its turn; throws the signal's reason. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
  signal?.throwIfAborted()
}
