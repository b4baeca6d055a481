import { isStopWord } from "./stop-words.ts"

const ascii = /^[\0-\x7f]*$/
/** After a letter of these scripts a mark is an accent, and people leave it out. Elsewhere it is a vowel or a tone. */
const accents = /(?<=[\p{Script=Latin}\p{Script=Greek}][\u0300-\u036f]*)[\u0300-\u036f]/gu
/** Vowels of Arabic and Hebrew that are seldom written, and the line that stretches a word. */
const seldom_written = /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670]/g
const has_marks = /\p{M}/u
/** Letters that Unicode does not take apart. */
const letters: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ħ: "h",
  ı: "i",
  ŋ: "n",
  ŧ: "t",
  ς: "σ",
  ё: "е",
}
const undivided = new RegExp(`[${Object.keys(letters).join("")}]`, "g")

/**
 * One spelling for all that people take for the same: NFKC (full width, ligatures), lower case, no accents on Latin and
 * Greek letters. Never throws, and folding twice changes nothing; half a surrogate pair becomes U+FFFD.
 */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase()
  const once = foldOnce(text.toWellFormed())
  // What is undivided may come about only when its marks are put together.
  return has_marks.test(once) ? foldOnce(once) : once
}

function foldOnce(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFD")
    .replace(seldom_written, "")
    .replace(accents, "")
    .normalize("NFC")
    .replace(undivided, (letter) => letters[letter]!)
}

/** Parts of a longer name than this, or more of them, are no words: a key, a checksum. */
const name_chars_max = 128
const name_parts_max = 8

/** Scripts written without spaces, and Korean, whose words change their ends. */
const unspaced =
  "\\p{sc=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmr}\\p{sc=Mymr}"
const run = new RegExp(`(?:[[${unspaced}]&&\\p{L}]\\p{M}*)+`, "gv")
const character = /\P{M}\p{M}*/gu
const is_han = /^\p{sc=Han}/u
const neither_letter_nor_ascii = /[^\p{L}\p{N}\p{M}\p{Co}\0-\x7f]+/gu
/** Marks, where SQLite's tokeniser would end a word, and letters of which its tables (Unicode 6.1) may not know. */
const not_to_sqlite =
  /[[\p{L}\p{M}\p{N}]--[\0-\u024f\u0370-\u037e\u0384-\u0527\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4db5\u4e00-\u9fcb\uac00-\ud7a3]]/gv

/**
 * What the full-text index has of a text: its words, folded, divided by spaces (or anything that is neither letter nor
 * digit). Runs of Chinese, Japanese, Korean, Thai and the like are pairs of characters, and Chinese ones also single; names
 * as in code are there whole, in one word without their dots and underscores, and in parts; and of every telling word
 * its beginning, so that other forms of it are found (bench/retrieval.ts: hit@5 .70 without, .75 with).
 */
export function toWords(text: string): string {
  const words = spaced(text, true)
  return words + beginningsIn(words)
}

/** What the hash embedder has of it: it makes beginnings of its own, and single characters are noise to it. */
export function toVectorWords(text: string): string {
  return spaced(text, false)
}

function spaced(text: string, with_single: boolean): string {
  const plain = withoutApostrophes(
    ascii.test(text)
      ? text
      : text.toWellFormed().normalize("NFKC").replace(/[’ʼ]/g, "'").replace(neither_letter_nor_ascii, " "),
  )
  const names = namesIn(plain)
  const words = fold(names ? `${plain} ${names}` : plain)
  return ascii.test(words) ? words : divided(words, with_single)
}

const beginning_chars = 4

/** Of alphabets with upper and lower case, whose words have ends that change. The digit sets them off from words. */
function beginningsIn(words: string): string {
  let found = ""
  let start = -1
  for (let i = 0; i <= words.length; i++) {
    const code = i < words.length ? words.charCodeAt(i) : 0
    if ((code >= 97 && code <= 122) || (code >= 0x370 && code < 0x530)) {
      if (start < 0) start = i
    } else if (start >= 0) {
      if (i - start >= beginning_chars && !isStopWord(words.slice(start, i)))
        found += ` 0${words.slice(start, start + beginning_chars)}`
      start = -1
    }
  }
  return found
}

