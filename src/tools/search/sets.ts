import { once } from "../../base/once.ts"

/** Sets of code points: sorted pairs of first and last, none touching another. */
export type CodeSet = readonly (readonly [number, number])[]

export const code_max = 0x10ffff
/** What no match has in it; a carriage return by itself neither, as ripgrep has it. */
export const line_ends: CodeSet = [
  [10, 10],
  [13, 13],
]
export const slash: CodeSet = [[47, 47]]
export const anything: CodeSet = [[0, code_max]]

export function unite(...sets: CodeSet[]): CodeSet {
  const sorted = sets.flat().sort((a, b) => a[0] - b[0])
  const united: [number, number][] = []
  for (const [first, last] of sorted) {
    const before = united.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else united.push([first, last])
  }
  return united
}

export function negate(set: CodeSet): CodeSet {
  const negated: [number, number][] = []
  let next = 0
  for (const [first, last] of set) {
    if (first > next) negated.push([next, first - 1])
    next = last + 1
  }
  if (next <= code_max) negated.push([next, code_max])
  return negated
}

export const without = (set: CodeSet, taken: CodeSet): CodeSet => negate(unite(negate(set), taken))

export function has(set: CodeSet, code: number): boolean {
  let [low, high] = [0, set.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = set[middle]!
    if (code < first) high = middle - 1
    else if (code > last) low = middle + 1
    else return true
  }
  return false
}

/** Where Unicode has assigned anything; the rest is private or empty and of no kind. */
const assigned: CodeSet = [
  [0, 0x33fff],
  [0xe0000, 0xe01ef],
]

const known_sets = new Map<string, CodeSet>()

/** All code points that a class of the engine's own, such as "\\p{L}", has. A SyntaxError where there is no such class. */
export function setOf(source: string): CodeSet {
  const known = known_sets.get(source) ?? findSet(source)
  known_sets.set(source, known)
  return known
}

function findSet(source: string): CodeSet {
  const pattern = new RegExp(`^${source}$`, "u")
  const ranges: [number, number][] = []
  for (const [first, last] of assigned) {
    for (let code = first; code <= last; code++) {
      if (!pattern.test(String.fromCodePoint(code))) continue
      const before = ranges.at(-1)
      if (before && before[1] === code - 1) before[1] = code
      else ranges.push([code, code])
    }
  }
  return ranges
}

/** The same letters in their other cases too. */
export function foldCase(set: CodeSet): CodeSet {
  const folded = [...caseGroups()].flatMap(([, codes]) =>
    codes.some((code) => has(set, code)) ? codes.map((code) => [code, code] as const) : [],
  )
  return unite(set, folded)
}

export const hasCase = (code: number): boolean => {
  const letter = String.fromCodePoint(code)
  return letter.toLowerCase() !== letter || letter.toUpperCase() !== letter
}

/** Letters of which Unicode's simple folding makes the same, such as σ, ς and Σ, or k and the Kelvin sign. */
const caseGroups = once(() => {
  const groups = new Map<string, number[]>()
  for (let code = 0x41; code <= cased_max; code++) {
    if (!hasCase(code) || code === dotless_i) continue
    const lower = oneLetter(String.fromCodePoint(code), "toLowerCase")
    const key = oneLetter(lower, "toUpperCase")
    groups.set(key, [...(groups.get(key) ?? []), code])
  }
  return groups
})

const cased_max = 0x1ffff
/** Its upper case is that of the i, which it is not folded to. */
const dotless_i = 0x131

/** The other case where that is one letter. */
function oneLetter(letter: string, how: "toLowerCase" | "toUpperCase"): string {
  const other = letter[how]()
  return [...other].length === 1 ? other : letter
}
