/** Sets of code points: sorted pairs of first and last, none touching another. */
export type CodeSet = readonly (readonly [number, number])[]

export const code_max = 0x10ffff
export const newline: CodeSet = [[10, 10]]
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

/** The same letters in their other case too, as far as that is one letter each. */
export function foldCase(set: CodeSet): CodeSet {
  const folded: [number, number][] = []
  for (const [first, last] of set) {
    for (let code = first; code <= Math.min(last, assigned[0]![1]); code++) {
      for (const other of casesOf(code)) folded.push([other, other])
    }
  }
  return unite(set, folded)
}

/** The Kelvin sign and the long s, which no letter becomes by a change of case. */
const odd_cases = new Map([
  [0x4b, 0x212a],
  [0x6b, 0x212a],
  [0x53, 0x17f],
  [0x73, 0x17f],
])

export const hasCase = (code: number): boolean => casesOf(code).length > 0

function casesOf(code: number): number[] {
  const letter = String.fromCodePoint(code)
  const [lower, upper] = [letter.toLowerCase(), letter.toUpperCase()]
  if (lower === letter && upper === letter) return []
  const forms = [lower, upper, lower.toUpperCase(), upper.toLowerCase()]
  const codes = forms.flatMap((form) => ([...form].length === 1 ? [form.codePointAt(0)!] : []))
  const odd = odd_cases.get(code)
  return odd === undefined ? codes : [...codes, odd]
}
