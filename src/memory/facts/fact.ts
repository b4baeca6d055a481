/** What a fact is before anybody has stored it, and what a language's patterns are made of. */

export type FactType = "fact" | "relationship" | "attribute"

export type FoundFact = {
  type: FactType
  /** "user", or who or what of theirs: "sister", "dog", "grant_application". */
  subject: string
  /** snake_case: "name", "location", "locker_at_the_gym". */
  predicate: string
  /** As it was written: a piece of the text. */
  object: string
  confidence: number
  /** Where the object stands in the text, in UTF-16 units. */
  start: number
  end: number
  /** The sentence that says it. */
  said: string
  /** The day that "tomorrow" or "on Monday" is, as YYYY-MM-DD: such an object means nothing a week later. */
  day?: string
  /** Said as something new: "now", "moved", "no longer". */
  is_change?: boolean
  /** No longer so: "I left Acme". */
  is_negated?: boolean
  /** Of what it is was not said ("it is due on …"): the last such thing that was spoken of. */
  is_vague?: boolean
}

/** What a value has to look like, and how far it reaches. */
export type ValueKind =
  | "name"
  | "place"
  | "thing"
  | "job"
  | "phrase"
  | "date"
  | "number"
  | "id"
  | "rest"
  | "version"

/** One row of a language's `rules`, taken apart. */
export type Rule = {
  /** Its ways of saying it, as they stand in the table. */
  say: string[]
  /** "$noun": by the noun of the pattern. */
  predicate: string
  value: ValueKind
  confidence: number
  /** "user" where nothing else is said; "$person", "$noun", "$thing" (what the pattern named), "$last" (named shortly before). */
  subject: string
  /** What the value has to begin with. */
  like?: string
  /** Only where a clause begins, as an order does: "always answer in …", and not "I always answer". */
  is_first: boolean
  /** The value stands in front of the words: "shellfish makes me ill". */
  is_before: boolean
  is_change: boolean
  is_negated: boolean
  is_vague: boolean
}

/**
 * The words of a language. What is a list of words is a regular expression's alternatives, `a|b`; what is a dictionary is
 * `word:a,b_c` (the store's word, then what people say), several separated by spaces, with "_" for a space.
 *
 * `rules` is a table of blocks. A line at the margin says what is learnt: predicate, kind of value, confidence, then as needed
 * `of=` a subject, the words `first`, `before`, `change`, `negated`, `vague`, and last `like=` a regular expression to the end of the
 * line. The indented lines below are the ways to say it, separated by " / ": `a|b` alternatives, `a?` optional (never the first), `_` a space
 * within an alternative, `~` up to two adverbs, `{noun}` up to five words, `{from}` up to four, `{person}` somebody of the user's with or
 * without a name, `{thing}` one of `things`, and at the end `(?=…)`: what the rest has to be for this way of saying it. An earlier block wins over a later one about the same words.
 */
export type Language = {
  name: string
  /** Whether words are separated by spaces. */
  is_spaced: boolean
  adverbs: string
  /** What ends a value: conjunctions and the like. */
  stops: string
  /** What no value begins with. */
  refused: string
  /** Nouns with "is" after them that say nothing lasting: "my question is". */
  empty_nouns: string
  /** In front of a possessive these make it somebody else's: "the sister of my boss". */
  of: string
  /** Beginnings of a sentence that make all of it a question. */
  asking: string
  /** What takes back, doubts or supposes all that comes after it in a sentence. */
  supposing: string
  /** Somebody else is speaking. */
  reporting: string
  /** A made-up text is wanted: nothing that follows is about the user. */
  fiction: string
  /** In a line that ends with a colon these say that what follows is by the user, about the user. */
  about_me: string
  /** What makes a sentence one about something new. */
  change: string
  /** A text is a date where one of these or a digit is in it. */
  dates: string
  /** Days by name: 0 Sunday to 6 Saturday, "+n" so many days after the day it was said. */
  days: string
  /** Who can belong to somebody. */
  people: string
  /** Nouns that the store has its own names for. */
  nouns: string
  /** Things that get names: "repository", "boat". */
  things: string
  rules: string
}
