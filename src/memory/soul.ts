import { readFileSync, statSync } from "node:fs"

/** Who the agent is, read from a file and read again when its mtime changes. A missing file is an empty soul. */
export function openSoul(path: string): () => string {
  let read_mtime_ms = Number.NaN
  let text = ""
  return () => {
    const mtime_ms = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (mtime_ms === undefined) return ""
    if (mtime_ms !== read_mtime_ms) {
      text = readFileSync(path, "utf8").trim()
      read_mtime_ms = mtime_ms
    }
    return text
  }
}
