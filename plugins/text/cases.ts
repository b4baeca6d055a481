import { TextBuilder } from "./builder"
import { isJoiner, isWord } from "./letters"

/** null for what is no case. */
export function convertCase(text: string, to: string): string | null {
  if (to == "upper") return text.toUpperCase()
  if (to == "lower") return text.toLowerCase()
  if (to == "title") return toTitle(text, false)
  if (to == "sentence") return toTitle(text, true)
  if (to == "snake") return toWords(text).join("_").toLowerCase()
  if (to == "kebab") return toWords(text).join("-").toLowerCase()
  if (to == "constant") return toWords(text).join("_").toUpperCase()
  if (to != "camel" && to != "pascal") return null
  const words = toWords(text)
  for (let i = 0; i < words.length; i++) {
    const lower = words[i].toLowerCase()
    words[i] = i == 0 && to == "camel" ? lower : capital(lower)
  }
  return words.join("")
}

/** Each word with a capital, or only the first one after a full stop, an exclamation or question mark. */
function toTitle(text: string, by_sentence: bool): string {
  const lower = text.toLowerCase()
  const out = new TextBuilder()
  let begins = true
  let inside = false
  for (let at = 0; at < lower.length; ) {
    const code = lower.codePointAt(at)
    at += code > 0xffff ? 2 : 1
    if (!isWord(code)) {
      out.addCode(code)
      if (!isJoiner(code)) inside = false
      if (code == 0x2e || code == 0x21 || code == 0x3f) begins = true
      continue
    }
    if (begins && !inside) out.addText(String.fromCodePoint(code).toUpperCase())
    else out.addCode(code)
    inside = true
    begins = !by_sentence
  }
  return out.toString()
}

/** "parseHTTPRequest 2", "parse_http-request 2": the words of a name, whichever way it is written. */
function toWords(text: string): string[] {
  const words: string[] = []
  let start = 0
  for (let at = 0; at <= text.length; ) {
    const code = at < text.length ? text.codePointAt(at) : 0x20
    const is_part = code != 0x5f && isWord(code)
    if (at > start && (!is_part || beginsPart(text, at))) {
      words.push(text.substring(start, at))
      start = at
    }
    at += code > 0xffff ? 2 : 1
    if (!is_part) start = at
  }
  return words
}

/** After a small letter or a digit a capital, or the last of several capitals before a small letter. */
function beginsPart(text: string, at: i32): bool {
  if (!isUpper(text.charAt(at))) return false
  return !isUpper(text.charAt(at - 1)) || isLower(text.charAt(at + 1))
}

function isUpper(letter: string): bool {
  return letter != letter.toLowerCase()
}

function isLower(letter: string): bool {
  return letter != letter.toUpperCase()
}

function capital(word: string): string {
  const first = word.length > 1 && word.codePointAt(0) > 0xffff ? 2 : 1
  return word.substring(0, first).toUpperCase() + word.substring(first)
}
