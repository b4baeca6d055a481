import { isAsciiDigit, isAsciiWord, isSpace } from "./letters"

enum Named {
  Digit,
  NoDigit,
  Word,
  NoWord,
  Space,
  NoSpace,
}

/** What stands in brackets: ranges, and classes such as \d. */
export class CharacterClass {
  negated: bool = false
  /** Pairs of the first and the last. */
  private ranges: i32[] = []
  private named: Named[] = []

  addRange(first: i32, last: i32): void {
    this.ranges.push(first)
    this.ranges.push(last)
  }

  addNamed(named: Named): void {
    this.named.push(named)
  }

  /** Without its negation, which applies to a character in both of its cases. */
  holds(code: i32): bool {
    for (let i = 0; i < this.ranges.length; i += 2) {
      if (code >= this.ranges[i] && code <= this.ranges[i + 1]) return true
    }
    for (let i = 0; i < this.named.length; i++) {
      if (isNamed(this.named[i], code)) return true
    }
    return false
  }
}

function isNamed(named: Named, code: i32): bool {
  switch (named) {
    case Named.Digit:
      return isAsciiDigit(code)
    case Named.NoDigit:
      return !isAsciiDigit(code)
    case Named.Word:
      return isAsciiWord(code)
    case Named.NoWord:
      return !isAsciiWord(code)
    case Named.Space:
      return isSpace(code)
    default:
      return !isSpace(code)
  }
}

export class ClassParser {
  error: string = ""

  constructor(
    private codes: StaticArray<i32>,
    public at: i32,
  ) {}

  /** From behind the opening bracket to behind the closing one. */
  list(): CharacterClass {
    const list = new CharacterClass()
    if (this.peek() == 0x5e) {
      list.negated = true
      this.at++
    }
    while (this.error == "") {
      if (this.peek() == -1) this.error = "A bracket is not closed"
      else if (this.peek() == 0x5d) break
      else this.entry(list)
    }
    this.at++
    return list
  }

  private entry(list: CharacterClass): void {
    const first = this.one(list)
    if (this.peek() != 0x2d || this.next() == 0x5d || this.next() == -1) {
      if (first >= 0) list.addRange(first, first)
      return
    }
    this.at++
    const last = this.one(list)
    if (this.error != "") return
    if (first < 0 || last < 0) this.error = "A class is no end of a range"
    else if (first > last) this.error = "A range is the wrong way around"
    else list.addRange(first, last)
  }

  /** One character; -1 for a class, which is added. */
  private one(list: CharacterClass): i32 {
    const code = this.peek()
    this.at++
    if (code != 0x5c) return code
    if (this.peek() == 0x62) {
      this.at++
      return 8
    }
    return this.escape(list)
  }

  /** From behind the backslash. */
  escape(list: CharacterClass): i32 {
    const code = this.peek()
    this.at++
    switch (code) {
      case 0x64:
        return this.named(list, Named.Digit)
      case 0x44:
        return this.named(list, Named.NoDigit)
      case 0x77:
        return this.named(list, Named.Word)
      case 0x57:
        return this.named(list, Named.NoWord)
      case 0x73:
        return this.named(list, Named.Space)
      case 0x53:
        return this.named(list, Named.NoSpace)
      case 0x74:
        return 9
      case 0x6e:
        return 10
      case 0x76:
        return 11
      case 0x66:
        return 12
      case 0x72:
        return 13
      case 0x30:
        return 0
      case 0x78:
        return this.hexadecimal(2)
      case 0x75:
        return this.unicode()
      default:
        if (code < 0) this.error = "A backslash escapes nothing"
        else if (isAsciiWord(code)) this.error = `There is no \\${String.fromCodePoint(code)}`
        return code
    }
  }

  private named(list: CharacterClass, named: Named): i32 {
    list.addNamed(named)
    return -1
  }

  private unicode(): i32 {
    if (this.peek() != 0x7b) {
      const high = this.hexadecimal(4)
      if (high < 0xd800 || high > 0xdbff || this.peek() != 0x5c || this.next() != 0x75) return high
      this.at += 2
      const low = this.hexadecimal(4)
      if (low < 0xdc00 || low > 0xdfff) this.error = "Half of a surrogate pair is no character"
      return ((high & 0x3ff) << 10) + (low & 0x3ff) + 0x10000
    }
    const start = ++this.at
    while (this.peek() != 0x7d && this.peek() != -1) this.at++
    const digits = this.at - start
    this.at = start
    const code = digits > 0 && digits <= 6 ? this.hexadecimal(digits) : -1
    this.at++
    if (code < 0 || code > 0x10ffff) this.error = "There is no such character"
    return code
  }

  private hexadecimal(digits: i32): i32 {
    let value = 0
    for (let i = 0; i < digits; i++) {
      const code = this.peek()
      const lower = code | 32
      const is_letter = lower >= 0x61 && lower <= 0x66
      if (!isAsciiDigit(code) && !is_letter) this.error = "A character's number is in hexadecimal digits"
      value = value * 16 + (is_letter ? lower - 0x57 : code - 0x30)
      this.at++
    }
    return value
  }

  private peek(): i32 {
    return this.at < this.codes.length ? this.codes[this.at] : -1
  }

  private next(): i32 {
    return this.at + 1 < this.codes.length ? this.codes[this.at + 1] : -1
  }
}
