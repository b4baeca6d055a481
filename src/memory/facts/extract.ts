import { type CompiledLanguage, type CompiledRule, word } from "./compile.ts"
import { dayOf } from "./days.ts"
import type { FoundFact, Rule } from "./fact.ts"
import { typeOf } from "./predicates.ts"
import { lastClause, type Sentence, sentenceAt, splitSentences } from "./sentences.ts"
import { toSpoken } from "./spoken.ts"
import { ruleTable } from "./table.ts"
import { type Span, takeBefore, takeClause, takeValue } from "./value.ts"

/** Of a longer text only the beginning is read: what somebody says of himself is short. */
const text_length_max = 16_384
/** A message that says more than this of its writer was not written by hand. */
const facts_max = 40
/** Places at which rules are tried; running text of the greatest length has some 400. */
const tries_max = 800

type Reading = {
  text: string
  spoken: string
  /** The same in lower case, and of the same length. */
  lower: string
  words: ReadonlySet<string>
  sentences: Sentence[]
  said_ms: number
  /** From where on it is made up, by language. */
  invented: Map<CompiledLanguage, number>
}

/**
 * What a user says of himself and of his own people and things, by the patterns of `patterns/`. Not read: what `toSpoken`
 * silences, questions, suppositions, what others say, what is made up. Never throws; takes time in proportion to the length,
 * of which 16,384 units count. `said_ms` is when it was said, in the time zone of this process.
 */
export function extractFacts(text: string, { said_ms }: { said_ms: number }): FoundFact[] {
  const rules = ruleTable()
  const head = text.slice(0, text_length_max)
  const spoken = toSpoken(head, rules.about_me)
  const lower = toLower(spoken)
  const words = [...lower.matchAll(word)]
  const present = new Set(words.map(([one]) => one))
  const sentences = splitSentences(spoken)
  const reading: Reading = {
    text: head,
    spoken,
    lower,
    words: present,
    sentences,
    said_ms,
    invented: new Map(),
  }
  const found: FoundFact[] = []
  const possible = new Map<string, readonly CompiledRule[]>()
  let tries = 0
  for (const { 0: match, index } of words) {
    const all = rules.find(match)
    if (!all) continue
    if (++tries > tries_max || found.length >= facts_max) break
    let here = possible.get(match)
    if (!here) {
      here = all.filter((rule) => isPossible(rule, present))
      possible.set(match, here)
    }
    for (const rule of here) addFound(found, readRule(reading, rule, index))
  }
  return found
}

/** A loop, as it is asked some three hundred times a message. */
function isPossible({ needs }: CompiledRule, words: ReadonlySet<string>): boolean {
  for (const choices of needs) {
    let is_there = false
    for (const parts of choices) {
      is_there = true
      for (const part of parts) if (!words.has(part)) is_there = false
      if (is_there) break
    }
    if (!is_there) return false
  }
  return true
}

/** A few letters are longer in lower case. */
function toLower(text: string): string {
  const lower = text.toLowerCase()
  if (lower.length === text.length) return lower
  return text
    .replace(/[^\0-\x7f]/gu, (one) => (one.toLowerCase().length === one.length ? one.toLowerCase() : one))
    .replace(/[A-Z]/g, (one) => one.toLowerCase())
}

/** What was found first is the more exact; a note is kept beside the facts inside of it. */
function addFound(found: FoundFact[], facts: FoundFact[]): void {
  for (const fact of facts) {
    const overlapping = found.findIndex(
      (other) =>
        other.start < fact.end &&
        fact.start < other.end &&
        (other.predicate === "note") === (fact.predicate === "note"),
    )
    if (overlapping === -1) found.push(fact)
  }
}

function readRule(reading: Reading, compiled: CompiledRule, index: number): FoundFact[] {
  const { text, spoken, lower, sentences } = reading
  const { rule, language } = compiled
  const pattern = compiled.pattern()
  pattern.lastIndex = index
  const match = pattern.exec(lower)
  if (!match) return []
  const sentence = sentenceAt(sentences, index)
  const from = index + match[0].length
  if (from > sentence.end || !compiled.like().every((like) => testAt(like, spoken, from))) return []
  if (rule.is_first && !beginsClause(spoken.slice(Math.max(sentence.start, index - 40), index))) return []
  const span = rule.is_before
    ? takeBack(reading, sentence, index, compiled)
    : takeValue(text, spoken, { from, to: sentence.end, kind: rule.value, language })
  const subject = span && subjectOf(reading, rule, match, index, language)
  if (!span || !subject) return []
  const predicate = predicateOf(rule, match.groups?.noun, language)
  const more = placesIn(match, pattern, lower, index)
  if (!predicate || (more.called && !isName(text.slice(...more.called)))) return []
  if (!isClaim(reading, sentence, index, language)) return []
  const is_change = rule.is_change || language.changes.test(around(lower, sentence, index))
  const fact = toFact(reading, { rule, subject, predicate, span, sentence, is_change, language })
  return [fact, ...beside(reading, more, { rule, subject, predicate, sentence })]
}

/** What stands in front; with "note that", which is said of a whole, the clause or sentence before it. */
function takeBack(
  { spoken, sentences }: Reading,
  sentence: Sentence,
  index: number,
  { rule, language }: CompiledRule,
) {
  if (rule.value !== "rest") {
    return takeBefore(spoken, { from: sentence.start, to: index, kind: rule.value, language })
  }
  const own = takeClause(spoken, sentence.start, index)
  if (own) return own
  const before = sentences[sentences.indexOf(sentence) - 1]
  return before && !before.is_question ? takeClause(spoken, before.start, before.end) : undefined
}

