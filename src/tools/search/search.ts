import { availableParallelism } from "node:os"
import { explain } from "../missing.ts"
import { toCount, toShown } from "../text.ts"
import type { ToolContext } from "../tool.ts"
import { parseGlob } from "./glob.ts"
import type { FileHit } from "./job.ts"
import { parsePattern } from "./pattern.ts"
import { type Found, searchWithRipgrep, type Wanted } from "./ripgrep.ts"
import { searchInThread } from "./thread.ts"

const time_ms_max = 30_000
const threads_max = 4
const pattern_length_max = 2_000
const glob_length_max = 500
const limit_default = 100
const limit_max = 1_000
/** Below what the loop cuts a result at. */
const shown_bytes_max = 60_000

export type Search = { pattern?: string; glob?: string; path?: string; limit?: number }

/** `ripgrep` is its absolute path, where it is to be used. */
export async function search(
  { pattern, glob, path = ".", ...rest }: Search,
  context: ToolContext,
  ripgrep: string | undefined,
): Promise<string> {
  if (!pattern && !glob) throw new Error("Give a pattern, a glob or both.")
  const limit = Math.max(1, Math.min(rest.limit ?? limit_default, limit_max))
  // Whoever searches, it is the same language and the same words about a mistake.
  if (pattern) parsePattern(checkLength("pattern", pattern, pattern_length_max))
  if (glob) parseGlob(checkLength("glob", glob, glob_length_max), { braces: true })
  using opened = await context.files.open(path).catch(async (thrown) => {
    throw await explain(thrown, path, context)
  })
  // Where it really is: a link must not give what is below it names that the rules do not know.
  const wanted: Wanted = {
    path: opened.path,
    lines_max: limit + 1,
    ...(pattern ? { pattern } : {}),
    ...(glob ? { glob } : {}),
  }
  const found =
    (ripgrep ? await searchWithRipgrep(ripgrep, wanted, context, time_ms_max) : undefined) ??
    (await searchOurselves(opened.fd, opened.stat.type === "folder", wanted, context))
  return toText(found, limit, wanted.pattern !== undefined)
}

function checkLength(name: string, text: string, length_max: number): string {
  if (text.length > length_max) throw new Error(`The ${name} is longer than ${length_max} characters.`)
  return text
}

type Took = Found & { too_slow: boolean }

/** In threads of this process, until there is enough or it takes too long. All of them have ended when it returns. */
async function searchOurselves(
  fd: number,
  is_folder: boolean,
  { path, ...wanted }: Wanted,
  { signal, mayTouch }: ToolContext,
): Promise<Took> {
  const folder = path === "." ? "" : path === "/" ? "/" : `${path}/`
  const job = { ...wanted, fd, prefix: is_folder ? folder : path }
  // One core stays the gateway's. Two threads on two cores gain nothing.
  const of = is_folder ? Math.max(1, Math.min(threads_max, availableParallelism() - 1)) : 1
  const [timeout, enough] = [AbortSignal.timeout(time_ms_max), new AbortController()]
  const all = AbortSignal.any([signal, timeout, enough.signal])
  const found: Took = { hits: [], unreadable: 0, is_cut: false, too_slow: false }
  let count = 0

  function add(hits: FileHit[]): void {
    for (const hit of hits) {
      if (!mayTouch({ effect: "read", kind: "path", text: hit.path })) continue
      found.hits.push(hit)
      count += Math.max(1, hit.lines.length)
    }
    if (count < wanted.lines_max) return
    found.is_cut = true
    enough.abort()
  }
  async function take(index: number): Promise<void> {
    const search = searchInThread({ ...job, share: { index, of } }, all)
    try {
      let next = await search.next()
      for (; !next.done; next = await search.next()) add(next.value)
      found.unreadable += next.value.unreadable
    } catch (thrown) {
      if (signal.aborted || !all.aborted) {
        enough.abort()
        throw thrown
      }
      if (timeout.aborted) found.is_cut = found.too_slow = true
    }
  }
  // Not one is left with the descriptor when another has failed.
  const ends = await Promise.allSettled(Array.from({ length: of }, (_, index) => take(index)))
  const failed = ends.find((end) => end.status === "rejected")
  if (failed) throw failed.reason
  return found
}

function toText(
  { hits, unreadable, is_cut, too_slow }: Found & { too_slow?: boolean },
  limit: number,
  has_pattern: boolean,
): string {
  const rows = hits
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ path, lines }) =>
      has_pattern ? lines.map(({ line, text }) => `${toShown(path)}:${line}: ${text}`) : [toShown(path)],
    )
  // A file with so many lines may have more.
  const has_more = is_cut || hits.some(({ lines }) => lines.length > limit)
  const shown = fitting(rows.slice(0, limit))
  const noun = has_pattern ? "matching line" : "file"
  const notes: string[] = []
  if (too_slow) notes.push(`[stopped after ${time_ms_max / 1000} seconds; search fewer files]`)
  if (rows.length > shown.length) {
    const all = has_more ? "more than " : ""
    notes.push(
      `[the first ${shown.length} of ${all}${toCount(rows.length, noun)}; narrow it by path, glob or pattern, or raise limit]`,
    )
  }
  if (unreadable > 0) notes.push("[something could not be read and was left out]")
  if (rows.length === 0) notes.unshift(has_pattern ? "No line matches." : "No file matches.")
  return [...shown, ...notes].join("\n")
}

/** As many of the first as are shown at once. */
function fitting(rows: string[]): string[] {
  let length = 0
  const end = rows.findIndex((row) => {
    length += Buffer.byteLength(row) + 1
    return length > shown_bytes_max
  })
  return end === -1 ? rows : rows.slice(0, end)
}
