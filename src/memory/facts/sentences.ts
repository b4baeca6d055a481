import { silence } from "./spoken.ts"

export type Sentence = { start: number; end: number; is_question: boolean }

/** What ends a sentence. A full stop does where no word or number goes on after it, and no initial or title stands before it. */
const ends = /[.!?…]+(?=[\s)\ue000]|$)|[。！？；¿¡]|;(?=\s)|\n(?=[ \t]*(?:\n|[-*•\d\p{Lu}\p{Lo}]|$))/gu
/** An initial, a title or an abbreviation. */
const abbreviated =
  /(?:^|[\s(])(?:\p{Lu}|St|Dr|Mr|Mrs|Ms|Prof|Sra?|Hr|Fr|Mme|z\.B|d\.h|e\.g|i\.e|ca|approx|Nr|No|Str|a\.m|p\.m)$/u
/** German ordinals: "12. Juni", "3. Stock". */
const ordinal = /^ (?:Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Stock|Klasse|Etage|\p{Ll})/u

function goesOn(text: string, start: number, at: number): boolean {
  const before = text.slice(Math.max(start, at - 8), at)
  if (/\d$/.test(before)) return ordinal.test(text.slice(at + 1, at + 6))
  return abbreviated.test(before)
}

/** The sentences of a text in order, without gaps. */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = []
  let start = 0
  for (const { index, 0: mark } of text.matchAll(ends)) {
    if (mark === "." && goesOn(text, start, index)) continue
    const end = index + mark.length
    sentences.push({ start, end, is_question: /[?？]/.test(mark) })
    start = end
  }
  if (start < text.length) sentences.push({ start, end: text.length, is_question: false })
  return sentences
}

/** The one that has this place in it, by halving. */
export function sentenceAt(sentences: readonly Sentence[], at: number): Sentence {
  let low = 0
  let high = sentences.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sentences[middle]!.end <= at) low = middle + 1
    else high = middle
  }
  return sentences[low]!
}

/** Where the last clause of a sentence begins: in "I live in Bonn, will it rain?" only that is asked. */
export function lastClause(text: string, { start, end }: Sentence): number {
  for (let i = end - 1; i > start; i--) if (/[,:，：—–]/.test(text[i]!) || text[i] === silence) return i
  return start
}
