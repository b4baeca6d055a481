import { on } from "node:events"
import { basename, dirname } from "node:path"
import { AppError } from "../base/errors.ts"
import type { Home } from "./home.ts"
import { toConfigError } from "./problem.ts"
import { readConfigText } from "./read.ts"

/** A change of the file: the configuration it makes, or why it makes none and the old one goes on. */
export type ConfigChange<T> = { loaded: T; error?: never } | { error: AppError; loaded?: never }

export type WatchOptions<T> = {
  home: Home
  /** The text that the running configuration was made of: what was saved since counts as the first change. */
  text: string
  load(): Promise<T>
  signal: AbortSignal
}

/** An editor that empties the file before it writes is given this long to go on, in milliseconds. */
const settled_ms = 100

/**
 * Resolves once the file is watched; the generator then yields at each change of its text until the signal. The
 * folder is watched, not the file, so that it may appear later and be replaced by a rename.
 */
export async function watchConfig<T>(options: WatchOptions<T>): Promise<AsyncGenerator<ConfigChange<T>>> {
  const { home, signal } = options
  const { watch } = await import("chokidar")
  const folder = dirname(home.config_path)
  // Kubernetes turns the link `..data`, through which the file is reached, to another folder.
  const names = [basename(home.config_path), "..data"]
  const watcher = watch(folder, {
    depth: 0,
    ignoreInitial: true,
    atomic: settled_ms,
    awaitWriteFinish: { stabilityThreshold: settled_ms, pollInterval: 20 },
    ignored: (path) => path !== folder && !names.includes(basename(path)),
  })
  const ready = new Promise<void>((done, failed) => watcher.once("ready", done).once("error", failed))
  const events = on(watcher, "all")
  const close = async () => {
    await events.return?.()
    await watcher.close()
  }
  signal.addEventListener("abort", close, { once: true })
  await ready
  if (signal.aborted) await close()
  return changesOf(options, events, close)
}

async function* changesOf<T>(
  { home, text, load, signal }: WatchOptions<T>,
  events: AsyncIterable<unknown>,
  close: () => Promise<void>,
): AsyncGenerator<ConfigChange<T>> {
  let last = text
  const look = async (): Promise<ConfigChange<T> | undefined> => {
    try {
      const now = await presentText(home, last)
      if (now === last) return undefined
      last = now
      return { loaded: await load() }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return { error: thrown }
    }
  }
  try {
    const early = await look()
    if (early) yield early
    for await (const _event of events) {
      const change = await look()
      if (change) yield change
      if (signal.aborted) return
    }
  } finally {
    await close()
  }
}

/** A file that is gone is no wish for the defaults: the old configuration stays until there is one again. */
async function presentText(home: Home, last: string): Promise<string> {
  const text = await readConfigText(home)
  if (text !== "" || last === "") return text
  if (await Bun.file(home.config_path).exists()) return text
  throw toConfigError([
    { file: home.config_path, key: "", expected: "a file that can be read", got: "no such file" },
  ])
}
