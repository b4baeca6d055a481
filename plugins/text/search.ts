import { done, failed, Json, Kind } from "../sdk/weft"
import { Expression, ExpressionParser } from "./expression"
import { toCodes } from "./letters"
import { Machine, Program } from "./machine"

/** An expression and the text that it goes through. */
class Search {
  error: string = ""
  names: string[] = []
  private machine: Machine | null = null

  constructor(
    input: Json,
    private codes: StaticArray<i32>,
  ) {
    const parser = new ExpressionParser(toCodes(input.get("pattern").text()))
    const tree = parser.parse()
    this.names = parser.names
    this.error = parser.error
    if (parser.error == "") this.machine = this.prepare(tree, input.get("flags").text())
  }

  private prepare(tree: Expression, flags: string): Machine | null {
    const program = new Program(flags.includes("i"), flags.includes("m"), flags.includes("s"))
    program.compile(tree)
    if (!program.too_large) return new Machine(program, this.codes, this.names.length)
    this.error = "The expression is too large."
    return null
  }

  /** Matches one behind the other; after an empty one the next character is left out. */
  all(limit: i32): StaticArray<i32>[] {
    const found: StaticArray<i32>[] = []
    const machine = this.machine!
    for (let at = 0; at <= this.codes.length && found.length < limit; ) {
      const match = machine.find(at)
      if (match === null) break
      found.push(match)
      at = match[1] > match[0] ? match[1] : match[1] + 1
    }
    if (machine.tired) this.error = "That is too much work; take a simpler expression or less text."
    return found
  }

  text(from: i32, to: i32): string {
    return toText(this.codes, from, to)
  }
}

export function match(input: Json, text: string): u64 {
  const codes = toCodes(text)
  const search = new Search(input, codes)
  if (search.error != "") return failed(search.error)
  const limit = Math.max(1, Math.min(1000, input.get("limit").number(100))) as i32
  const found = search.all(limit + 1)
  if (search.error != "") return failed(search.error)
  const matches = new Json(Kind.List)
  let line = 1
  let at = 0
  for (let i = 0; i < min(limit, found.length); i++) {
    for (; at < found[i][0]; at++) if (codes[at] == 10) line++
    matches.add(toMatch(search, found[i], line))
  }
  const answer = new Json(Kind.Object).set("matches", matches)
  if (found.length > limit) answer.set("more", true)
  return done(answer.toString())
}

function toMatch(search: Search, spans: StaticArray<i32>, line: i32): Json {
  const shown = new Json(Kind.Object)
    .set("match", search.text(spans[0], spans[1]))
    .set("line", line)
    .set("start", spans[0])
    .set("end", spans[1])
  if (search.names.length == 1) return shown
  const groups = new Json(Kind.Object)
  for (let i = 1; i < search.names.length; i++) {
    const name = search.names[i] == "" ? i.toString() : search.names[i]
    if (spans[i * 2] < 0) groups.set(name, new Json(Kind.Null))
    else groups.set(name, search.text(spans[i * 2], spans[i * 2 + 1]))
  }
  return shown.set("groups", groups)
}

export function replace(input: Json, text: string): u64 {
  const codes = toCodes(text)
  const search = new Search(input, codes)
  if (search.error != "") return failed(search.error)
  const found = search.all(input.get("first").bool() ? 1 : i32.MAX_VALUE)
  if (search.error != "") return failed(search.error)
  const replacement = input.get("replacement").text()
  const parts: string[] = []
  let at = 0
  for (let i = 0; i < found.length; i++) {
    parts.push(search.text(at, found[i][0]))
    parts.push(expand(replacement, search, found[i]))
    at = found[i][1]
  }
  parts.push(search.text(at, codes.length))
  return done(parts.join(""))
}

/** "$1", "$<name>", "$&" and "$$"; any other dollar is a dollar. */
function expand(replacement: string, search: Search, spans: StaticArray<i32>): string {
  let text = ""
  for (let at = 0; at < replacement.length; ) {
    const dollar = replacement.indexOf("$", at)
    if (dollar < 0) return text + replacement.substring(at)
    text += replacement.substring(at, dollar)
    const code = dollar + 1 < replacement.length ? replacement.charCodeAt(dollar + 1) : 0
    at = dollar + 2
    if (code == 0x24) text += "$"
    else if (code == 0x26) text += search.text(spans[0], spans[1])
    else if (code == 0x3c) {
      const close = replacement.indexOf(">", at)
      const index = close < 0 ? -1 : search.names.indexOf(replacement.substring(at, close))
      if (index > 0) {
        text += group(search, spans, index)
        at = close + 1
      } else text += "$<"
    } else {
      const digits = groupDigits(replacement, dollar + 1, search.names.length)
      const index = digits > 0 ? I32.parseInt(replacement.substr(dollar + 1, digits)) : 0
      text += digits > 0 ? group(search, spans, index) : "$"
      at = dollar + 1 + digits
    }
  }
  return text
}

/** How many digits there are a group's number: "$10" is the tenth, or the first and a zero where there are fewer. */
function groupDigits(text: string, at: i32, groups: i32): i32 {
  for (let digits = 2; digits > 0; digits--) {
    const number = text.substr(at, digits)
    if (number.length < digits || !isDigit(number.charCodeAt(0)) || !isDigit(number.charCodeAt(digits - 1)))
      continue
    const index = I32.parseInt(number)
    if (index > 0 && index < groups) return digits
  }
  return 0
}

function group(search: Search, spans: StaticArray<i32>, index: i32): string {
  return spans[index * 2] < 0 ? "" : search.text(spans[index * 2], spans[index * 2 + 1])
}

function isDigit(code: i32): bool {
  return code >= 0x30 && code <= 0x39
}

function toText(codes: StaticArray<i32>, from: i32, to: i32): string {
  const units: i32[] = []
  for (let i = from; i < to; i++) {
    if (codes[i] <= 0xffff) units.push(codes[i])
    else {
      units.push(0xd800 + ((codes[i] - 0x10000) >> 10))
      units.push(0xdc00 + ((codes[i] - 0x10000) & 0x3ff))
    }
  }
  return String.fromCharCodes(units)
}
