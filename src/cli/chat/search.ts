/** Looking for something that was typed before, from the latest back, as shells do on Ctrl-R. */
export type Search = { query: string; index: number }

export type Found =
  | { state: "searching"; search: Search }
  /** `line` is what to go on with; undefined for what was there before. */
  | { state: "over"; line: string | undefined; is_sent: boolean }

const backspace = "\u007f"
const older = "\u0012"
const cancels = ["\u0003", "\u0007"]

export const matchOf = (entries: string[], { query, index }: Search): string | undefined =>
  query === "" ? undefined : entries.filter((entry) => entry.includes(query))[index]

/** What a key does to a search. A key that means nothing here ends it and leaves the match for editing. */
export function press(entries: string[], search: Search, key: string): Found {
  const { query, index } = search
  const line = matchOf(entries, search)
  if (cancels.includes(key)) return { state: "over", line: undefined, is_sent: false }
  if (key === "\r" || key === "\n") return { state: "over", line, is_sent: line !== undefined }
  if (key === older) {
    const next = { query, index: index + 1 }
    return { state: "searching", search: matchOf(entries, next) === undefined ? search : next }
  }
  if (key === backspace || key === "\b") {
    return { state: "searching", search: { query: [...query].slice(0, -1).join(""), index: 0 } }
  }
  if (key < " ") return { state: "over", line, is_sent: false }
  return { state: "searching", search: { query: query + key, index: 0 } }
}
