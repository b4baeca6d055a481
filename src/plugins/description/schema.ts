import { visible } from "../../base/visible.ts"
import { isObject } from "../json.ts"

/**
 * A plugin's input schema, whose author nobody trusts. Only what cannot take long is checked here: expressions
 * (`pattern`, `format`) may backtrack for ever, references may double at every step, and comparing all items of a list
 * takes the square of its length. So a schema is reduced to the keywords that say what a value must be, with its
 * references written out; what is left out can only make it take more. The plugin checks the rest itself.
 */
type Json = Record<string, unknown>
export type Reduced = boolean | { [keyword: string]: unknown }

/** Why a schema is not taken, as it reads after "its input_schema ". */
export class SchemaRefused extends Error {
  override name = "SchemaRefused"
}

/** Schemas and listed values, with every reference written out: what one value of the input may cost. */
const parts_max = 2000
const references_deep_max = 32

type Reducing = { root: Json; left: number; following: string[] }

/** Throws SchemaRefused. The schema has at most 64 levels. */
export function reduceSchema(schema: unknown): Reduced {
  if (!isObject(schema) || schema.type !== "object") {
    throw new SchemaRefused('is not the schema of an object: it has to have type = "object"')
  }
  checkForModels(schema)
  return reduce(schema, "", { root: schema, left: parts_max, following: [] })
}

/** At the top of a schema: what some providers refuse, with the whole request and so with every other tool. */
function checkForModels(schema: Json): void {
  for (const keyword of ["allOf", "anyOf", "oneOf"]) {
    if (!Object.hasOwn(schema, keyword)) continue
    throw new SchemaRefused(`has ${keyword} at its top, which not every model takes; put it into a property`)
  }
  for (const name of Object.keys(isObject(schema.properties) ? schema.properties : {})) {
    if (property_pattern.test(name)) continue
    const which = visible(name.slice(0, 80))
    throw new SchemaRefused(
      `has the property ${which}; models take names that match ${property_pattern.source}`,
    )
  }
}

const property_pattern = /^[A-Za-z0-9_.-]{1,64}$/

function reduce(schema: unknown, at: string, state: Reducing): Reduced {
  if (typeof schema === "boolean") return schema
  if (!isObject(schema)) throw new SchemaRefused(`has something else than a schema at ${shownPath(at)}`)
  spend(state, 1)
  const reduced: Record<string, unknown> = {}
  for (const [keyword, keep] of Object.entries(plain)) {
    if (!Object.hasOwn(schema, keyword)) continue
    const value = schema[keyword]
    if (!keep(value)) throw wrongValue(at, keyword)
    if (Array.isArray(value)) spend(state, value.length)
    reduced[keyword] = value
  }
  checkLeftOut(schema, at, state)
  const further = { ...reduced, ...reduceParts(schema, at, state) }
  const all = [...reduceReference(schema, at, state), ...reduceAlternatives(schema, at, state)]
  return all.length > 0 ? { ...further, allOf: all } : further
}

function spend(state: Reducing, parts: number): void {
  state.left -= parts
  if (state.left < 0)
    throw new SchemaRefused(`has more than ${parts_max} parts with its references written out`)
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isNumber = (value: unknown) => typeof value === "number" && Number.isFinite(value)
const isText = (value: unknown) => typeof value === "string"
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText)
const types = ["object", "array", "string", "number", "integer", "boolean", "null"]
const isType = (value: unknown) => types.includes(value as string)

/** The keywords that are kept as they are, each with what its value has to be. */
const plain: Record<string, (value: unknown) => boolean> = {
  type: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: () => true,
  required: isTexts,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
}

const isFlag = (value: unknown) => typeof value === "boolean"
const isLists = (value: unknown) => isObject(value) && Object.values(value).every(isTexts)

/** Keywords that nothing is checked by, but that have to be right: providers look at whole schemas. */
const left_out: Record<string, (value: unknown) => boolean> = {
  $schema: isText,
  $comment: isText,
  title: isText,
  description: isText,
  examples: Array.isArray,
  deprecated: isFlag,
  readOnly: isFlag,
  writeOnly: isFlag,
  format: isText,
  pattern: isText,
  contentEncoding: isText,
  contentMediaType: isText,
  uniqueItems: isFlag,
  minContains: isCount,
  maxContains: isCount,
  dependentRequired: isLists,
}
const left_out_schemas = [
  "not",
  "if",
  "then",
  "else",
  "contains",
  "unevaluatedItems",
  "unevaluatedProperties",
]
const left_out_tables = ["$defs", "definitions", "patternProperties", "dependentSchemas"]

