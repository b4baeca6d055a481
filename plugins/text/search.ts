import { done, failed, Json, Kind } from "../sdk/weft"
import { TextBuilder } from "./builder"
import { Expression, ExpressionParser } from "./expression"
import { toCodes } from "./letters"
import { Machine, Program } from "./machine"

/** An expression and the text that it goes through. */
class Search {
  error: string = ""
  names: string[] = []
  private at: i32 = 0
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

  /** Matches one behind the other; after an empty one the next character is left out. It is there until the next call. */
  next(): StaticArray<i32> | null {
    if (this.at > this.codes.length) return null
    const machine = this.machine!
    const match = machine.find(this.at)
    if (machine.tired) this.error = "That is too much work; take a simpler expression or less text."
    if (match !== null) this.at = match[1] > match[0] ? match[1] : match[1] + 1
    return match
  }

  text(from: i32, to: i32): string {
    const out = new TextBuilder()
    this.copy(out, from, to)
    return out.toString()
  }

  copy(out: TextBuilder, from: i32, to: i32): void {
    for (let i = from; i < to; i++) out.addCode(this.codes[i])
  }
}

export function match(input: Json, text: string): u64 {
  const codes = toCodes(text)
  const search = new Search(input, codes)
  if (search.error != "") return failed(search.error)
  const limit = Math.max(1, Math.min(1000, input.get("limit").number(100))) as i32
  const matches = new Json(Kind.List)
  const answer = new Json(Kind.Object).set("matches", matches)
  let line = 1
  let at = 0
  let found = search.next()
  for (; found !== null && matches.items.length < limit; found = search.next()) {
    for (; at < found[0]; at++) if (codes[at] == 10) line++
    matches.add(toMatch(search, found, line))
  }
  if (found !== null) answer.set("more", true)
  return search.error == "" ? done(answer.toString()) : failed(search.error)
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
  const is_first = input.get("first").bool()
  const replacement = input.get("replacement").text()
  const out = new TextBuilder()
  let at = 0
  for (let found = search.next(); found !== null; found = search.next()) {
    search.copy(out, at, found[0])
    expand(out, replacement, search, found)
    at = found[1]
    if (is_first) break
  }
  search.copy(out, at, codes.length)
  return search.error == "" ? done(out.toString()) : failed(search.error)
}

/** "$1", "$<name>", "$&" and "$$"; any other dollar is a dollar. */
function expand(out: TextBuilder, replacement: string, search: Search, spans: StaticArray<i32>): void {
  for (let at = 0; at < replacement.length; ) {
    const dollar = replacement.indexOf("$", at)
    if (dollar < 0) {
      out.addText(replacement.substring(at))
      return
    }
    out.addText(replacement.substring(at, dollar))
    const code = dollar + 1 < replacement.length ? replacement.charCodeAt(dollar + 1) : 0
    at = dollar + 2
    if (code == 0x24) out.addCode(0x24)
    else if (code == 0x26) search.copy(out, spans[0], spans[1])
    else if (code == 0x3c) {
      const close = replacement.indexOf(">", at)
      const index = close < 0 ? -1 : search.names.indexOf(replacement.substring(at, close))
      if (index > 0) {
        addGroup(out, search, spans, index)
        at = close + 1
      } else out.addText("$<")
    } else {
      const digits = groupDigits(replacement, dollar + 1, search.names.length)
      const index = digits > 0 ? I32.parseInt(replacement.substr(dollar + 1, digits)) : 0
      if (digits > 0) addGroup(out, search, spans, index)
      else out.addCode(0x24)
      at = dollar + 1 + digits
    }
  }
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

function addGroup(out: TextBuilder, search: Search, spans: StaticArray<i32>, index: i32): void {
  if (spans[index * 2] >= 0) search.copy(out, spans[index * 2], spans[index * 2 + 1])
}

function isDigit(code: i32): bool {
  return code >= 0x30 && code <= 0x39
}
