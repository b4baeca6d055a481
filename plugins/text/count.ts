import { Json, Kind } from "../sdk/weft"
import { beginsWord, isJoiner, isOwnWord, isWord, toCodes } from "./letters"

export function count(text: string): Json {
  const codes = toCodes(text)
  return new Json(Kind.Object)
    .set("words", countWords(codes))
    .set("lines", countLines(codes))
    .set("characters", codes.length)
    .set("bytes", String.UTF8.byteLength(text))
}

function countWords(codes: StaticArray<i32>): i32 {
  let words = 0
  for (let at = 0; at < codes.length; ) {
    if (isOwnWord(codes[at])) words++
    if (isOwnWord(codes[at]) || !beginsWord(codes[at])) {
      at++
      continue
    }
    words++
    at = endOfWord(codes, at)
  }
  return words
}

function endOfWord(codes: StaticArray<i32>, start: i32): i32 {
  let at = start
  for (; at < codes.length && !isOwnWord(codes[at]); at++) {
    if (isWord(codes[at])) continue
    if (!isJoiner(codes[at]) || at + 1 >= codes.length || !isWord(codes[at + 1])) break
  }
  return at
}

/** A line's end at the end of the text begins no further line. */
function countLines(codes: StaticArray<i32>): i32 {
  if (codes.length == 0) return 0
  let ends = 0
  for (let at = 0; at < codes.length; at++) {
    const is_pair = codes[at] == 13 && at + 1 < codes.length && codes[at + 1] == 10
    if ((codes[at] == 10 || codes[at] == 13) && !is_pair) ends++
  }
  const last = codes[codes.length - 1]
  return last == 10 || last == 13 ? ends : ends + 1
}
