/** Messages that answer no question, put together from the clauses in filler.json. */
import clauses from "./filler.json"
import { between, pick, type Random, seededRandom } from "./random.ts"

export type FillerMessage = { id: string; lang: string; session: string; role: string; text: string }

type Topic = { name: string; role: string; clauses: string[] }

type Language = {
  /** Of a hundred messages. */
  share: number
  first_session: number
  last_session: number
  openers: string[]
  closers: string[]
  slots: Record<string, string[]>
  topics: Topic[]
}

const languages: Record<string, Language> = clauses
const seed = 20260101
/** How many clauses a message has, as often as it stands here: about as long as the needles are. */
const lengths = [1, 2, 2, 3, 3, 3, 4, 4, 5, 6]
const framed = 0.25

export function* fillerMessages(count: number): Generator<FillerMessage> {
  const random = seededRandom(seed)
  const told = new Set<string>()
  while (told.size < count) {
    const lang = pickLanguage(random)
    const language = languages[lang]!
    const { first_session, last_session, topics } = language
    const topic = pick(random, topics)
    const text = compose(random, lang, language, topic)
    if (told.has(text)) continue
    told.add(text)
    yield {
      id: `f${String(told.size).padStart(4, "0")}`,
      lang,
      session: sessionName(between(random, first_session, last_session)),
      role: topic.role,
      text,
    }
  }
}

export const sessionName = (number: number) => `s${String(number).padStart(2, "0")}`

function pickLanguage(random: Random): string {
  const shares = Object.entries(languages).flatMap(([lang, { share }]) => Array<string>(share).fill(lang))
  return pick(random, shares)
}

function compose(random: Random, lang: string, language: Language, topic: Topic): string {
  // A name stays the same through a message, so that it reads as one person's note about one thing.
  const names = new Map<string, string>()
  const sentences = shuffled(random, topic.clauses)
    .slice(0, pick(random, lengths))
    .map((clause) => filled(random, lang, language, names, clause))
  if (topic.role === "user" && random() < framed) sentences.unshift(pick(random, language.openers))
  if (topic.role === "user" && random() < framed) sentences.push(pick(random, language.closers))
  return sentences.join(lang === "zh" ? "" : " ")
}

function filled(
  random: Random,
  lang: string,
  language: Language,
  names: Map<string, string>,
  clause: string,
) {
  const text = clause.replace(
    /\{(\w+)(?::(\d+)-(\d+))?\}/g,
    (_, slot: string, first?: string, last?: string) => {
      if (first !== undefined && last !== undefined)
        return String(between(random, Number(first), Number(last)))
      if (slot === "time") return timeOfDay(random)
      const known = names.get(slot)
      if (known !== undefined) return known
      const name = slot === "month" ? monthName(random, lang) : pick(random, language.slots[slot] ?? [])
      names.set(slot, name)
      return name
    },
  )
  // File names and error texts stay as they are written.
  return clause.startsWith("{file}") || clause.startsWith("{error}")
    ? text
    : text.charAt(0).toUpperCase() + text.slice(1)
}

function timeOfDay(random: Random): string {
  const minutes = String(between(random, 0, 11) * 5).padStart(2, "0")
  return `${between(random, 6, 22)}:${minutes}`
}

// Not by Intl: its names may change with the runtime, and these messages must not.
const months: Record<string, string> = {
  en: "January February March April May June July August September October November December",
  de: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
  es: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
  zh: "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
}

const monthName = (random: Random, lang: string) => pick(random, months[lang]!.split(" "))

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const other = between(random, 0, i)
    ;[copy[i], copy[other]] = [copy[other]!, copy[i]!]
  }
  return copy
}
