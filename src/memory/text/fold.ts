import { isStopWord } from "./stop-words.ts"

const ascii = /^[\0-\x7f]*$/
/** After a letter of these scripts a mark is an accent, and people leave it out. Elsewhere it is a vowel or a tone. */
const accents = /(?<=[\p{Script=Latin}\p{Script=Greek}][\u0300-\u036f]*)[\u0300-\u036f]/gu
/** Vowels of Arabic and Hebrew that are seldom written, and the line that stretches a word. */
const seldom_written = /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670]/g
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
  // A few letters (K of Kelvin, I with a dot) come to rest at the second go only.
  const twice = foldOnce(once)
  return once === twice ? once : foldOnce(twice)
}

function foldOnce(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFD")
    .replace(accents, "")
    .replace(seldom_written, "")
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
const mark = /\p{M}/gu

/**
 * What the full-text index and the hash embedder take for the words of a text: folded, divided by spaces (or anything that
 * is neither letter nor digit). Runs of Chinese, Japanese, Korean, Thai and the like are pairs of characters; names as in
 * code are there whole, in one word without their dots and underscores, and in parts.
 */
export function toWords(text: string): string {
  return spaced(text, true)
}

/** The same for vectors, to which single characters add noise. */
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

/** "Ann's" is Ann, "don't" one word; "l'eau" is two without further ado. */
function withoutApostrophes(text: string): string {
  return text.includes("'") ? text.replace(/'s\b/gi, " ").replace(/n't\b/gi, "nt") : text
}

function divided(words: string, with_single: boolean): string {
  return (
    words
      .replace(run, (found) => ` ${toPairs(found, with_single)} `)
      // SQLite's tokeniser would end a word at a mark: those that are left stand in the private plane 15 instead.
      .replace(mark, (found) => String.fromCodePoint(0xf0000 + (found.codePointAt(0)! & 0xffff)))
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

/** A question longer than this is asked by its first words: each costs a look into the index. */
const match_words_max = 64

/**
 * The words to look for, each once, as the tokeniser has them; words such as "the" only where there are no others. They
 * contain nothing that means something to FTS5 if each is put in double quotes.
 */
export function toMatch(query: string): string[] {
  const words = new Set(spaced(query, false).split(/[^\p{L}\p{N}\p{Co}]+/u))
  words.delete("")
  const telling = [...words].filter((word) => !isStopWord(word))
  return (telling.length > 0 ? telling : [...words]).slice(0, match_words_max)
}
