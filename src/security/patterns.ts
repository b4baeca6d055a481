import { posix } from "node:path"
import ipaddr from "ipaddr.js"
import { once } from "../base/once.ts"

/**
 * Whether a path is meant: `?` is one character and `*` any number of them within one name, `**` any number of names.
 * A pattern without wildcards means what it names and everything below. Relative ones start from the workspace, and
 * so do the paths that are compared with them; case matters.
 */
export const matchesPath = (pattern: string, path: string): boolean => pathMatcher(pattern)(path)

/** The same for many paths: a search asks for each file that it finds. */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const wanted = withoutDots(pattern)
  const glob = once(() => toAutomaton(wanted))
  return (path) => {
    const given = withoutDots(path)
    if (wanted.startsWith("/") !== given.startsWith("/")) return false
    if (hasWildcard(wanted)) return accepts(glob(), given)
    return wanted === "" || given === wanted || given.startsWith(wanted === "/" ? "/" : `${wanted}/`)
  }
}

/** "" for the workspace itself; "docs" and "./docs/" are the same. Links and ".." are no business of this file. */
function withoutDots(path: string): string {
  const names = path.replace(/(?<=^|\/)(?:\.?\/)+/g, "").replace(/(?<=^|\/)\.$|\/$/, "")
  return (path.startsWith("/") ? "/" : "") + (names.endsWith("/") ? names.slice(0, -1) : names)
}

/**
 * Whether a host is meant: `*` is any number of characters, so "*.example.com" is what is below that name; a pattern
 * with a port (":443", ":*") means this port only. Case and a final dot do not matter; IPv6 goes into brackets.
 */
export function matchesHost(pattern: string, host: string, port: number): boolean {
  const { name, port: wanted } = splitHost(pattern)
  if (wanted !== undefined && wanted !== "*" && Number(wanted) !== port) return false
  return matchesGlob(name.replaceAll(/\*+/g, "**"), toHost(host))
}

/** A "host:port" or a pattern of one; an IPv6 address needs its brackets only where a port follows. */
export function splitHost(text: string): { name: string; port?: string } {
  const [, name, port] = /^(\[[^\]]*\]|[^:]*):(\d+|\*)$/.exec(text) ?? []
  if (name === undefined || port === undefined) return { name: toHost(text) }
  return { name: toHost(name), port }
}

/**
 * Whether a pattern means a local host if that is what it turns out to be. Where a public name leads is said by whoever
 * owns it, who could make it any service of this machine, so that such a rule has to name the port as well.
 */
export function namesLocal(pattern: string): boolean {
  const { name, port } = splitHost(pattern)
  if (hasWildcard(name)) return false
  return port !== undefined || /^[^.]*$|^[\d.]+$|\.(localhost|localdomain|local|internal)$/.test(name)
}

function toHost(host: string): string {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host
  if (bare.includes(":") && bare.length < 64 && ipaddr.IPv6.isValid(bare)) {
    return ipaddr.IPv6.parse(bare).toNormalizedString()
  }
  return (bare.endsWith(".") ? bare.slice(0, -1) : bare).toLowerCase()
}

/** What is known of a command's match before it runs; "possible" where a word is not known yet. */
export type Match = "certain" | "possible" | "none"

/**
 * Whether a command begins with the pattern's words. The first one is compared with the program's name or, with a
 * slash in it, with its whole path. Wildcards are those of paths; a `*` alone is any one word. A word that is null is
 * not known before the command runs, and may become none or several: nothing is certain from there on.
 */
export function commandMatch(pattern: string, words: readonly (string | null)[], relative?: string): Match {
  const [first = "", ...wanted] = pattern.trim().split(/\s+/)
  const [program, ...given] = words
  if (program === undefined) return "none"
  if (program === null) return "possible"
  if (!isProgram(first, program, relative)) return "none"
  for (const [index, word] of wanted.entries()) {
    const actual = given[index]
    if (actual === null) return "possible"
    if (actual === undefined || (word !== "*" && !matchesGlob(word, actual))) return "none"
  }
  return "certain"
}

export const matchesCommand = (pattern: string, words: readonly (string | null)[]): boolean =>
  commandMatch(pattern, words) === "certain"

function isProgram(pattern: string, program: string, relative: string | undefined): boolean {
  if (!pattern.includes("/")) return matchesGlob(pattern, posix.basename(program))
  if (pattern.startsWith("/")) return matchesGlob(pattern, program)
  return relative !== undefined && matchesGlob(withoutDots(pattern), withoutDots(relative))
}

