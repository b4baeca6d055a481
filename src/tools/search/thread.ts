import { threadUrl } from "../../base/thread.ts"
import type { FileHit, Job, Report } from "./job.ts"
import type { Counts } from "./walk.ts"

/** How long a search that should stop may take to do so before its thread is taken away. */
const stop_ms = 2_000

/**
 * Searches in a thread of its own. Yields hits as they are found and returns what was looked at; throws the signal's
 * reason, or an Error that says what is wrong with the pattern. When it ends, however it ends, so has the thread.
 */
export async function* searchInThread(
  job: Omit<Job, "stop">,
  signal: AbortSignal,
): AsyncGenerator<FileHit[], Counts, undefined> {
  signal.throwIfAborted()
  const stop = new SharedArrayBuffer(4)
  const worker = new Worker(threadUrl("tools/search/worker.ts"))
  const reports: Report[] = []
  let wake: (() => void) | undefined
  const ended = new Promise<void>((resolve) => worker.addEventListener("close", () => resolve()))
  const tell = (report: Report) => {
    reports.push(report)
    wake?.()
  }
  const abort = () => wake?.()
  worker.onmessage = ({ data }: MessageEvent<Report>) => tell(data)
  worker.onerror = ({ message }) => tell({ type: "failed", message: `The search failed: ${message}` })
  signal.addEventListener("abort", abort)
  try {
    worker.postMessage({ ...job, stop })
    for (;;) {
      signal.throwIfAborted()
      const report = reports.shift()
      if (!report) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (!report) continue
      if (report.type === "hits") yield report.hits
      else if (report.type === "failed") throw new Error(report.message)
      else return report.counts
    }
  } finally {
    signal.removeEventListener("abort", abort)
    Atomics.store(new Int32Array(stop), 0, 1)
    const timer = setTimeout(() => worker.terminate(), stop_ms)
    await ended
    clearTimeout(timer)
  }
}
