/** The thread that reads shell strings; started when it is needed, ended when it is not or when a text was too much. */
import { threadUrl } from "../../base/thread.ts"
import type { ShellReading } from "./shell.ts"

export type Answer = { reading: ShellReading } | { given_up: true; cause?: string }

/** Its start included, on a busy machine. */
const answer_ms_max = 5000
/** A turn calls several times in a row, and a start takes 50 to 100 ms. */
const idle_ms_max = 10_000

type Thread = { worker: Worker & { ref(): void; unref(): void }; idle?: Timer }

// The thread and who waits for it: one for all, as it remembers nothing of what it read.
let thread: Thread | undefined
let queue: Promise<unknown> = Promise.resolve()

/** Undefined where it is too much to read. One after another. */
export function readInThread(text: string): Promise<ShellReading | undefined> {
  const reading = queue.then(() => ask(text))
  queue = reading
  return reading
}

async function ask(text: string): Promise<ShellReading | undefined> {
  thread ??= { worker: new Worker(threadUrl("security/shell/worker.ts")) as Thread["worker"] }
  const used = thread
  clearTimeout(used.idle)
  const { worker } = used
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const timer = setTimeout(() => resolve({ given_up: true }), answer_ms_max)
  worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data)
  worker.onerror = ({ message }) => resolve({ given_up: true, cause: message })
  worker.ref()
  worker.postMessage(text)
  const answer = await promise
  clearTimeout(timer)
  if (!("reading" in answer)) {
    end(used)
    return undefined
  }
  // Neither it nor its end keeps a process that has nothing else to do.
  worker.unref()
  used.idle = setTimeout(() => end(used), idle_ms_max)
  used.idle.unref()
  return answer.reading
}

function end(used: Thread): void {
  used.worker.terminate()
  if (thread === used) thread = undefined
}
