/** Makes regular expressions of the words in a language's rules, once for each language. */
import { once } from "../../base/once.ts"
import type { Language, Rule, ValueKind } from "./fact.ts"

/** One way to say it. */
export type CompiledRule = {
  rule: Rule
  language: CompiledLanguage
  /** Without these words in the text there is no need to try: of each entry one, all of its parts. */
  needs: readonly (readonly (readonly string[])[])[]
  /** Sticky, for the text in lower case: tried where its first word stands. */
  pattern(): RegExp
  /** Sticky, for the text as it is: what the value has to begin with. */
  like(): RegExp[]
}

export type CompiledLanguage = {
  is_spaced: boolean
  adverbs: string
  stop: RegExp
  refuse: RegExp
  hollow: RegExp
  possessed: RegExp
  asks: RegExp
  supposes: RegExp
  reports: RegExp
  invents: RegExp
  changes: RegExp
  dated: RegExp
  thing: RegExp
  /** What people say, to the store's word. */
  people: ReadonlyMap<string, string>
  nouns: ReadonlyMap<string, string>
  things: ReadonlyMap<string, string>
  days: ReadonlyMap<string, string>
}

export type RuleTable = {
  /** The rules whose folded first word this is, or whose first character where words are not separated. */
  find(word: string): readonly CompiledRule[] | undefined
  about_me: RegExp
}

type Phrase = { rule: Rule; say: string; language: CompiledLanguage }

/** Rules are compiled when their first word is said: most never are, and all of them take 4 MB and 25 ms. */
export function compileRules(languages: readonly Language[]): RuleTable {
  const phrases = new Map<string, Phrase[]>()
  const compiled = new Map<Phrase, CompiledRule>()
  const made = new Map<string, readonly CompiledRule[]>()
  const compile = (phrase: Phrase) => {
    const known = compiled.get(phrase) ?? compilePhrase(phrase)
    compiled.set(phrase, known)
    return known
  }
  for (const plain of languages) {
    const language = compileLanguage(plain)
    for (const rule of readRules(plain.rules)) {
      for (const say of rule.say) {
        const phrase = { rule, say, language }
        for (const word of firstWords(say, language)) {
          const there = phrases.get(word)
          if (there) there.push(phrase)
          else phrases.set(word, [phrase])
        }
      }
    }
  }
  return {
    find(word) {
      const known = made.get(word) ?? phrases.get(word)?.map(compile)
      if (known) made.set(word, known)
      return known
    },
    about_me: new RegExp(languages.map(({ about_me }) => joined(about_me)).join("|"), "iu"),
  }
}

/** The expressions are made when they are first needed: most never are. */
function compilePhrase({ rule, say, language }: Phrase): CompiledRule {
  const at = say.indexOf(" (?=")
  const phrase = at === -1 ? say : say.slice(0, at)
  const begins = [rule.like, at === -1 ? undefined : say.slice(at + 4, -1)].filter((one) => one !== undefined)
  return {
    ...{ rule, language, needs: needsOf(phrase, language) },
    pattern: once(() => new RegExp(phrasePattern(phrase, language), "uy")),
    like: once(() => begins.map((begin) => new RegExp(`\\s*(?!\\s)(?:${begin})`, "iuy"))),
  }
}

/** Letters and digits, in lower case: ranges, as \p{L} costs ten times as much to build and to match. */
const letters = "a-z0-9ªµº\\u00df-\\u00f6\\u00f8-\\u1fff\\u3041-\\ud7ff\\uf900-\\ufdff"
const in_ranges = (pattern: string) => pattern.replaceAll("\\p{L}", `[${letters}]`)

/** What the words of a text are compared by; of scripts without spaces each character is one. */
export const word = /\p{Script=Han}|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:'\p{L}+)?/gu

