/** Reads a regular expression into a tree. What would need backtracking is refused by name. */

import { CharacterClass, ClassParser } from "./character-class"
import { isAsciiDigit } from "./letters"

export enum Node {
  Empty,
  Character,
  Any,
  Class,
  LineStart,
  LineEnd,
  Boundary,
  NoBoundary,
  Sequence,
  Choice,
  Repeat,
  Group,
}

export class Expression {
  parts: Expression[] = []
  /** Of a character its code; of a group its number, 0 for one that is not captured. */
  value: i32 = 0
  characters: CharacterClass | null = null
  least: i32 = 0
  /** -1 is without end. */
  most: i32 = 0
  greedy: bool = true
  constructor(public node: Node) {}
}

const groups_max = 50
const repeats_max = 1000
const levels_max = 100

export class ExpressionParser {
  /** What is wrong; "" while nothing is. */
  error: string = ""
  /** By number; "" for those without a name. The first is the whole match. */
  names: string[] = [""]
  private at: i32 = 0
  private level: i32 = 0

  constructor(private codes: StaticArray<i32>) {}

  parse(): Expression {
    const tree = this.choice()
    if (this.error == "" && this.at < this.codes.length) this.fail("A parenthesis closes nothing")
    return tree
  }

  private choice(): Expression {
    if (++this.level > levels_max) return this.fail("It is nested too deeply")
    const choice = new Expression(Node.Choice)
    choice.parts.push(this.sequence())
    while (this.skips(0x7c)) choice.parts.push(this.sequence())
    this.level--
    return choice.parts.length == 1 ? choice.parts[0] : choice
  }

  private sequence(): Expression {
    const sequence = new Expression(Node.Sequence)
    while (this.error == "" && this.peek() != -1 && this.peek() != 0x7c && this.peek() != 0x29) {
      sequence.parts.push(this.repeated())
    }
    return sequence
  }

  private repeated(): Expression {
    const part = this.single()
    const repeat = new Expression(Node.Repeat)
    if (this.skips(0x2a)) repeat.most = -1
    else if (this.skips(0x2b)) {
      repeat.least = 1
      repeat.most = -1
    } else if (this.skips(0x3f)) repeat.most = 1
    else if (!this.bounds(repeat)) return part
    if (this.error != "") return repeat
    if (part.node >= Node.LineStart && part.node <= Node.NoBoundary) return this.fail("Nothing to repeat")
    repeat.greedy = !this.skips(0x3f)
    const code = this.peek()
    if (code == 0x2a || code == 0x2b || code == 0x3f) return this.fail("Nothing to repeat")
    repeat.parts.push(part)
    return repeat
  }

  /** "{2}", "{2,}" or "{2,5}"; anything else after a brace is that brace. */
  private bounds(repeat: Expression): bool {
    const start = this.at
    if (!this.skips(0x7b)) return false
    const least = this.digits()
    let most = least
    if (this.skips(0x2c)) most = this.peek() == 0x7d ? -1 : this.digits()
    if (least < 0 || (most < 0 && this.codes[this.at - 1] != 0x2c) || !this.skips(0x7d)) {
      this.at = start
      return false
    }
    if (least > repeats_max || most > repeats_max) this.fail(`More than ${repeats_max} repetitions`)
    if (most >= 0 && most < least) this.fail("The numbers of a repetition are the wrong way around")
    repeat.least = least
    repeat.most = most
    return true
  }

  /** -1 where there are none. */
  private digits(): i32 {
    if (!isAsciiDigit(this.peek())) return -1
    let value = 0
    for (; isAsciiDigit(this.peek()); this.at++) value = min(100000, value * 10 + this.peek() - 0x30)
    return value
  }

  private single(): Expression {
    const code = this.peek()
    this.at++
    if (code == 0x2e) return new Expression(Node.Any)
    if (code == 0x5e) return new Expression(Node.LineStart)
    if (code == 0x24) return new Expression(Node.LineEnd)
    if (code == 0x28) return this.group()
    if (code == 0x5b) return this.oneOf()
    if (code == 0x5c) return this.escape()
    if (code == 0x2a || code == 0x2b || code == 0x3f) return this.fail("Nothing to repeat")
    return character(code)
  }

  private group(): Expression {
    const group = new Expression(Node.Group)
    let name = ""
    let captures = true
    if (this.skips(0x3f)) {
      captures = false
      if (this.skips(0x3c)) {
        if (this.peek() == 0x3d || this.peek() == 0x21) return this.fail("There is no lookbehind")
        name = this.name()
        if (name == "") return this.fail("A group's name is letters and digits before >")
        captures = true
      } else if (!this.skips(0x3a)) return this.fail("There is no lookahead, and no flag within")
    }
    if (captures) {
      group.value = this.names.length
      this.names.push(name)
      if (this.names.length > groups_max) return this.fail(`More than ${groups_max} groups`)
    }
    group.parts.push(this.choice())
    if (this.error == "" && !this.skips(0x29)) return this.fail("A parenthesis is not closed")
    return group
  }

  private name(): string {
    const start = this.at
    for (; ; this.at++) {
      const code = this.peek()
      const lower = code | 32
      const is_digit = isAsciiDigit(code) && this.at > start
      if (!(lower >= 0x61 && lower <= 0x7a) && code != 0x5f && !is_digit) break
    }
    let name = ""
    for (let i = start; i < this.at; i++) name += String.fromCharCode(this.codes[i])
    if (this.names.includes(name)) this.fail("Two groups have one name")
    return this.skips(0x3e) ? name : ""
  }

  private oneOf(): Expression {
    const parser = new ClassParser(this.codes, this.at)
    const node = new Expression(Node.Class)
    node.characters = parser.list()
    this.at = parser.at
    return parser.error == "" ? node : this.fail(parser.error)
  }

  private escape(): Expression {
    const code = this.peek()
    if (code == 0x62 || code == 0x42) {
      this.at++
      return new Expression(code == 0x62 ? Node.Boundary : Node.NoBoundary)
    }
    if (code == 0x6b || (code >= 0x31 && code <= 0x39)) return this.fail("There are no backreferences")
    const parser = new ClassParser(this.codes, this.at)
    const node = new Expression(Node.Class)
    const characters = new CharacterClass()
    const single = parser.escape(characters)
    this.at = parser.at
    if (parser.error != "") return this.fail(parser.error)
    if (single >= 0) return character(single)
    node.characters = characters
    return node
  }

  private skips(code: i32): bool {
    if (this.peek() != code) return false
    this.at++
    return true
  }

  private peek(): i32 {
    return this.at < this.codes.length ? this.codes[this.at] : -1
  }

  private fail(error: string): Expression {
    if (this.error == "") this.error = `${error} (at ${this.at}).`
    this.at = this.codes.length
    return new Expression(Node.Empty)
  }
}

function character(code: i32): Expression {
  const node = new Expression(Node.Character)
  node.value = code
  return node
}
