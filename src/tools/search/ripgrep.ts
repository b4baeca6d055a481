import type { Program } from "../../security/sandbox/execute.ts"
import type { ToolContext } from "../tool.ts"
import { type FileHit, toAnywhere } from "./job.ts"
import { parsePattern } from "./pattern.ts"
import { toShownLine } from "./scan.ts"

export type Wanted = { path: string; pattern?: string; glob?: string; lines_max: number }
export type Found = { hits: FileHit[]; unreadable: number; is_cut: boolean }

const output_bytes_max = 8 << 20
/** Between turns of others, while its answer is read. */
const turn_ms = 10

/** What of a search does not depend on what is searched: only the folder's own .gitignore files, and hidden files too. */
const flags = [
  "--no-config",
  "--no-messages",
  "--hidden",
  "--no-require-git",
  "--no-ignore-parent",
  "--no-ignore-global",
  "--no-ignore-exclude",
  "--no-ignore-dot",
]

/**
 * Lets ripgrep search, behind the wall around files that programs run in; what the call may not touch is left out.
 * Undefined where that wall does not hold, so that it is not run, or where it did not get far: then somebody else has
 * to search.
 */
export async function searchWithRipgrep(
  ripgrep: string,
  { path, pattern, glob, lines_max }: Wanted,
  { execute, signal, mayTouch }: ToolContext,
  timeout_ms: number,
): Promise<Found | undefined> {
  const globs = [...(glob === undefined ? [] : ["--glob", toAnywhere(glob)]), "--glob", "!.git"]
  const what =
    pattern === undefined
      ? ["--files", "--null", "--", path]
      : ["--json", "--crlf", `--max-count=${lines_max}`, "--", parsePattern(pattern).for_ripgrep, path]
  const argv = [ripgrep, ...flags, ...globs, ...what]
  const program: Program = { argv, timeout_ms, output_bytes_max, signal, requires: ["landlock"] }
  const done = await execute(program).catch((thrown: unknown) => {
    // It may not run or cannot: the search goes on without it.
    if (signal.aborted) throw thrown
    return undefined
  })
  if (!done) return undefined
  // 0 and 1 are with and without a match; 2 is an error, of a file that could not be read or of its own.
  const failed = done.exit_code === null || done.exit_code > 2 || (done.exit_code === 2 && done.stdout === "")
  if (failed) return undefined
  const found: Found = {
    hits: [],
    unreadable: done.exit_code === 2 ? 1 : 0,
    is_cut: done.stdout_bytes > output_bytes_max,
  }
  let [count, turn] = [0, performance.now()]
  for (const hit of pattern === undefined ? filesIn(done.stdout) : hitsIn(done.stdout)) {
    if (mayTouch({ effect: "read", kind: "path", text: hit.path })) {
      found.hits.push(hit)
      count += Math.max(1, hit.lines.length)
    }
    if (count >= lines_max) return { ...found, is_cut: true }
    if (performance.now() - turn < turn_ms) continue
    await new Promise(setImmediate)
    turn = performance.now()
  }
  // All that it said may have been one line which is longer than is taken.
  return found.is_cut && count === 0 ? undefined : found
}

/** Without the "./" that a search of "." has in front. */
const toPath = (path: string): string => path.replace(/^\.\//, "")

/** What stands between the marks. */
function* partsOf(output: string, mark: string): Generator<string> {
  for (let at = 0; at < output.length; ) {
    const next = output.indexOf(mark, at)
    const end = next === -1 ? output.length : next
    yield output.slice(at, end)
    at = end + 1
  }
}

/** What is cut out of the middle leaves one name that is none. */
function* filesIn(output: string): Generator<FileHit> {
  for (const path of partsOf(output, "\0")) yield { path: toPath(path), lines: [] }
}

type Text = { text: string } | { bytes: string }
type Message =
  | { type: "match"; data: { path: Text; lines: Text; line_number: number; submatches: { start: number }[] } }
  | { type: "end"; data: { path: Text; binary_offset: number | null } }

const toBytes = (text: Text): Buffer =>
  "text" in text ? Buffer.from(text.text) : Buffer.from(text.bytes, "base64")

function* hitsIn(output: string): Generator<FileHit> {
  let hit: FileHit | undefined
  for (const row of partsOf(output, "\n")) {
    const message = parseRow(row)
    if (!message) continue
    const path = toPath(toBytes(message.data.path).toString())
    // Where the output was cut, the end of a file is missing.
    if (hit?.path !== path) hit = { path, lines: [] }
    if (message.type === "end") {
      // A zero byte came up: it is no text after all.
      if (message.data.binary_offset === null) yield hit
      hit = undefined
      continue
    }
    const { lines: text, line_number: line, submatches } = message.data
    const bytes = toBytes(text)
    const end = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length
    hit.lines.push({ line, text: toShownLine(bytes.subarray(0, end), submatches[0]?.start ?? 0) })
  }
}

function parseRow(row: string): Message | undefined {
  if (!/^\{"type":"(match|end)"/.test(row)) return undefined
  try {
    return JSON.parse(row) as Message
  } catch (thrown) {
    // The row where the output was cut.
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}