/** "Ann's" is Ann, "don't" one word; "l'eau" is two without further ado. */
function withoutApostrophes(text: string): string {
  return text.includes("'") ? text.replace(/'s\b/gi, " ").replace(/n't\b/gi, "nt") : text
}

function divided(words: string, with_single: boolean): string {
  return (
    words
      .replace(run, (found) => ` ${toPairs(found, with_single)} `)
      // They stand in the private plane 15 instead, all of which it takes for letters.
      .replace(not_to_sqlite, (found) => String.fromCodePoint(0xf0000 + (found.codePointAt(0)! & 0xffff)))
  )
}

/** Beside the pairs the single characters of Chinese, so that a question of one character finds it. */
function toPairs(found: string, with_single: boolean): string {
  const characters = is_simple.test(found) ? found : (found.match(character) ?? [])
  if (characters.length === 1) return found
  let pairs = ""
  let single = ""
  for (let i = 0; i < characters.length; i++) {
    const each = characters[i]!
    if (i > 0) pairs += ` ${characters[i - 1]}${each}`
    if (with_single && isHan(each)) single += ` ${each}`
  }
  return pairs + single
}

/** Of characters that are one code unit each. */
const is_simple = /^[\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u9fff\uac00-\ud7a3]*$/
const isHan = (char: string) =>
  (char >= "\u3400" && char <= "\u9fff") || (char.length > 1 && is_han.test(char))

const [lower, upper, digit, joint] = [1, 2, 3, 4]
const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  if (/[a-z]/.test(char)) return lower!
  if (/[A-Z]/.test(char)) return upper!
  if (/[0-9]/.test(char)) return digit!
  return "._-,".includes(char) ? joint! : 0
})

/**
 * What has to be added to a text so that names are found whole and in parts: of "fold_text" (already in parts for the
 * tokeniser) the whole, of "foldText2" the parts.
 */
function namesIn(text: string): string {
  let added = ""
  let start = 0
  let before = 0
  let is_name = false
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0
    const kind = code < 128 ? kinds[code]! : lower!
    if (kind === 0) {
      if (is_name && i - start <= name_chars_max) added += partsOf(text.slice(start, i))
      start = i + 1
      is_name = false
    } else if (before !== 0 && kind !== before) {
      is_name ||=
        before === joint
          ? i > start + 1
          : kind !== joint && !(before === upper && kind === lower && i === start + 1)
    }
    before = kind
  }
  return added
}

const joints = /[._,-]+/g
const parts = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+/gu

function partsOf(name: string): string {
  const bare = name.replace(/^[._,-]+|[._,-]+$/g, "")
  const whole = bare.replace(joints, "")
  const is_joined = whole.length < bare.length
  const all = bare.match(parts) ?? []
  if (all.length < 2) return ""
  // A list or a sentence without spaces is no name.
  const joined = is_joined && all.length <= name_parts_max && !/,(?!\d)/.test(bare) ? ` ${whole}` : ""
  const divided = bare.split(joints).flatMap((piece) => {
    const found = piece.match(parts) ?? []
    return found.length > 1 && found.length <= name_parts_max ? found.filter((part) => part.length > 1) : []
  })
  return `${joined}${divided.length > 0 ? ` ${divided.join(" ")}` : ""}`
}

/** All words that the index has of a text. */
export const wordsIn = (text: string): ReadonlySet<string> => new Set(toWords(text).split(between_words))

const between_words = /[^\p{L}\p{N}\p{Co}]+/u

/** A question longer than this is asked by its first words: each costs a look into the index. */
const match_words_max = 64

/**
 * The words to look for, each once, as the tokeniser has them, to be joined with OR; words such as "the" only where there
 * are no others. They contain nothing that means something to FTS5 if each is put in double quotes.
 */
export function toMatch(query: string): string[] {
  const plain = spaced(query, false)
  const words = new Set(plain.split(between_words))
  words.delete("")
  const telling = [...words].filter((word) => !isStopWord(word))
  if (telling.length === 0) return [...words].slice(0, match_words_max)
  const beginnings = beginningsIn(telling.slice(0, match_words_max).join(" ")).split(" ")
  return [...new Set([...telling.slice(0, match_words_max), ...beginnings.filter(Boolean)])]
}
