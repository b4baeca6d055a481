import { PatternError } from "./letters.ts"
import type { Assertion, Node } from "./pattern.ts"
import { type CodeSet, has } from "./sets.ts"

/**
 * The place of a byte at or after the end of the first match in a stretch of UTF-8, in the match's line; -1 without one.
 * The time is linear in the length, whatever the pattern.
 */
export type Matcher = (bytes: Uint8Array, start: number, end: number) => number

/** Limits the work on a letter, and so what a hostile pattern costs. */
const nodes_max = 5_000
/** Beyond so much the states are thrown away and made again as they are needed. */
const states_bytes_max = 16 << 20
/** About what a state takes besides its row in the table: for itself, and for each of its steps in it and in its key. */
const state_bytes = 256
const step_bytes = 16

/** A step of the machine without choice: reads a letter of a set, or holds only where an assertion does. */
type Step =
  | { type: "set"; set: number; next: number }
  | { type: "split"; next: number[] }
  | { type: "assert"; assertion: Assertion; next: number }
  | { type: "match" }

/** What stands before a letter. */
const at_start = 0
const after_other = 1
const after_word = 2
type Before = 0 | 1 | 2

type State = { steps: number[]; before: Before }

const unknown = -1
const matched = -2
/** The kind of letter that ends a line or the text. */
const the_end = 0
/** No kind, but a place to look twice: a carriage return belongs to the end of its line or is a letter. */
const perhaps_end = 1

/**
 * `check` is called now and then during the slow part of the work, and may throw to stop it. `bytes_max` is about what
 * the machine may grow to while it is used.
 */
export type MatcherOptions = { lines: boolean; check?: () => void; bytes_max?: number }

/**
 * Makes the machine for a pattern; its states are made as the text needs them. With `lines` each line of the text is one
 * of its own. Throws PatternError if the pattern is too large.
 */
export function toMatcher(
  pattern: Node,
  { lines, check, bytes_max = states_bytes_max }: MatcherOptions,
): Matcher {
  const { steps, sets, start, has_edges } = compile(pattern)
  const letters = toLetters(sets, has_edges, lines)
  const { ascii } = letters
  let shift = Math.ceil(Math.log2(letters.count() + 4))
  let states: State[] = []
  let known = new Map<string, number>()
  let table = new Int32Array(0)
  let slow_steps = 0
  let bytes = 0

  const reset = () => {
    states = []
    bytes = 0
    known = new Map()
    table = new Int32Array(16 << shift).fill(unknown)
    add([start], at_start)
  }
  const add = (ids: number[], before: Before): number => {
    const key = `${before}:${ids.join()}`
    const found = known.get(key)
    if (found !== undefined) return found
    const state = states.push({ steps: ids, before }) - 1
    known.set(key, state)
    bytes += state_bytes + step_bytes * ids.length + (4 << shift)
    if (states.length << shift > table.length) {
      const larger = new Int32Array(table.length * 2).fill(unknown)
      larger.set(table)
      table = larger
    }
    return state
  }
  /** Where a state goes on a kind of letter; remembered. What a reset throws away is not. */
  const follow = (from: number, kind: number): number => {
    if ((++slow_steps & 63) === 0) check?.()
    const { steps: ids, before } = states[from]!
    const to = move(ids, before, kind)
    if (to === matched || to === 0) {
      table[(from << shift) | kind] = to
      return to
    }
    const is_full = bytes > bytes_max || kind >= 1 << shift
    while (kind >= 1 << shift) shift++
    if (is_full) reset()
    const id = add(to, has_edges && letters.isWord(kind) ? after_word : after_other)
    if (!is_full) table[(from << shift) | kind] = id
    return id
  }
  const move = (ids: number[], before: Before, kind: number): number[] | typeof matched | 0 => {
    const is_end = kind === the_end
    const open = close(steps, ids, { before, is_end, is_word: letters.isWord(kind) })
    if (open === "match") return matched
    if (is_end) return 0
    const next = new Set<number>([start])
    for (const id of open) {
      const step = steps[id]!
      if (step.type === "set" && letters.isIn(kind, step.set)) next.add(step.next)
    }
    return [...next].sort((a, b) => a - b)
  }

  reset()
  return (text, from, to) => {
    let state = 0
    let i = from
    while (i < to) {
      while (i < to) {
        const byte = text[i]!
        if (byte > 127) break
        const next = table[(state << shift) | ascii[byte]!]!
        if (next < 0) break
        state = next
        i++
      }
      if (i === to) break
      if (lines && text[i] === 13 && (i + 1 === to || text[i + 1] === 10)) {
        i++
        continue
      }
      const code = text[i]! < 128 ? text[i]! : codeAt(text, i, to)
      const kind = lines && code === 10 ? the_end : letters.kindOf(code)
      let next = kind < 1 << shift ? table[(state << shift) | kind]! : unknown
      if (next === unknown) next = follow(state, kind)
      if (next === matched) return i
      state = next
      i += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    }
    let last = table[(state << shift) | the_end]!
    if (last === unknown) last = follow(state, the_end)
    return last === matched ? to : -1
  }
}

