import { isAlpha } from "util/string"

/** Scripts that are written without spaces: kana and ideographs, as word processors count them. */
export function isOwnWord(code: i32): bool {
  return (
    (code >= 0x3041 && code <= 0x30ff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0x20000 && code <= 0x3134f)
  )
}

/** What a word begins with: a letter, a digit or the underscore. */
export function beginsWord(code: i32): bool {
  return code < 128 ? isAsciiWord(code) : isAlpha(code) || (code >= 0xff10 && code <= 0xff19)
}

/** What a word consists of: marks on letters, too. */
export function isWord(code: i32): bool {
  return beginsWord(code) || isMark(code)
}

export function isAsciiWord(code: i32): bool {
  const lower = code | 32
  return (lower >= 0x61 && lower <= 0x7a) || isAsciiDigit(code) || code == 0x5f
}

export function isAsciiDigit(code: i32): bool {
  return code >= 0x30 && code <= 0x39
}

/** "don't", "mother-in-law": part of a word where letters are on both sides. */
export function isJoiner(code: i32): bool {
  return code == 0x27 || code == 0x2019 || code == 0x2d || code == 0x2010
}

function isMark(code: i32): bool {
  return (code >= 0x300 && code <= 0x36f) || (code >= 0x20d0 && code <= 0x20ff) || code == 0x200d
}

/** White space as regular expressions have it. */
export function isSpace(code: i32): bool {
  if (code < 128) return code == 32 || (code >= 9 && code <= 13)
  return (
    code == 0xa0 ||
    code == 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code == 0x2028 ||
    code == 0x2029 ||
    code == 0x202f ||
    code == 0x205f ||
    code == 0x3000 ||
    code == 0xfeff
  )
}

export function isLineEnd(code: i32): bool {
  return code == 10 || code == 13 || code == 0x2028 || code == 0x2029
}

/** A text as its code points. */
export function toCodes(text: string): StaticArray<i32> {
  const codes = new StaticArray<i32>(countCodes(text))
  let at = 0
  for (let i = 0; i < codes.length; i++) {
    const code = text.codePointAt(at)
    codes[i] = code
    at += code > 0xffff ? 2 : 1
  }
  return codes
}

export function countCodes(text: string): i32 {
  let count = 0
  for (let at = 0; at < text.length; count++) at += text.codePointAt(at) > 0xffff ? 2 : 1
  return count
}
