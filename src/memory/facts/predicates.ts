import type { FactType } from "./fact.ts"

const attributes = new Set(
  "name nickname age birthday address phone_number email language diet health allergy pronouns size job".split(
    " ",
  ),
)
const relationships = new Set(
  "employer previous_employer pet child partner friend member_of school".split(" "),
)

/** Of which a subject has any number at once. What is not here has one value, and a new one takes the place of the old. */
const several = new Set(
  `likes dislikes allergy health language pet child friend owns plan appointment uses note instruction hobby member_of
  previous_location previous_employer visited decision preference skill called works_with`
    .split(/\s+/)
    .filter(Boolean),
)

export const typeOf = (predicate: string): FactType => {
  if (relationships.has(predicate)) return "relationship"
  return attributes.has(predicate) ? "attribute" : "fact"
}

export const isMultiValued = (predicate: string): boolean => several.has(predicate)

/** What seldom changes, so that two values of it are more likely a mistake than news. */
const lasting = new Set(
  "name surname birthday from location employer job diet address phone_number email pronouns school".split(
    " ",
  ),
)

export const isDisputable = (predicate: string): boolean => lasting.has(predicate)

const weighty = new Set(
  `note name nickname instruction does_not_want allergy deadline birthday location employer language diet health pronouns
  appointment phone_number address email`.split(/\s+/),
)
const light = new Set("likes owns hobby uses decision".split(" "))

/** Of a row of memory: what a turn is given first. */
export const importanceOf = (predicate: string): number =>
  weighty.has(predicate) ? 0.9 : light.has(predicate) ? 0.5 : 0.7
