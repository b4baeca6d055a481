import { anything, type CodeSet, foldCase, negate, newline, setOf, unite, without } from "./sets.ts"

export type Assertion = "line_start" | "line_end" | "word_edge" | "no_word_edge"

/** A pattern as a tree. `max` is Infinity where there is none. */
export type Node =
  | { type: "set"; set: CodeSet }
  | { type: "all"; nodes: Node[] }
  | { type: "any"; nodes: Node[] }
  | { type: "repeat"; node: Node; min: number; max: number }
  | { type: "assert"; assertion: Assertion }

/** A pattern that cannot be read; the place is in UTF-16 units, from 0. */
export class PatternError extends Error {
  override name = "PatternError"
}

/**
 * Reads a regular expression of the kind that linear engines take: no look-around, no back-references. A match is within
 * a line. Also returns it as ripgrep has to be given it: what it would trip over, such as a brace that counts nothing
 * or an escape without need, is written so that it does not.
 */
export function parsePattern(source: string): { node: Node; for_ripgrep: string } {
  const reader: Reader = { source, at: 0, out: [], ignore_case: false, depth: 0 }
  const node = readAny(reader)
  if (reader.at < source.length) fail(reader.at, "a ) without its (")
  return { node, for_ripgrep: reader.out.join("") }
}

type Reader = { source: string; at: number; out: string[]; ignore_case: boolean; depth: number }

const depth_max = 100
const count_max = 1_000

function fail(at: number, why: string): never {
  throw new PatternError(`The pattern is wrong at character ${at + 1}: ${why}.`)
}

function readAny(reader: Reader): Node {
  if (++reader.depth > depth_max) fail(reader.at, "groups too deep in each other")
  // A flag in the middle of a group holds until the group ends.
  const { ignore_case } = reader
  const nodes = [readAll(reader)]
  while (reader.source[reader.at] === "|") {
    reader.at++
    reader.out.push("|")
    nodes.push(readAll(reader))
  }
  reader.ignore_case = ignore_case
  reader.depth--
  return nodes.length === 1 ? nodes[0]! : { type: "any", nodes }
}

function readAll(reader: Reader): Node {
  const nodes: Node[] = []
  for (;;) {
    const letter = reader.source[reader.at]
    if (letter === undefined || letter === "|" || letter === ")") break
    const atom = readAtom(reader)
    if (atom) nodes.push(readCounts(reader, atom))
  }
  return nodes.length === 1 ? nodes[0]! : { type: "all", nodes }
}

function readCounts(reader: Reader, atom: Node): Node {
  let node = atom
  for (;;) {
    const rest = reader.source.slice(reader.at, reader.at + 16)
    const [, sign, from, comma, to] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(rest) ?? []
    if (sign === undefined && from === undefined) return node
    const text = /^(?:[*+?]|\{\d+,?\d*\})\??/.exec(rest)![0]
    const min = sign ? (sign === "+" ? 1 : 0) : Number(from)
    const max = sign
      ? sign === "?"
        ? 1
        : Number.POSITIVE_INFINITY
      : comma
        ? to
          ? Number(to)
          : Number.POSITIVE_INFINITY
        : min
    if (min > max) fail(reader.at, "a repetition from more to less")
    if (min > count_max || (max > count_max && max !== Number.POSITIVE_INFINITY))
      fail(reader.at, `a repetition of more than ${count_max}`)
    reader.at += text.length
    reader.out.push(text)
    node = { type: "repeat", node, min, max }
  }
}

/** One character, class, group or assertion; undefined for what only sets a flag. */
function readAtom(reader: Reader): Node | undefined {
  const { source, at } = reader
  const letter = String.fromCodePoint(source.codePointAt(at)!)
  if (letter === "(") return readGroup(reader)
  if (letter === "[") return toSetNode(reader, readClass(reader))
  if (letter === "\\") return readEscape(reader)
  if (/[*+?]/.test(letter)) fail(at, `a ${letter} that repeats nothing; write \\${letter} for the character`)
  reader.at += letter.length
  // A brace that begins no count is meant as itself, as in "interface{}".
  reader.out.push(letter === "{" || letter === "}" ? `\\${letter}` : letter)
  if (letter === ".") return { type: "set", set: without(anything, newline) }
  if (letter === "^") return { type: "assert", assertion: "line_start" }
  if (letter === "$") return { type: "assert", assertion: "line_end" }
  if (letter === "\n") fail(at, "a line break; a match is within one line")
  return toSetNode(reader, single(letter.codePointAt(0)!))
}

