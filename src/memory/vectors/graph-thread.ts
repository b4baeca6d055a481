import { threadUrl } from "../../base/thread.ts"
import type { GraphJob, GraphReport } from "./graph-worker.ts"

export type GraphAnswer = Extract<GraphReport, { type: "built" | "checked" }>

/** Runs a job in a thread of its own, which has ended when this does. Throws the signal's reason or what went wrong. */
export async function runGraphJob(
  job: GraphJob,
  signal: AbortSignal,
  onProgress: (progress: number) => void,
): Promise<GraphAnswer> {
  signal.throwIfAborted()
  const worker = new Worker(threadUrl("memory/vectors/graph-worker.ts"))
  const ended = new Promise<void>((resolve) => worker.addEventListener("close", () => resolve()))
  const { promise, resolve, reject } = Promise.withResolvers<GraphAnswer>()
  worker.onmessage = ({ data }: MessageEvent<GraphReport>) => {
    if (data.type === "progress") onProgress(data.progress)
    else if (data.type === "failed") reject(new Error(data.trace))
    else resolve(data)
  }
  worker.onerror = ({ message }) => reject(new Error(message))
  const abort = () => reject(signal.reason)
  signal.addEventListener("abort", abort)
  try {
    worker.postMessage(job)
    return await promise
  } finally {
    signal.removeEventListener("abort", abort)
    worker.terminate()
    await ended
  }
}
