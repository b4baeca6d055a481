import { availableParallelism } from "node:os"
import { threadUrl } from "../base/thread.ts"

/** What a page's thread is given, and what it gives back. */
export type Page = { html: string; url: string; format: "markdown" | "text" }
export type Converted = {
  title: string
  text: string
  /** Why it is only the text, where markdown was asked for. */
  note?: string
}

/**
 * More is not given to the parsers: 40,000 tags take them about a second and 100 MB, and a page of nothing but tags
 * many times that. Articles have some thousand.
 */
const html_chars_max = 2_000_000
const tags_max = 40_000
/** A page within those limits can still be built to be slow. */
const convert_ms_max = 3000
/** One core stays the gateway's; a big page takes up to 200 MB. */
const threads_max = Math.max(1, Math.min(4, availableParallelism() - 1))

// What was begun last in each of the threads that there may be at a time: one for all, as pages know nothing of others.
const lanes: Promise<unknown>[] = Array(threads_max).fill(Promise.resolve())
let lane = 0

/**
 * An HTML page for reading: its article as markdown with absolute links, or its text alone, which is also what comes of
 * a page that is too big or too slow. Takes none of the event loop's time but for handing the page over.
 */
export function toReadable(page: Page, signal: AbortSignal): Promise<Converted> {
  lane = (lane + 1) % threads_max
  const converted = lanes[lane]!.then(() => convert(page, signal))
  lanes[lane] = Promise.allSettled([converted])
  return converted
}

async function convert(page: Page, signal: AbortSignal): Promise<Converted> {
  const fits = page.html.length <= html_chars_max && hasFewTags(page.html)
  const converted = page.format === "markdown" && !fits ? undefined : await runThread(page, signal)
  if (converted) return converted
  const text = await runThread({ ...page, format: "text" }, signal)
  if (!text) throw new Error("The page cannot be made readable in time; format=raw shows it as it is.")
  return { ...text, note: fits ? "it takes too long" : "it is too big" }
}

function hasFewTags(html: string): boolean {
  let count = 0
  for (let at = html.indexOf("<"); at !== -1 && count <= tags_max; at = html.indexOf("<", at + 1)) count += 1
  return count <= tags_max
}

/** Undefined where it took too long. A thread takes 25 to 60 ms to start, and none is kept. */
async function runThread(page: Page, signal: AbortSignal): Promise<Converted | undefined> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Converted | undefined>()
  const thread = new Worker(threadUrl("tools/readable-worker.ts"))
  const timer = setTimeout(() => resolve(undefined), convert_ms_max)
  const stop = () => reject(signal.reason)
  signal.addEventListener("abort", stop)
  thread.onmessage = ({ data }: MessageEvent<Converted>) => resolve(data)
  thread.onerror = ({ message }) => reject(new Error(`The page cannot be made readable (${message}).`))
  thread.postMessage(page)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", stop)
    thread.terminate()
  }
}