/** `*` is any number of characters, whatever they are. */
export const matchesText = (pattern: string, text: string): boolean =>
  matchesGlob(pattern.replaceAll(/\*+/g, "**"), text)

/** The greater, the fewer things are meant: no wildcard before any, then the number of literal characters. */
export function specificity(pattern: string): number {
  const literal = pattern.replaceAll(/[*?]/g, "").length
  return hasWildcard(pattern) ? literal : literal + 2 ** 32
}

export const hasWildcard = (pattern: string): boolean => /[*?]/.test(pattern)

/**
 * All ways through the pattern are followed at once, a bit for each position in it: one look at each character, whatever
 * the text is. Brackets, braces and backslashes stand for themselves.
 */
function accepts({ classOf, steps, stays, twins, accepted, words }: Automaton, text: string): boolean {
  let states = new Int32Array(words)
  let next = new Int32Array(words)
  states[0] = 1 | ((twins[0]! & 1) << 1)
  for (let i = 0; i < text.length; i++) {
    const offset = classOf(text.charCodeAt(i)) * words
    let carried = 0
    let carried_twin = 0
    let alive = 0
    for (let word = 0; word < words; word++) {
      const at = states[word]!
      const stepping = at & steps[offset + word]!
      const reached = (stepping << 1) | carried
      const beside = reached & twins[word]!
      carried = stepping >>> 31
      next[word] = reached | (beside << 1) | carried_twin | (at & stays[offset + word]!)
      carried_twin = beside >>> 31
      alive |= next[word]!
    }
    if (alive === 0) return false
    ;[states, next] = [next, states]
  }
  return accepted.some((state) => (states[state >> 5]! >>> (state & 31)) & 1)
}

const matchesGlob = (pattern: string, text: string): boolean => accepts(toAutomaton(pattern), text)

type Automaton = {
  /** 0 for a character that the pattern does not have, 1 for a slash. */
  classOf(character: number): number
  /** For each class the positions that it moves on by one, and those where it may stay. */
  steps: Int32Array
  stays: Int32Array
  /** Who comes to one of these is at the next one, too. */
  twins: Int32Array
  accepted: number[]
  words: number
}

const slash = 47

function toAutomaton(pattern: string): Automaton {
  const wanted: (number | "any")[] = []
  const loops: ("name" | "all" | undefined)[] = []
  const twin_states: number[] = []
  const accepted: number[] = []
  for (const [part] of pattern.matchAll(/(?<=^|\/)(?:\*\*\/)+|\/\*\*$|\*+|[\s\S]/g)) {
    const state = wanted.length
    if (part.startsWith("**/")) {
      twin_states.push(state)
      loops[state] = "all"
      wanted.push(slash)
    } else if (part === "/**") {
      accepted.push(state)
      wanted.push(slash)
      loops[state + 1] = "all"
    } else if (part.startsWith("*")) loops[state] = part === "*" ? "name" : "all"
    else wanted.push(part === "?" ? "any" : part.charCodeAt(0))
  }
  accepted.push(wanted.length)
  const words = (wanted.length >> 5) + 1
  const characters = [...new Set([slash, ...wanted.filter((one) => one !== "any")])]
  const classes = new Map(characters.map((character, index) => [character, index + 1]))
  const toBits = (has: (state: number) => boolean) => {
    const bits = new Int32Array(words)
    for (let state = 0; state <= wanted.length; state++)
      if (has(state)) bits[state >> 5]! |= 1 << (state & 31)
    return bits
  }
  const all = [-1, ...characters]
  const ascii = Uint16Array.from({ length: 128 }, (_, character) => classes.get(character) ?? 0)
  return {
    classOf: (character) => (character < 128 ? ascii[character]! : (classes.get(character) ?? 0)),
    steps: joined(all.map((c) => toBits((at) => wanted[at] === c || (wanted[at] === "any" && c !== slash)))),
    stays: joined(
      all.map((c) => toBits((at) => loops[at] === "all" || (loops[at] === "name" && c !== slash))),
    ),
    twins: toBits((at) => twin_states.includes(at)),
    accepted,
    words,
  }
}

const joined = (parts: Int32Array[]): Int32Array => Int32Array.from(parts.flatMap((part) => [...part]))
