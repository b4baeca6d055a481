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

/**
 * An HTML page for reading: its article as markdown with absolute links, or its text alone, which is also what comes of
 * a page that is too big or too slow. Takes none of the event loop's time but for handing the page over.
 */
export async function toReadable(page: Page, signal: AbortSignal): Promise<Converted> {
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
  const thread = new Worker(thread_url)
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

/** In the executable all chunks lie at the top, and threads where they are in src. */
const thread_url = import.meta.path.endsWith(".ts")
  ? new URL("./readable-worker.ts", import.meta.url)
  : new URL("./tools/readable-worker.js", import.meta.url)
