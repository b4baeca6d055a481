import type { Reader } from "./pattern.ts"
import { type CodeSet, foldCase, negate, setOf, unite } from "./sets.ts"

/** What a part of a pattern stands for that reads one letter; `only` where that is a certain one. */
export type Letters = { only?: number; set: () => CodeSet }

/** A pattern that cannot be read. */
export class PatternError extends Error {
  override name = "PatternError"
}

/** The place is in UTF-16 units, from 0. */
export function fail(at: number, why: string): never {
  throw new PatternError(`The pattern is wrong at character ${at + 1}: ${why}.`)
}

export const single = (code: number): Letters => ({ only: code, set: () => [[code, code]] })

const controls: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, "0": 0, e: 27 }

const classes: Record<string, string> = {
  d: "\\p{Nd}",
  s: "\\p{White_Space}",
  w: "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]",
}

/** What a backslash stands for outside of assertions. */
export function readEscaped(reader: Reader): Letters {
  const { source, at } = reader
  const rest = source.slice(at + 1, at + 64)
  const letter = rest === "" ? fail(at, "a \\ at the end") : String.fromCodePoint(rest.codePointAt(0)!)
  const name = letter.toLowerCase()
  if (Object.hasOwn(classes, name)) {
    reader.at += 2
    reader.out.push(`\\${letter}`)
    return classOf(classes[name]!, letter !== name)
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

function readProperty(reader: Reader, rest: string): Letters {
  const { at } = reader
  const found = /^[pP](?:\{\^?([A-Za-z0-9_=]+)\}|([A-Za-z]))/.exec(rest)
  const name = found?.[1] ?? found?.[2]
  if (!found || !name) fail(at, "\\p wants a property such as \\p{L}")
  reader.at += 1 + found[0].length
  reader.out.push(`\\${found[0]}`)
  const negated = (rest[0] === "P") !== found[0].includes("{^")
  for (const source of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    if (isClass(source)) return classOf(source, negated)
  }
  return fail(at, `there is no property "${name}"`)
}

const classOf = (source: string, negated: boolean): Letters => ({
  set: () => (negated ? negate(setOf(source)) : setOf(source)),
})

function isClass(source: string): boolean {
  try {
    new RegExp(source, "u")
    return true
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return false
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

export function readClass(reader: Reader): Letters {
  const { source, at: from } = reader
  reader.at++
  const negated = source[reader.at] === "^"
  if (negated) reader.at++
  reader.out.push(negated ? "[^" : "[")
  const members: Letters[] = []
  const { ignore_case } = reader
  for (let is_first = true; ; is_first = false) {
    const letter = source[reader.at]
    if (letter === undefined) fail(from, "a [ without its ]")
    if (letter === "]" && !is_first) break
    const named = /^\[:(\^?)([a-z]+):\]/.exec(source.slice(reader.at, reader.at + 16))
    if (named && Object.hasOwn(posix, named[2]!)) {
      reader.at += named[0].length
      reader.out.push(named[0])
      const set = posix[named[2]!]!
      members.push({ set: () => (named[1] ? negate(set) : set) })
      continue
    }
    members.push(readRange(reader))
  }
  reader.at++
  reader.out.push("]")
  const united = () => unite(...members.map(({ set }) => set()))
  if (!negated) return { set: united }
  // Folded before it is turned round, so that (?i)[^a] has no "A" either.
  return { set: () => negate(ignore_case ? foldCase(united()) : united()) }
}

function readRange(reader: Reader): Letters {
  const { source, at } = reader
  const first = readMember(reader)
  const is_range = source[reader.at] === "-" && source[reader.at + 1] !== "]" && reader.at + 1 < source.length
  if (!is_range || first.only === undefined) return first
  reader.at++
  reader.out.push("-")
  const from = first.only
  const to = readMember(reader).only
  if (to === undefined || to < from) fail(at, "a range that is none")
  return { set: () => [[from, to]] }
}

function readMember(reader: Reader): Letters {
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