const beginsClause = (before: string) => /(?:^|[\p{P}\ue000])\s*$/u.test(before)

function testAt(sticky: RegExp, text: string, at: number): boolean {
  sticky.lastIndex = at
  return sticky.test(text)
}

/** Each word of it has a capital, or is of a script without them. */
const isName = (words: string) => words.split(/\s+/).every((one) => /^[\p{Lu}\p{Lo}]/u.test(one))

const around = (text: string, { start, end }: Sentence, at: number) =>
  text.slice(Math.max(start, at - around_max), Math.min(end, at + around_max))

type Places = { from?: [number, number] | undefined; called?: [number, number] | undefined }

/** Where the groups of a match are; asked for only where there are any, as keeping count of places is dear. */
function placesIn(match: RegExpExecArray, pattern: RegExp, lower: string, index: number): Places {
  if (!match.groups?.from && !match.groups?.called) return {}
  const counting = new RegExp(pattern.source, "duy")
  counting.lastIndex = index
  const groups = counting.exec(lower)?.indices?.groups
  return { from: groups?.from, called: groups?.called }
}

/** Names of people and where somebody came from, said in the same breath. */
function beside(
  reading: Reading,
  { from, called }: Places,
  {
    rule,
    subject,
    predicate,
    sentence,
  }: { rule: Rule; subject: string; predicate: string; sentence: Sentence },
): FoundFact[] {
  const facts: FoundFact[] = []
  const add = ([start, end]: [number, number], what: string) =>
    facts.push({
      ...{ type: typeOf(what), subject, predicate: what, object: reading.text.slice(start, end) },
      ...{ confidence: rule.confidence, start, end, said: saidIn(reading, sentence) },
    })
  if (from) add(from, `previous_${predicate}`)
  if (called && predicate !== "name") add(called, "name")
  return facts
}

type Parts = {
  rule: Rule
  subject: string
  predicate: string
  span: Span
  sentence: Sentence
  is_change: boolean
  language: CompiledLanguage
}

function toFact(
  reading: Reading,
  { rule, subject, predicate, span, sentence, is_change, language }: Parts,
): FoundFact {
  const object = reading.text.slice(span.start, span.end)
  const day = rule.value === "date" ? dayOf(object.toLowerCase(), language.days, reading.said_ms) : undefined
  return {
    ...{ type: typeOf(predicate), subject, predicate, object, confidence: rule.confidence },
    ...{ start: span.start, end: span.end, said: saidIn(reading, sentence) },
    ...(day && { day }),
    ...(is_change && { is_change: true as const }),
    ...(rule.is_negated && { is_negated: true as const }),
    ...(rule.is_vague && { is_vague: true as const }),
  }
}

const saidIn = ({ text }: Reading, { start, end }: Sentence) => text.slice(start, end).trim()

/** How much of a sentence is looked at on each side of a place: a sentence may be as long as the text. */
const around_max = 240

/** Whether the user claims it himself, as so, at this place of the sentence. */
function isClaim(reading: Reading, sentence: Sentence, at: number, language: CompiledLanguage): boolean {
  const { lower } = reading
  const before = lower.slice(Math.max(sentence.start, at - around_max), at)
  if (sentence.is_question) {
    if (language.asks.test(lower.slice(sentence.start, sentence.start + 60))) return false
    if (at >= lastClause(lower, sentence)) return false
  }
  if (language.possessed.test(before)) return false
  if (language.supposes.test(before) || language.reports.test(before)) return false
  return sentence.end <= inventedFrom(reading, language)
}

/** A story that was asked for goes on to the end of the message, and begins with the sentence that asks for it. */
function inventedFrom({ lower, invented }: Reading, language: CompiledLanguage): number {
  const known = invented.get(language)
  if (known !== undefined) return known
  const from = language.invents.exec(lower)?.index ?? lower.length
  invented.set(language, from)
  return from
}

function subjectOf(
  { lower }: Reading,
  rule: Rule,
  match: RegExpExecArray,
  index: number,
  language: CompiledLanguage,
): string | undefined {
  switch (rule.subject) {
    case "$person":
      return toSubject(language.people.get(fold(match.groups?.person)))
    case "$thing":
      return toSubject(language.things.get(fold(match.groups?.thing)))
    case "$noun":
      return toSubject(predicateOf({ ...rule, predicate: "$noun" }, match.groups?.noun, language))
    case "$last": {
      const before = [...lower.slice(Math.max(0, index - 160), index).matchAll(language.thing)].at(-1)
      return before && toSubject(language.things.get(fold(before[0])))
    }
    default:
      return rule.subject
  }
}

/** A subject is read by people; only predicates have "_". */
const toSubject = (name: string | undefined) => name?.replaceAll("_", " ")

const fold = (words: string | undefined) => (words ?? "").toLowerCase().replace(/\s+/g, " ")

function predicateOf(rule: Rule, noun: string | undefined, language: CompiledLanguage): string | undefined {
  if (rule.predicate !== "$noun") return rule.predicate
  if (!noun || /'s(?!\p{L})/u.test(noun) || language.hollow.test(fold(noun))) return undefined
  return toName(noun, language)
}

/** A noun as a predicate's or subject's name: the store's own where it has one, else its words with "_" between. */
function toName(noun: string, language: CompiledLanguage): string {
  const folded = fold(noun)
  const known = language.nouns.get(folded) ?? language.people.get(folded) ?? language.things.get(folded)
  return known ?? folded.replace(/[^\p{L}\p{M}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "")
}