/** What can be read next from some steps, given what is around the place; "match" if a match ends here. */
function close(
  steps: Step[],
  from: number[],
  place: { before: Before; is_end: boolean; is_word: boolean },
): number[] | "match" {
  const seen = new Set<number>(from)
  const stack = [...from]
  const open: number[] = []
  while (stack.length > 0) {
    const id = stack.pop()!
    const step = steps[id]!
    if (step.type === "match") return "match"
    if (step.type === "set") {
      open.push(id)
      continue
    }
    if (step.type === "assert" && !holds(step.assertion, place)) continue
    for (const next of step.type === "assert" ? [step.next] : step.next) {
      if (seen.has(next)) continue
      seen.add(next)
      stack.push(next)
    }
  }
  return open
}

function holds(
  assertion: Assertion,
  { before, is_end, is_word }: { before: Before; is_end: boolean; is_word: boolean },
): boolean {
  if (assertion === "line_start") return before === at_start
  if (assertion === "line_end") return is_end
  const is_edge = (before === after_word) !== is_word
  return assertion === "word_edge" ? is_edge : !is_edge
}

/** Thompson's construction, from the end to the start, so that each step knows what follows it. */
function compile(pattern: Node) {
  const steps: Step[] = [{ type: "match" }]
  const sets: CodeSet[] = []
  const set_ids = new Map<CodeSet | string, number>()
  let has_edges = false

  const put = (step: Step): number => {
    if (steps.length >= nodes_max) throw new PatternError("The pattern is too large; repeat less.")
    return steps.push(step) - 1
  }
  const setId = (set: CodeSet): number => {
    const same = set_ids.get(set)
    if (same !== undefined) return same
    const key = set.join(";")
    const id = set_ids.get(key) ?? sets.push(set) - 1
    set_ids.set(key, id).set(set, id)
    return id
  }
  const build = (node: Node, next: number): number => {
    if (node.type === "set") return put({ type: "set", set: setId(node.set()), next })
    if (node.type === "assert") {
      if (node.assertion.endsWith("edge")) has_edges = true
      return put({ type: "assert", assertion: node.assertion, next })
    }
    if (node.type === "all") return node.nodes.reduceRight((after, part) => build(part, after), next)
    if (node.type === "any") return put({ type: "split", next: node.nodes.map((part) => build(part, next)) })
    return buildRepeat(node, next)
  }
  const buildRepeat = ({ node, min, max }: Extract<Node, { type: "repeat" }>, next: number): number => {
    let after = next
    if (max === Number.POSITIVE_INFINITY) {
      const loop = { type: "split" as const, next: [next] }
      after = put(loop)
      loop.next.push(build(node, after))
    } else for (let i = min; i < max; i++) after = put({ type: "split", next: [build(node, after), next] })
    for (let i = 0; i < min; i++) after = build(node, after)
    return after
  }
  const start = build(pattern, 0)
  return { steps, sets, start, has_edges }
}

/**
 * Letters that no set of the pattern tells apart are one kind, so that a state has few ways to go on. Kind 0 is the end,
 * of a line as well where there are `lines`;
 * what is no letter at all is in no set.
 */
function toLetters(sets: CodeSet[], has_edges: boolean, lines: boolean) {
  const members: boolean[][] = [[], []]
  const words: boolean[] = [false, false]
  const known = new Map<string, number>()
  const kinds = new Map<number, number>()
  const isWordCode = (code: number) =>
    has_edges &&
    ((code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122))

  const make = (code: number): number => {
    const member = sets.map((set) => code >= 0 && has(set, code))
    const is_word = isWordCode(code)
    const key = `${is_word}${member.map(Number).join("")}`
    let kind = known.get(key)
    if (kind === undefined) {
      kind = members.push(member) - 1
      words.push(is_word)
      known.set(key, kind)
    }
    return kind
  }
  const kindOf = (code: number): number => {
    const kind = kinds.get(code) ?? make(code)
    kinds.set(code, kind)
    return kind
  }
  const ascii = Int32Array.from({ length: 128 }, (_, code) => kindOf(code))
  if (lines) {
    ascii[10] = the_end
    ascii[13] = perhaps_end
  }
  return {
    ascii,
    count: () => members.length,
    kindOf,
    isIn: (kind: number, set: number): boolean => members[kind]![set] === true,
    isWord: (kind: number): boolean => words[kind]!,
  }
}

/** The code point whose UTF-8 begins at a place, or -1 where none does: too long, half, a surrogate, too large. */
function codeAt(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + length > end) return -1
  let code = first & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]!
    if ((byte & 0xc0) !== 0x80) return -1
    code = (code << 6) | (byte & 0x3f)
  }
  if (length === 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return -1
  return length === 4 && (code < 0x10000 || code > 0x10ffff) ? -1 : code
}