function needsOf(phrase: string, { is_spaced }: CompiledLanguage): string[][][] {
  return (
    phrase
      .split(/\s+/)
      .slice(1)
      .filter((piece) => !piece.endsWith("?") && /^[\p{L}\p{N}|_'-]+$/u.test(piece))
      .map((piece) => piece.split("|").filter(Boolean))
      // "'s" is no word of its own.
      .filter((choices) => choices.every((choice) => !choice.startsWith("'")))
      .map((choices) =>
        choices.map((choice) => (is_spaced ? (choice.replaceAll("_", " ").match(word) ?? []) : [...choice])),
      )
  )
}

function readRules(table: string): Rule[] {
  const rules: Rule[] = []
  for (const line of table.split("\n").filter((one) => one.trim())) {
    if (/^\s/.test(line)) rules.at(-1)!.say.push(...line.trim().split(/\s+\/\s+/))
    else rules.push(readHead(line))
  }
  return rules
}

function readHead(line: string): Rule {
  const [head, like] = line.split(/\s+like=/) as [string, string?]
  const [predicate, value, confidence, ...flags] = head.trim().split(/\s+/)
  const subject = flags.find((flag) => flag.startsWith("of="))?.slice(3) ?? "user"
  return {
    ...{ say: [], predicate: predicate!, value: value as ValueKind, confidence: Number(confidence), subject },
    ...{ is_first: flags.includes("first"), is_before: flags.includes("before") },
    ...{
      is_change: flags.includes("change"),
      is_negated: flags.includes("negated"),
      is_vague: flags.includes("vague"),
    },
    ...(like && { like }),
  }
}

/** `word:a,b_c word …` with what people say first. */
function readWords(words: string): Map<string, string> {
  const pairs = words
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((entry) => {
      const [word, said = word] = entry.split(":") as [string, string?]
      return said!.split(",").map((one) => [one.replaceAll("_", " "), word] as const)
    })
  return new Map(pairs)
}

/** Lists of alternatives are written over several lines. */
const joined = (words: string) => words.replace(/\s*\n\s*/g, "")

/** All of these are for text in lower case. */
function compileLanguage(language: Language): CompiledLanguage {
  const { is_spaced } = language
  const end = is_spaced ? `(?![${letters}])` : ""
  const make = (before: string, words: string, after: string, flags = "u") =>
    new RegExp(`${before}(?:${in_ranges(joined(words))})${after}`, flags)
  // No letter, digit or mark stands beside it.
  const anywhere = (words: string, flags?: string) =>
    make(is_spaced ? `(?<![${letters}'])` : "", words, end, flags)
  const [people, nouns, things] = [language.people, language.nouns, language.things].map(readWords)
  return {
    ...{ is_spaced, adverbs: joined(language.adverbs) },
    ...{ people: people!, nouns: nouns!, things: things!, days: readDays(language.days) },
    stop: make("^", language.stops, end),
    refuse: make("^", language.refused, end),
    hollow: make("^", language.empty_nouns, "$"),
    possessed: make(is_spaced ? `(?<![${letters}])` : "", language.of, "\\s*$"),
    asks: make("^[\\s\\p{P}]*", language.asking, end),
    supposes: anywhere(language.supposing),
    reports: anywhere(language.reporting),
    invents: anywhere(language.fiction),
    changes: anywhere(language.change),
    dated: anywhere(language.dates),
    thing: anywhere(alternatives(things!.keys()), "gu"),
  }
}

type Words = ReadonlyMap<string, string>

/** `tomorrow:+1 sunday:0`, and "_" for a space. */
const readDays = (days: string): Words =>
  new Map(
    days
      .trim()
      .split(/\s+/)
      .map((entry) => entry.replaceAll("_", " ").split(":") as [string, string]),
  )

/** Longer ones first, so that "stepsister" is not a "step". */
const alternatives = (words: Iterable<string>) =>
  [...words]
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replaceAll(" ", "\\s+"))
    .join("|")

/** Punctuation needs no space before it, and after it anything may begin. */
function phrasePattern(phrase: string, language: CompiledLanguage): string {
  const pieces = phrase.split(/\s+/).map((piece, i) => piecePattern(piece, language, i === 0))
  const is_open = !language.is_spaced || /\p{P}$/u.test(phrase.replace(/\?$/, ""))
  return in_ranges(pieces.join("")) + (is_open ? "" : `(?![${letters}])`)
}

function piecePattern(piece: string, language: CompiledLanguage, is_first: boolean): string {
  const gap = language.is_spaced ? "\\s+" : "\\s*"
  if (piece === "~") {
    const end = language.is_spaced ? `(?![${letters}])` : ""
    return `(?:[,:，：]?${gap}(?:${language.adverbs})${end}){0,2}[,:，：]?`
  }
  const choices = piece
    .replace(/\?$/, "")
    .split("|")
    // "我们" is no "我" with something after it.
    .sort((a, b) => (language.is_spaced ? 0 : b.length - a.length))
    .map((choice) => {
      const before = is_first ? "" : /^\p{P}/u.test(choice) && !choice.startsWith("{") ? "\\s*" : gap
      const words = choice.replaceAll("_", language.is_spaced ? "\\s+" : "")
      return (
        before +
        words.replace(/\{(noun|from|person|thing)\}/g, (_, name: string) => holePattern(name, language))
      )
    })
  if (piece.endsWith("?")) return `(?:${choices.join("|")})?`
  return choices.length === 1 ? choices[0]! : `(?:${choices.join("|")})`
}

function holePattern(name: string, language: CompiledLanguage): string {
  const { is_spaced, people, things } = language
  const one = `[${letters}][${letters}'.-]{0,30}`
  switch (name) {
    case "noun":
      return is_spaced ? `(?<noun>${one}(?:\\s+${one}){0,4}?)` : `(?<noun>[${letters}]{1,8}?)`
    case "from":
      return is_spaced ? `(?<from>${one}(?:\\s+${one}){0,3}?)` : `(?<from>[${letters}]{1,10}?)`
    case "person":
      return `(?<person>${alternatives(people.keys())})(?:${named(language)})??`
    default:
      return `(?<thing>${alternatives(things.keys())})`
  }
}

/** ", Annelie," or "Annelie" after "my wife"; that it is a name is seen in the text as it is. */
const named = ({ is_spaced }: CompiledLanguage) =>
  is_spaced
    ? `,?\\s+(?<called>[${letters}][${letters}'-]{1,24}(?:\\s+[${letters}][${letters}'-]{1,24})?),?`
    : `(?<called>(?:(?!的)[${letters}]){2,4})`

/** What a phrase is found by. */
function firstWords(say: string, { is_spaced, people, things }: CompiledLanguage): Set<string> {
  const first = say.split(/\s+/)[0]!
  const words =
    first === "{thing}" ? [...things.keys()] : first === "{person}" ? [...people.keys()] : first.split("|")
  return new Set(words.map((one) => (is_spaced ? (one.match(word)?.[0] ?? one) : one[0]!).toLowerCase()))
}
