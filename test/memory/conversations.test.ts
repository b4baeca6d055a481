/** Holds the labelled conversations to their own format; what the memory makes of them is measured elsewhere. */
import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Static, type TSchema, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"

const said = Type.String({ minLength: 1 })
const turn = Type.Integer({ minimum: 3, maximum: 30 })
const strings = Type.Array(said, { minItems: 1, uniqueItems: true })
const strict = { additionalProperties: false }

const exchangeSchema = Type.Object({ user: said, assistant: said }, strict)
const scriptSchema = Type.Object(
  {
    id: said,
    plants: Type.Array(Type.Object({ turn, text: said }, strict), { minItems: 1, maxItems: 3 }),
    ask: Type.Object({ turn: Type.Literal(50), text: said }, strict),
    expect: strings,
    stale: Type.Optional(strings),
    wrong: Type.Optional(strings),
  },
  strict,
)
type Script = Static<typeof scriptSchema>

const scripts_min = 25
const fillers_min = 150

const pathOf = (name: string) => join(import.meta.dir, "conversations", `${name}.jsonl`)

function linesOf<T extends TSchema>(name: string, schema: T): Static<T>[] {
  const lines = readFileSync(pathOf(name), "utf8").trimEnd().split("\n")
  return lines.map((line, index) => {
    try {
      return Value.Decode(schema, JSON.parse(line))
    } catch (error) {
      throw new Error(`${name}.jsonl, line ${index + 1}`, { cause: error })
    }
  })
}

/** Upper and lower case do not make two values of one. */
const holds = (text: string, value: string) => text.toLowerCase().includes(value.toLowerCase())

const languages = ["en", "es", "de", "zh"].filter((language) =>
  ["filler", "open", "held"].every((part) => existsSync(pathOf(`${language}.${part}`))),
)
const sets = languages.flatMap((language) => [`${language}.open`, `${language}.held`])
const fillersOf = (language: string) => linesOf(`${language}.filler`, exchangeSchema)
const scriptsOf = (set: string) => linesOf(set, scriptSchema)

/** The scripts for which something does not hold, by their ids, with the values concerned. */
function offending(scripts: Script[], valuesOf: (script: Script) => string[]): string[] {
  return scripts.flatMap((script) => valuesOf(script).map((value) => `${script.id}: ${value}`))
}

test("conversations are there in all four languages", () => {
  expect(languages).toEqual(["en", "es", "de", "zh"])
})

test.each(languages)("the fillers in %s are exchanges, enough of them, and no two alike", (language) => {
  const fillers = fillersOf(language)
  expect(fillers.length).toBeGreaterThanOrEqual(fillers_min)
  expect(new Set(fillers.map(({ user }) => user)).size).toBe(fillers.length)
})

test.each(sets)("%s has enough scripts, their first plant is at turn 5 and the turns go up", (set) => {
  const scripts = scriptsOf(set)
  expect(scripts.length).toBeGreaterThanOrEqual(scripts_min)
  const wrong = scripts.filter(({ plants }) => {
    const turns = plants.map((plant) => plant.turn)
    return turns[0] !== 5 || turns.some((turn, index) => index > 0 && turn <= turns[index - 1]!)
  })
  expect(wrong.map(({ id }) => id)).toEqual([])
})

test("every script has an id of its own that begins with its language", () => {
  const ids = sets.flatMap((set) => scriptsOf(set).map(({ id }) => ({ id, language: set.slice(0, 2) })))
  expect(new Set(ids.map(({ id }) => id)).size).toBe(ids.length)
  expect(ids.filter(({ id, language }) => !id.startsWith(`${language}-`))).toEqual([])
})

test.each(sets)("what %s expects or calls stale stands literally in a plant", (set) => {
  const missing = offending(scriptsOf(set), ({ plants, expect, stale = [] }) =>
    [...expect, ...stale].filter((value) => !plants.some(({ text }) => text.includes(value))),
  )
  expect(missing).toEqual([])
})

test.each(sets)("what %s calls wrong is said somewhere, by a plant or a filler", (set) => {
  const fillers = fillersOf(set.slice(0, 2)).flatMap(({ user, assistant }) => [user, assistant])
  const unsaid = offending(scriptsOf(set), ({ plants, wrong = [] }) =>
    wrong.filter(
      (value) => ![...plants.map(({ text }) => text), ...fillers].some((text) => text.includes(value)),
    ),
  )
  expect(unsaid).toEqual([])
})

test.each(sets)("what %s expects is given away neither by the question nor by a filler", (set) => {
  const fillers = fillersOf(set.slice(0, 2)).flatMap(({ user, assistant }) => [user, assistant])
  const given = offending(scriptsOf(set), ({ ask, expect }) =>
    expect.filter((value) => [ask.text, ...fillers].some((text) => holds(text, value))),
  )
  expect(given).toEqual([])
})

test.each(sets)("a stale or wrong value of %s is told apart from the expected ones", (set) => {
  const mixed = offending(scriptsOf(set), ({ ask, expect, stale = [], wrong = [] }) =>
    [...stale, ...wrong].filter((value) => [ask.text, ...expect].some((text) => holds(text, value))),
  )
  expect(mixed).toEqual([])
})

test.each(sets)("what %s calls stale was said before the last plant", (set) => {
  const late = offending(scriptsOf(set), ({ plants, stale = [] }) =>
    stale.filter((value) => !plants.slice(0, -1).some(({ text }) => text.includes(value))),
  )
  expect(late).toEqual([])
})
