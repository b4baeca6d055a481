/** Makes regular expressions of the words in a language's rules, once for each language. */
import type { Language, Rule, ValueKind } from "./fact.ts"

export type CompiledRule = {
  rule: Rule
  language: CompiledLanguage
  /** Sticky: tried where one of its first words stands. */
  pattern: RegExp
  /** Sticky: tried where the value begins. */
  like?: RegExp
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
  /** By the folded first word of a rule, or its first character where words are not separated. */
  rules: ReadonlyMap<string, readonly CompiledRule[]>
  about_me: RegExp
}

export function compileRules(languages: readonly Language[]): RuleTable {
  const rules = new Map<string, CompiledRule[]>()
  for (const plain of languages) {
    const language = compileLanguage(plain)
    for (const rule of readRules(plain.rules)) {
      const pattern = new RegExp(patternOf(rule.say, language), "iuy")
      const like = rule.like && { like: new RegExp(`\\s*(?!\\s)(?:${rule.like})`, "iuy") }
      const one = { rule, language, pattern, ...like }
      for (const word of firstWords(rule.say, language)) rules.set(word, [...(rules.get(word) ?? []), one])
    }
  }
  return { rules, about_me: new RegExp(languages.map(({ about_me }) => joined(about_me)).join("|"), "iu") }
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

/** No letter, digit or mark stands beside it. */
const whole = (words: string, { is_spaced }: Pick<Language, "is_spaced">) =>
  is_spaced ? `(?<![\\p{L}\\p{N}'])(?:${words})(?![\\p{L}\\p{N}])` : `(?:${words})`

/** Lists of alternatives are written over several lines. */
const joined = (words: string) => words.replace(/\s*\n\s*/g, "")

function compileLanguage(language: Language): CompiledLanguage {
  const anywhere = (words: string) => new RegExp(whole(words, language), "iu")
  const first = (words: string) =>
    new RegExp(`^(?:${words})${language.is_spaced ? "(?![\\p{L}\\p{N}])" : ""}`, "iu")
  const [people, nouns, things] = [language.people, language.nouns, language.things].map(readWords)
  return {
    ...{ is_spaced: language.is_spaced, adverbs: joined(language.adverbs) },
    ...{ people: people!, nouns: nouns!, things: things!, days: readDays(language.days) },
    stop: first(joined(language.stops)),
    refuse: first(joined(language.refused)),
    hollow: new RegExp(`^(?:${joined(language.empty_nouns)})$`, "iu"),
    possessed: new RegExp(`${language.is_spaced ? "(?<!\\p{L})" : ""}(?:${joined(language.of)})\\s*$`, "iu"),
    asks: new RegExp(
      `^[\\s\\p{P}]*(?:${joined(language.asking)})${language.is_spaced ? "(?![\\p{L}\\p{N}])" : ""}`,
      "iu",
    ),
    supposes: anywhere(joined(language.supposing)),
    reports: anywhere(joined(language.reporting)),
    invents: anywhere(joined(language.fiction)),
    changes: anywhere(joined(language.change)),
    dated: anywhere(joined(language.dates)),
    thing: new RegExp(whole(alternatives(things!.keys()), language), "giu"),
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

function patternOf(say: string[], language: CompiledLanguage): string {
  const groups = say.map((phrase) => phrasePattern(phrase, language))
  return groups.length === 1 ? groups[0]! : `(?:${groups.join("|")})`
}

/** Punctuation needs no space before it, and after it anything may begin. A `(?=…)` at the end is as it is. */
function phrasePattern(whole_phrase: string, language: CompiledLanguage): string {
  const at = whole_phrase.indexOf(" (?=")
  const phrase = at === -1 ? whole_phrase : whole_phrase.slice(0, at)
  const ahead =
    at === -1
      ? ""
      : whole_phrase
          .slice(at + 1)
          .replace("(?=", "(?=\\s*(?!\\s)(?:")
          .replace(/\)$/, "))")
  const pieces = phrase.split(/\s+/).map((piece, i) => piecePattern(piece, language, i === 0))
  const is_open = !language.is_spaced || /\p{P}$/u.test(phrase.replace(/\?$/, ""))
  return pieces.join("") + (is_open ? "" : "(?![\\p{L}\\p{N}])") + ahead
}

function piecePattern(piece: string, language: CompiledLanguage, is_first: boolean): string {
  const gap = language.is_spaced ? "\\s+" : "\\s*"
  if (piece === "~") {
    const end = language.is_spaced ? "(?![\\p{L}\\p{N}])" : ""
    return `(?:[,:，：]?${gap}(?:${language.adverbs})${end}){0,2}[,:，：]?`
  }
  const choices = piece
    .replace(/\?$/, "")
    .split("|")
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
  const one = "[\\p{L}\\p{M}\\p{N}][\\p{L}\\p{M}\\p{N}'.-]{0,30}"
  switch (name) {
    case "noun":
      return is_spaced ? `(?<noun>${one}(?:\\s+${one}){0,4}?)` : "(?<noun>[\\p{L}\\p{N}]{1,8}?)"
    case "from":
      return is_spaced ? `(?<from>${one}(?:\\s+${one}){0,3}?)` : "(?<from>[\\p{L}\\p{N}]{1,10}?)"
    case "person":
      return `(?<person>${alternatives(people.keys())})(?:${named(language)})?`
    default:
      return `(?<thing>${alternatives(things.keys())})`
  }
}

/** ", Annelie," or "Annelie" after "my wife". */
const named = ({ is_spaced }: CompiledLanguage) =>
  is_spaced
    ? ",?\\s+(?-i:(?<called>\\p{Lu}[\\p{L}\\p{M}'-]{1,24}(?:\\s+\\p{Lu}[\\p{L}\\p{M}'-]{1,24})?)),?"
    : "(?<called>[\\p{Lu}][\\p{L}]{1,20})"

/** What the rules of a table are found by. */
function firstWords(say: string[], { is_spaced, people, things }: CompiledLanguage): Set<string> {
  const words = say.flatMap((phrase) => {
    const pieces = phrase.split(/\s+/)
    const first = pieces[0]!.replace(/\?$/, "")
    if (first === "{thing}") return [...things.keys()]
    if (first === "{person}") return [...people.keys()]
    return first.split("|").map((choice) => choice.split("_")[0]!)
  })
  return new Set(words.map((word) => (is_spaced ? word.split(" ")[0]! : word[0]!).toLowerCase()))
}