function checkLeftOut(schema: Json, at: string, state: Reducing): void {
  for (const [keyword, isRight] of Object.entries(left_out)) {
    if (Object.hasOwn(schema, keyword) && !isRight(schema[keyword])) throw wrongValue(at, keyword)
  }
  for (const keyword of left_out_schemas) {
    if (Object.hasOwn(schema, keyword)) reduce(schema[keyword], `${at}/${keyword}`, state)
  }
  for (const keyword of left_out_tables) {
    if (!Object.hasOwn(schema, keyword)) continue
    const table = schema[keyword]
    if (!isObject(table)) throw wrongValue(at, keyword)
    for (const [name, part] of Object.entries(table)) reduce(part, `${at}/${keyword}/${name}`, state)
  }
}

const wrongValue = (at: string, keyword: string): SchemaRefused =>
  new SchemaRefused(`has a wrong value at ${shownPath(`${at}/${keyword}`)}`)

/** What holds for the parts of a value. */
function reduceParts(schema: Json, at: string, state: Reducing): Json {
  const reduced: Json = {}
  const { properties, additionalProperties, patternProperties, propertyNames, items, prefixItems } = schema
  if (properties !== undefined) {
    if (!isObject(properties)) throw wrongValue(at, "properties")
    reduced.properties = Object.fromEntries(
      Object.entries(properties).map(([name, part]) => [
        name,
        reduce(part, `${at}/properties/${name}`, state),
      ]),
    )
  }
  // Which names patterns cover is not looked at, and with them not which are additional.
  if (additionalProperties !== undefined && patternProperties === undefined) {
    reduced.additionalProperties = reduce(additionalProperties, `${at}/additionalProperties`, state)
  }
  if (propertyNames !== undefined) reduced.propertyNames = reduce(propertyNames, `${at}/propertyNames`, state)
  // Before draft 2020-12 a list of schemas stood under `items`.
  const first = Array.isArray(items) ? items : prefixItems
  if (first !== undefined) reduced.prefixItems = reduceList(first, `${at}/prefixItems`, state)
  if (items !== undefined && !Array.isArray(items)) reduced.items = reduce(items, `${at}/items`, state)
  return reduced
}

/** Of `oneOf` too, one of the alternatives is enough: what tells them apart may have been left out. */
function reduceAlternatives(schema: Json, at: string, state: Reducing): Reduced[] {
  const { allOf, anyOf, oneOf } = schema
  return [
    ...(allOf === undefined ? [] : reduceList(allOf, `${at}/allOf`, state)),
    ...(anyOf === undefined ? [] : [{ anyOf: reduceList(anyOf, `${at}/anyOf`, state) }]),
    ...(oneOf === undefined ? [] : [{ anyOf: reduceList(oneOf, `${at}/oneOf`, state) }]),
  ]
}

function reduceList(list: unknown, at: string, state: Reducing): Reduced[] {
  if (!Array.isArray(list) || list.length === 0) {
    throw new SchemaRefused(`has something else than a list of schemas at ${shownPath(at)}`)
  }
  return list.map((part, index) => reduce(part, `${at}/${index}`, state))
}

/** The schema that is referred to, written out once: within itself it takes anything. */
function reduceReference(schema: Json, at: string, state: Reducing): Reduced[] {
  const { $ref } = schema
  if ($ref === undefined) return []
  if (typeof $ref !== "string" || !/^#(\/|$)/.test($ref)) {
    throw new SchemaRefused(
      `refers to another document at ${shownPath(at)}; write it into the schema, below $defs`,
    )
  }
  if (state.following.includes($ref)) return []
  if (state.following.length >= references_deep_max) {
    throw new SchemaRefused(`has more than ${references_deep_max} references in each other`)
  }
  const target = lookUp(state.root, $ref.slice(1))
  if (target === undefined) throw new SchemaRefused(`refers to what it does not have at ${shownPath(at)}`)
  state.following.push($ref)
  const reduced = reduce(target, $ref.slice(1), state)
  state.following.pop()
  return [reduced]
}

/** What a JSON pointer leads to. */
export function lookUp(root: unknown, pointer: string): unknown {
  let found = root
  for (const part of pointer.split("/").slice(1)) {
    const key = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~")
    const inside = typeof found === "object" && found !== null && Object.hasOwn(found, key)
    found = inside ? (found as Json)[key] : undefined
  }
  return found
}

/** A part of a reference may be percent-encoded, as it stands in an address. */
const decoded = (part: string): string =>
  /%(?![0-9A-Fa-f]{2})/.test(part) ? part : part.replace(/(%[0-9A-Fa-f]{2})+/g, decodeOctets)

const decodeOctets = (octets: string): string =>
  Buffer.from(octets.replaceAll("%", ""), "hex").toString("utf8")

const shownPath = (at: string): string => visible(at === "" ? "/" : at.slice(0, 200))
