/** Questions over five thousand messages of a year, with the messages that answer each. */
import { readFileSync } from "node:fs"
import { fillerMessages } from "./filler.ts"
import { between, type Random, seededRandom } from "./random.ts"

export type Needle = { id: string; lang: string; session: string; role: string; text: string }
export type Message = Needle & { created_ms: number }
export type Kind = "words" | "paraphrase" | "inflected" | "typo" | "code" | "vague"
export type Question = { id: string; lang: string; text: string; relevant: string[]; kind: Kind }

const messages_total = 5000
const seed = 7
const start_ms = Date.UTC(2025, 10, 20)
/** So that all of them take a year. */
const gap_ms_max = Math.floor((2 * 365 * 24 * 3600 * 1000) / messages_total)

export function loadRetrieval(): { messages: Message[]; questions: Question[] } {
  const random = seededRandom(seed)
  let created_ms = start_ms
  const messages = spread(random, loadNeedles()).map((message) => {
    created_ms += between(random, 1000, gap_ms_max)
    return { ...message, created_ms }
  })
  return { messages, questions: readLines<Question>("questions.jsonl") }
}

export const loadNeedles = () => readLines<Needle>("needles.jsonl")

/** Needles at random places among the filler; those of one session stay in their order. */
function spread(random: Random, needles: Needle[]): Needle[] {
  const filler = fillerMessages(messages_total - needles.length)
  const waiting = [...needles]
  return Array.from({ length: messages_total }, (_, i) => {
    const place = Math.floor(random() * (messages_total - i))
    if (place >= waiting.length) return filler.next().value as Needle
    const first = waiting.findIndex(({ session }) => session === waiting[place]!.session)
    return waiting.splice(first, 1)[0]!
  })
}

function readLines<T>(name: string): T[] {
  const text = readFileSync(new URL(name, import.meta.url), "utf8")
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T)
}
