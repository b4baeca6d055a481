import { PatternError } from "./letters.ts"
import type { Node } from "./pattern.ts"
import { anything, type CodeSet, negate, slash, unite, without } from "./sets.ts"

/** One name or path, "/" between folders; braces ({a,b}) are choices where `braces` says so. */
export function parseGlob(glob: string, { braces }: { braces: boolean }): Node {
  const reader = { letters: [...glob], at: 0, braces }
  const node = readSequence(reader, 0)
  return {
    type: "all",
    nodes: [{ type: "assert", assertion: "line_start" }, node, { type: "assert", assertion: "line_end" }],
  }
}

type Reader = { letters: string[]; at: number; braces: boolean }

const of = (set: CodeSet): Node => ({ type: "set", set: () => set })
const name_letter = of(without(anything, slash))
const any_letter = of(anything)
const literal = (letter: string): Node => of(single(letter))
const single = (letter: string): CodeSet => [[letter.codePointAt(0)!, letter.codePointAt(0)!]]
const repeat = (node: Node, min: number, max = Number.POSITIVE_INFINITY): Node => ({
  type: "repeat",
  node,
  min,
  max,
})
const depth_max = 20

function readSequence(reader: Reader, depth: number): Node {
  const nodes: Node[] = []
  for (;;) {
    const letter = reader.letters[reader.at]
    if (letter === undefined || (depth > 0 && (letter === "," || letter === "}"))) break
    nodes.push(readOne(reader, letter, depth))
  }
  return { type: "all", nodes }
}

function readOne(reader: Reader, letter: string, depth: number): Node {
  const { letters } = reader
  if (letter === "*") return readStars(reader)
  if (letter === "{" && reader.braces) return readBraces(reader, depth)
  if (letter === "[") {
    const node = readClass(reader)
    if (node) return node
  }
  reader.at++
  if (letter === "?") return name_letter
  if (letter === "\\" && reader.at < letters.length) return literal(letters[reader.at++]!)
  return literal(letter)
}

/** Two stars that are a whole part of the path stand for any number of folders; else they are as good as one. */
function readStars(reader: Reader): Node {
  const { letters } = reader
  const from = reader.at
  while (letters[reader.at] === "*") reader.at++
  const begins = from === 0 || letters[from - 1] === "/"
  const next = letters[reader.at]
  if (reader.at - from !== 2 || !begins || (next !== "/" && next !== undefined)) return repeat(name_letter, 0)
  // What is in the folder, not the folder itself.
  if (next === undefined) return repeat(any_letter, from === 0 ? 0 : 1)
  reader.at++
  return repeat({ type: "all", nodes: [repeat(any_letter, 0), literal("/")] }, 0, 1)
}

function readBraces(reader: Reader, depth: number): Node {
  if (depth === depth_max) throw new PatternError("The glob has braces too deep in each other.")
  const nodes: Node[] = []
  do {
    reader.at++
    nodes.push(readSequence(reader, depth + 1))
  } while (reader.letters[reader.at] === ",")
  if (reader.letters[reader.at] !== "}") throw new PatternError("The glob has a { without its }.")
  reader.at++
  return { type: "any", nodes }
}

/** Undefined where the bracket is never closed: then it means itself. */
function readClass(reader: Reader): Node | undefined {
  const { letters } = reader
  const close = letters.indexOf("]", reader.at + (/[!^]/.test(letters[reader.at + 1] ?? "") ? 3 : 2))
  if (close === -1) return undefined
  const negated = /[!^]/.test(letters[reader.at + 1]!)
  const sets: CodeSet[] = []
  for (let i = reader.at + (negated ? 2 : 1); i < close; i++) {
    if (letters[i] === "\\" && i + 1 < close) i++
    if (letters[i + 1] === "-" && i + 2 < close) {
      const [from, to] = [letters[i]!.codePointAt(0)!, letters[i + 2]!.codePointAt(0)!]
      if (from <= to) sets.push([[from, to]])
      i += 2
    } else sets.push(single(letters[i]!))
  }
  reader.at = close + 1
  const set = unite(...sets)
  return of(without(negated ? negate(set) : set, slash))
}