const single = (code: number): CodeSet => [[code, code]]

const toSetNode = ({ ignore_case }: Reader, set: CodeSet): Node => ({
  type: "set",
  set: without(ignore_case ? foldCase(set) : set, newline),
})

function readGroup(reader: Reader): Node | undefined {
  const { source, at } = reader
  const flags = /^\(\?(?<on>[imsu]*)(?:-(?<off>[imsu]*))?(?<end>[:)])/.exec(source.slice(at, at + 20))
  const named = /^\(\?P?<[A-Za-z_]\w*>/.exec(source.slice(at, at + 80))?.[0]
  if (!flags && !named && source[at + 1] === "?") {
    fail(
      at,
      /^\(\?<?[=!]/.test(source.slice(at, at + 4))
        ? "look-around, which is not supported"
        : "an unknown kind of group",
    )
  }
  const outer = reader.ignore_case
  const on = flags?.groups?.on?.includes("i")
  const off = flags?.groups?.off?.includes("i")
  const opening = on ? "(?i" : off ? "(?-i" : "(?"
  reader.at += flags?.[0].length ?? named?.length ?? 1
  if (on || off) reader.ignore_case = on === true
  if (flags?.groups?.end === ")") {
    if (on || off) reader.out.push(`${opening})`)
    return undefined
  }
  reader.out.push(`${opening}:`)
  const node = readAny(reader)
  if (source[reader.at] !== ")") fail(at, "a ( without its )")
  reader.at++
  reader.out.push(")")
  reader.ignore_case = outer
  return node
}

const assertions: Record<string, [Assertion, string]> = {
  // In bytes: the edge of an ASCII word, which needs no look at the whole character.
  b: ["word_edge", "(?-u:\\b)"],
  B: ["no_word_edge", "(?-u:\\B)"],
  A: ["line_start", "^"],
  z: ["line_end", "$"],
  Z: ["line_end", "$"],
}

function readEscape(reader: Reader): Node {
  const { source, at } = reader
  const found = Object.hasOwn(assertions, source[at + 1] ?? "") ? assertions[source[at + 1]!] : undefined
  if (found) {
    const [assertion, text] = found
    reader.at += 2
    reader.out.push(text)
    return { type: "assert", assertion }
  }
  const set = readEscaped(reader)
  if (set.length === 1 && set[0]![0] === 10 && set[0]![1] === 10)
    fail(at, "a line break; a match is within one line")
  return toSetNode(reader, set)
}

const controls: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, "0": 0, e: 27 }

const classes: Record<string, string> = {
  d: "\\p{Nd}",
  s: "\\p{White_Space}",
  w: "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]",
}

/** What a backslash stands for outside of assertions. */
function readEscaped(reader: Reader): CodeSet {
  const { source, at } = reader
  const rest = source.slice(at + 1, at + 64)
  const letter = rest === "" ? fail(at, "a \\ at the end") : String.fromCodePoint(rest.codePointAt(0)!)
  const name = letter.toLowerCase()
  if (Object.hasOwn(classes, name)) {
    reader.at += 2
    reader.out.push(`\\${letter}`)
    const set = setOf(classes[name]!)
    return letter === name ? set : negate(set)
  }
  if (name === "p") return readProperty(reader, rest)
  const [hex, , short, long] = /^(x|u|U)(?:([0-9A-Fa-f]{2,8})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest) ?? []
  if (hex !== undefined) {
    const width = letter === "x" ? 2 : letter === "u" ? 4 : 8
    const digits = long ?? short!.slice(0, width)
    const code = Number.parseInt(digits, 16)
    if ((short !== undefined && digits.length < width) || code > 0x10ffff)
      fail(at, "not a character's number")
    reader.at += long === undefined ? 2 + width : 1 + hex.length
    reader.out.push(`\\x{${digits}}`)
    return single(code)
  }
  if (/[1-9k]/.test(letter)) fail(at, "a back-reference, which is not supported")
  const control = Object.hasOwn(controls, letter) ? controls[letter] : undefined
  if (control === undefined && /[A-Za-z]/.test(letter)) fail(at, `an unknown escape \\${letter}`)
  const code = control ?? letter.codePointAt(0)!
  reader.at += 1 + letter.length
  reader.out.push(`\\x{${code.toString(16)}}`)
  return single(code)
}

function readProperty(reader: Reader, rest: string): CodeSet {
  const { at } = reader
  const found = /^[pP](?:\{\^?([A-Za-z0-9_=]+)\}|([A-Za-z]))/.exec(rest)
  const name = found?.[1] ?? found?.[2]
  if (!found || !name) fail(at, "\\p wants a property such as \\p{L}")
  reader.at += 1 + found[0].length
  reader.out.push(`\\${found[0]}`)
  const negated = (rest[0] === "P") !== found[0].includes("{^")
  for (const source of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    const set = propertyOf(source)
    if (set) return negated ? negate(set) : set
  }
  return fail(at, `there is no property "${name}"`)
}

function propertyOf(source: string): CodeSet | undefined {
  try {
    return setOf(source)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

const posix: Record<string, CodeSet> = {
  alpha: [
    [65, 90],
    [97, 122],
  ],
  digit: [[48, 57]],
  alnum: [
    [48, 57],
    [65, 90],
    [97, 122],
  ],
  upper: [[65, 90]],
  lower: [[97, 122]],
  space: [
    [9, 13],
    [32, 32],
  ],
  blank: [
    [9, 9],
    [32, 32],
  ],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  word: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
}

function readClass(reader: Reader): CodeSet {
  const { source, at: from } = reader
  reader.at++
  const negated = source[reader.at] === "^"
  if (negated) reader.at++
  reader.out.push(negated ? "[^" : "[")
  const sets: CodeSet[] = []
  for (let is_first = true; ; is_first = false) {
    const letter = source[reader.at]
    if (letter === undefined) fail(from, "a [ without its ]")
    if (letter === "]" && !is_first) break
    const named = /^\[:(\^?)([a-z]+):\]/.exec(source.slice(reader.at, reader.at + 16))
    if (named && Object.hasOwn(posix, named[2]!)) {
      reader.at += named[0].length
      reader.out.push(named[0])
      sets.push(named[1] ? negate(posix[named[2]!]!) : posix[named[2]!]!)
      continue
    }
    sets.push(readRange(reader))
  }
  reader.at++
  reader.out.push("]")
  const united = unite(...sets)
  // Folded before it is turned round, so that (?i)[^a] has no "A" either.
  const set = reader.ignore_case ? foldCase(united) : united
  return negated ? negate(set) : set
}

function readRange(reader: Reader): CodeSet {
  const { source, at } = reader
  const first = readMember(reader)
  const is_range = source[reader.at] === "-" && source[reader.at + 1] !== "]" && reader.at + 1 < source.length
  if (!is_range || first.length !== 1 || first[0]![0] !== first[0]![1]) return first
  reader.at++
  reader.out.push("-")
  const last = readMember(reader)
  const [from, to] = [first[0]![0], last[0]?.[0] ?? -1]
  if (last.length !== 1 || last[0]![0] !== last[0]![1] || to < from) fail(at, "a range that is none")
  return [[from, to]]
}

function readMember(reader: Reader): CodeSet {
  const { source, at } = reader
  if (source[at] === "\\") {
    if (source[at + 1] !== "b") return readEscaped(reader)
    reader.at += 2
    reader.out.push("\\x{8}")
    return single(8)
  }
  const code = source.codePointAt(at)!
  reader.at += code > 0xffff ? 2 : 1
  // Spelled by number, so that it is not taken for an operator between sets.
  reader.out.push(code < 128 ? `\\x{${code.toString(16)}}` : String.fromCodePoint(code))
  return single(code)
}
