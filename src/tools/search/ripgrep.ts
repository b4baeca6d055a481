import type { ToolContext } from "../tool.ts"
import { type FileHit, toAnywhere } from "./job.ts"
import { parsePattern } from "./pattern.ts"
import { type Line, toShownLine } from "./scan.ts"

export type Wanted = { path: string; pattern?: string; glob?: string; lines_max: number }
export type Found = { hits: FileHit[]; unreadable: number; is_cut: boolean }

const output_bytes_max = 32 << 20

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
 * Lets ripgrep search, behind the walls that programs run in. Undefined where those do not hold or it did not get far:
 * then somebody else has to search.
 */
export async function searchWithRipgrep(
  program: string,
  { path, pattern, glob, lines_max }: Wanted,
  { execute, signal }: ToolContext,
  timeout_ms: number,
): Promise<Found | undefined> {
  const globs = [...(glob === undefined ? [] : ["--glob", toAnywhere(glob)]), "--glob", "!.git"]
  const what =
    pattern === undefined
      ? ["--files", "--null", "--", path]
      : ["--json", "--crlf", `--max-count=${lines_max}`, "--", parsePattern(pattern).for_ripgrep, path]
  const argv = [program, ...flags, ...globs, ...what]
  const done = await execute({ argv, timeout_ms, output_bytes_max, signal }).catch((thrown: unknown) => {
    // It may not run or cannot: the search goes on without it.
    if (signal.aborted) throw thrown
    return undefined
  })
  if (!done) return undefined
  // 0 and 1 are with and without a match; 2 is an error, of a file that could not be read or of its own.
  const failed = done.exit_code === null || done.exit_code > 2 || (done.exit_code === 2 && done.stdout === "")
  if (failed || done.missing.includes("landlock")) return undefined
  const is_cut = done.stdout_bytes > output_bytes_max
  const hits = pattern === undefined ? toFiles(done.stdout) : toHits(done.stdout)
  return { hits, unreadable: done.exit_code === 2 ? 1 : 0, is_cut }
}

/** Without the "./" that a search of "." has in front. */
const toPath = (path: string): string => path.replace(/^\.\//, "")

/** What is cut out of the middle leaves one name that is none. */
const toFiles = (output: string): FileHit[] =>
  output
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => ({ path: toPath(path), lines: [] }))

type Text = { text: string } | { bytes: string }
type Message =
  | { type: "match"; data: { path: Text; lines: Text; line_number: number; submatches: { start: number }[] } }
  | { type: "end"; data: { path: Text; binary_offset: number | null } }

const toBytes = (text: Text): Buffer =>
  "text" in text ? Buffer.from(text.text) : Buffer.from(text.bytes, "base64")

function toHits(output: string): FileHit[] {
  const files = new Map<string, Line[]>()
  for (const row of output.split("\n")) {
    const message = parseRow(row)
    if (!message) continue
    const path = toPath(toBytes(message.data.path).toString())
    if (message.type === "end") {
      // A zero byte came up: it is no text after all.
      if (message.data.binary_offset !== null) files.delete(path)
      continue
    }
    const { lines: text, line_number: line, submatches } = message.data
    const bytes = toBytes(text)
    const end = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length
    const lines = files.get(path) ?? []
    lines.push({ line, text: toShownLine(bytes.subarray(0, end), submatches[0]?.start ?? 0) })
    files.set(path, lines)
  }
  return [...files].map(([path, lines]) => ({ path, lines }))
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
