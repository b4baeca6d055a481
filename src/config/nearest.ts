/** The name that `text` was most likely meant to be, if one is close enough to be worth saying. */
export function nearest(text: string, names: Iterable<string>): string | undefined {
  const typed = text.toLowerCase()
  let best: string | undefined
  let least = Math.max(2, Math.floor(text.length * 0.4)) + 1
  for (const name of names) {
    // A file may hold a key of a megabyte; the work is quadratic only where the lengths are close.
    if (Math.abs(name.length - text.length) >= least) continue
    const edits = distance(typed, name.toLowerCase())
    if (edits < least) [best, least] = [name, edits]
  }
  return best
}

/** Levenshtein, with a swap of neighbours as one edit (`prot` for `port`). */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const changed = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      row[j] = Math.min(changed, last[j]! + 1, row[j - 1]! + 1, swapped ? beforeLast[j - 2]! + 1 : changed)
    }
    ;[beforeLast, last] = [last, row]
  }
  return last[to.length]!
}
