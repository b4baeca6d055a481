import { once } from "../../base/once.ts"
import { fail, type Letters, readClass, readEscaped, single } from "./letters.ts"
import { anything, type CodeSet, foldCase, hasCase, line_ends, without } from "./sets.ts"

export type Assertion = "line_start" | "line_end" | "word_edge" | "no_word_edge"

/** A pattern as a tree. `max` is Infinity where there is none; `only` is a letter that stands for itself alone. */
export type Node =
  | { type: "set"; set: () => CodeSet; only?: number }
  | { type: "all"; nodes: Node[] }
  | { type: "any"; nodes: Node[] }
  | { type: "repeat"; node: Node; min: number; max: number }
  | { type: "assert"; assertion: Assertion }

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

/** `out` is the pattern as ripgrep has to be given it, so far. */
export type Reader = { source: string; at: number; out: string[]; ignore_case: boolean; depth: number }

const depth_max = 100
const count_max = 1_000

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
  if (letter === ".") return { type: "set", set: () => any_letter }
  if (letter === "^") return { type: "assert", assertion: "line_start" }
  if (letter === "$") return { type: "assert", assertion: "line_end" }
  if (letter === "\n") fail(at, "a line break; a match is within one line")
  return toSetNode(reader, single(letter.codePointAt(0)!))
}

const any_letter = without(anything, line_ends)

/** What the letters are is worked out where they are looked for, which is not where a pattern is only checked. */
const toSetNode = ({ ignore_case }: Reader, { set, only }: Letters): Node => ({
  type: "set",
  set: once(() => without(ignore_case ? foldCase(set()) : set(), line_ends)),
  ...(only === undefined || (ignore_case && hasCase(only)) ? {} : { only }),
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
  const letters = readEscaped(reader)
  if (letters.only === 10) fail(at, "a line break; a match is within one line")
  return toSetNode(reader, letters)
}
