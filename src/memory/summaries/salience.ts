/** How much a sentence of the user's is worth keeping, by its form: no model, no language that has to be named first. */
import { tellingWords } from "../context/gate.ts"

/** Says something of the speaker and his own. */
const first_person = new RegExp(
  [
    "(?<![\\p{L}])(?:i|i'm|i've|i'd|i'll|me|my|mine|myself|we|we're|we've|we'll|us|our|ours",
    "ich|mich|mir|mein\\p{L}*|wir|uns|unser\\p{L}*|yo|me|mi|mis|conmigo|nos|nosotr[oa]s|nuestr[oa]s?",
    "je|j'ai|moi|mon|mes|nous|notre|nos|io|mio|mia|miei|noi|nostr[oa]|eu|meu|minha|nosso|nossa)(?![\\p{L}])",
    "[我咱俺](?:们)?",
    // Verbs that say it by themselves.
    "(?<![\\p{L}])(?:soy|estoy|tengo|vivo|trabajo|quiero|prefiero|odio|somos|tenemos|vamos|fuimos|compré|llamo|sono|ho|vivo|lavoro|sou|tenho|moro)(?![\\p{L}])",
  ].join("|"),
  "iu",
)

/** What is meant to last: orders for later, decisions, likes and dislikes, what has changed, what is due. */
const lasting = new RegExp(
  [
    "(?<![\\p{L}])(?:remember|note|don't forget|forget|always|never|from now on|every time|prefer\\p{L}*|rather|like|love|hate",
    "can't stand|allergic|allergy|decid\\p{L}*|settled|agreed|go(?:ing)? with|let's|booked|bought|moved|left|switched|instead|no longer",
    "any more|anymore|now|due|deadline|until|birthday|called|named|name|works?|lives?|budget|number|password|code|start\\p{L}*|quit",
    "merk\\p{L}*|vergiss|vergessen|immer|nie|niemals|künftig|ab jetzt|lieber|mag|hasse|allergi\\p{L}*|entschieden|entscheidung|beschlossen|wir nehmen",
    "gebucht|gekauft|umgezogen|gewechselt|statt|nicht mehr|jetzt|inzwischen|frist|abgabe|termin|geburtstag|heiß\\p{L}*|arbeite\\p{L}*|wohn\\p{L}*|nummer",
    "recuerda|acuérdate|acordate|apunta|anota|no olvides|siempre|nunca|de ahora en adelante|prefier\\p{L}*|gusta\\p{L}*|odio|detesto|alérgic\\p{L}*|alergia",
    "decid\\p{L}*|quedamos|al final|reserv\\p{L}*|compr\\p{L}*|mud\\p{L}*|cambi\\p{L}*|en vez|ya no|ahora|plazo|entrega|cumple\\p{L}*|llam\\p{L}*|trabaj\\p{L}*|número",
    "toujours|jamais|préfère|déteste|décid\\p{L}*|sempre|mai|preferisco|odio|deciso|nunca|prefiro)(?![\\p{L}])",
    "记住|记一下|记得|别忘|以后|一律|总是|从不|喜欢|讨厌|过敏|决定|就定|定了|改成|换成|改约|搬|现在|终于|已经|截止|生日|叫|号|名字|住|工作|公司|不吃|不能吃|不喝",
  ].join("|"),
  "iu",
)

const number =
  /\p{N}|(?<![\p{L}])(?:mon|tues|wednes|thurs|fri|satur|sun)day(?![\p{L}])|[一二三四五六七八九十百千]+[月号日点]|[周星期礼拜][一二三四五六日天]/iu
/** A name inside of a sentence; German writes all its nouns so, which makes it weigh little. */
const name = /(?<=[\p{Ll}\p{N},;:]\s+)\p{Lu}[\p{L}\p{N}'-]+/u
/** Letters with digits or signs inside: a host, a version, a customer number. */
const identifier =
  /(?<![\p{L}\p{N}])(?=[\p{L}\p{N}._/-]*\p{N})(?=[\p{L}\p{N}._/-]*[A-Za-z])[\p{L}\p{N}][\p{L}\p{N}._/-]{2,}/u

const letter = /\p{L}/u
const unspaced = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]/u

export type Heard = { text: string; is_question: boolean; is_own: boolean }

/**
 * From 0 (nothing) up to about 4. `is_own`: said by the user; what an assistant says counts little. Pure and linear.
 */
export function weighSentence({ text, is_question, is_own }: Heard): number {
  const words = tellingWords(text).filter((word) => letter.test(word)).length
  if (words === 0) return 0
  // Without spaces pairs of characters are words: five characters make four.
  let weight = words < (unspaced.test(text) ? 4 : 2) ? 0.2 : 0.8
  if (first_person.test(text)) weight += 0.8
  if (lasting.test(text)) weight += 0.8
  if (number.test(text)) weight += 0.6
  if (identifier.test(text)) weight += 0.5
  if (name.test(text)) weight += 0.4
  if (is_question) weight *= 0.35
  return is_own ? weight : weight * 0.25
}
