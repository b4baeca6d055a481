import { toMatch } from "../text/fold.ts"
import { isStopWord } from "../text/stop-words.ts"

/** Folded, as they stand in a message that asks for nothing that could be remembered. */
const courtesies = new Set(
  `hello hi hey good morning evening night bye ok okay okey yep yeah nope thx cool great fine perfect nice lol haha hm hmm sorry
  continue again undo stop wait next sure right exactly thumbs wow
  hola buenas buenos dias tardes noches adios vale bueno gracias perfecto genial claro perdon sigue continua jaja listo
  hallo guten tag abend morgen tschuss danke super prima genau weiter stimmt gern toll klar ach so entschuldigung
  bonjour salut bonsoir merci parfait oui non d'accord ciao buongiorno grazie bene obrigado obrigada ola
  你好 您好 在吗 好的 谢谢 多谢 谢了 哈哈 继续 明白 可以 早上 上好 晚安 再见 嗯嗯 不错 没事 好吧 对的 辛苦 收到`.split(
    /\s+/,
  ),
)

/** Of a longer message the ends are asked about: what is wanted stands before or after what was pasted. */
const ask_chars_max = 1_500

export const toAsked = (text: string): string =>
  text.length <= ask_chars_max
    ? text
    : `${text.slice(0, ask_chars_max / 2).toWellFormed()} ${text.slice(-ask_chars_max / 2).toWellFormed()}`

/** The words of a message that a search could find something by; none for "hello". */
export const tellingWords = (text: string): string[] =>
  toMatch(text).filter((word) => !is_part.test(word) && isTelling(word))

const isTelling = (word: string) => !isStopWord(word) && !courtesies.has(word)

/** A letter or a digit by itself, or the beginning of a word, which `toMatch` has beside the word. */
const is_part = /^[a-z\d]$|^0\p{L}/u

/** What is said in the words of a message, also in other forms of them. */
export type Words = {
  size: number
  has(word: string): boolean
  /** What to look for in a folded text: the words, of long ones the beginnings. */
  marks: readonly string[]
}

const beginning_chars = 4
/** A word's stem, more or less. */
const marked_chars = 5

export function toWordSet(text: string): Words {
  const words = new Set(tellingWords(text))
  const long = [...words].filter((word) => word.length > beginning_chars)
  const beginnings = new Set(long.map((word) => word.slice(0, beginning_chars)))
  return {
    size: words.size,
    marks: [...new Set([...words].map((word) => word.slice(0, marked_chars)))],
    has: (word) =>
      words.has(word) ||
      (word.length >= beginning_chars && beginnings.has(word.slice(0, beginning_chars)) && isTelling(word)),
  }
}
