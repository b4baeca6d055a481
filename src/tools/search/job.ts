import { toMatcher } from "./automaton.ts"
import { parseGlob } from "./glob.ts"
import { literalsOf } from "./literals.ts"
import { parsePattern } from "./pattern.ts"
import { type Line, openScan } from "./scan.ts"
import { type Counts, walk } from "./walk.ts"

export type Job = {
  /** An open folder or file, which stays open until the thread has ended. */
  fd: number
  /** Put before a path below the root, for the glob and in hits. */
  prefix: string
  pattern?: string
  glob?: string
  /** Which of the files are this thread's, as others look at the rest. */
  share: { index: number; of: number }
  /** Most lines of one file. */
  lines_max: number
  /** One number, shared; not zero once nobody waits for the rest. */
  stop: SharedArrayBuffer
}

/** A file, with its lines where a pattern was searched. */
export type FileHit = { path: string; lines: Line[] }

export type Report =
  | { type: "hits"; hits: FileHit[] }
  | { type: "done"; counts: Counts }
  | { type: "failed"; message: string }

const batch_files_max = 100
const batch_ms = 50

class Stopped extends Error {}

/** Does the whole search, and tells what it finds as it goes. Ends with "done" or "failed", or silently when stopped. */
export function runJob(
  { fd, prefix, pattern, glob, share, lines_max, stop }: Job,
  tell: (report: Report) => void,
): void {
  const stopped = new Int32Array(stop)
  const check = () => {
    if (Atomics.load(stopped, 0) !== 0) throw new Stopped()
  }
  const counts: Counts = { files: 0, unreadable: 0 }
  let batch: FileHit[] = []
  let sent = performance.now()
  const add = (hit: FileHit) => {
    batch.push(hit)
    if (batch.length >= batch_files_max || performance.now() - sent > batch_ms) flush()
  }
  const flush = () => {
    if (batch.length > 0) tell({ type: "hits", hits: batch })
    batch = []
    sent = performance.now()
  }
  try {
    const scan = pattern === undefined ? undefined : openScan(toScan(pattern, lines_max, check))
    const choose = toChoice(glob, prefix)
    walk({
      fd,
      choose,
      check,
      counts,
      visit(path, open) {
        // By its name, for what is made or removed meanwhile must not move the others.
        if (share.of > 1 && Bun.hash.crc32(path) % share.of !== share.index) return
        counts.files++
        const shown = prefix + path
        if (!scan) return add({ path: shown, lines: [] })
        const lines = scan(open)
        if (lines.length > 0) add({ path: shown, lines })
      },
    })
    flush()
    tell({ type: "done", counts })
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown
  }
}

function toScan(pattern: string, lines_max: number, check: () => void) {
  const { node } = parsePattern(pattern)
  const literals = literalsOf(node)?.map((text) => Buffer.from(text))
  return { match: toMatcher(node, { lines: true, check }), literals, lines_max, check }
}

/** As ripgrep's --glob: what it names is wanted even where it is ignored, other files are not, folders are as they are. */
function toChoice(glob: string | undefined, prefix: string) {
  if (glob === undefined) return () => undefined
  const match = toMatcher(parseGlob(toAnywhere(glob), { braces: true }), { lines: false })
  return (path: string, is_folder: boolean): boolean | undefined => {
    const bytes = Buffer.from(prefix + path)
    const matches = match(bytes, 0, bytes.length) !== -1
    if (is_folder) return matches || undefined
    return matches
  }
}

/** A glob holds at any depth: whoever wrote it may have had the workspace or the searched folder in mind. */
export function toAnywhere(glob: string): string {
  const bare = glob.replace(/^(\.?\/)+/, "")
  return bare.startsWith("**/") ? bare : `**/${bare}`
}
