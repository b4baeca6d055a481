/** A thread that searches once, so that the gateway's own is free meanwhile. */

import { type Job, type Report, runJob } from "./job.ts"
import { PatternError } from "./letters.ts"

declare const self: Worker

const tell = (report: Report): void => self.postMessage(report)

self.onmessage = ({ data }: MessageEvent<Job>) => {
  try {
    runJob(data, tell)
  } catch (thrown) {
    const message = thrown instanceof PatternError ? thrown.message : `The search failed: ${String(thrown)}`
    tell({ type: "failed", message })
  }
  // Nobody is told when a thread was stopped, so it says by its end that its descriptors are closed.
  process.exit(0)
}
