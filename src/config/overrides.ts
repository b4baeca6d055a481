import type { TSchema } from "@sinclair/typebox"
import { nearest } from "./nearest.ts"
import type { Finding } from "./problem.ts"
import {
  fieldsOf,
  isTable,
  keyOf,
  type Named,
  type Path,
  recordOf,
  resolve,
  type Table,
} from "./schema-tree.ts"
import { type AnySection, isSecret } from "./section.ts"

/** What the command line sets: `{ flag: "--port", key: "gateway.port", value: "8080" }`. */
export type Flag = { flag: string; key: string; value: string | number | boolean }

export type Environment = Record<string, string | undefined>

/** Which variable or flag a key came from, by its dotted name. */
export type Origins = Map<string, { variable?: string; flag?: string }>

type Scalar = { path: Path; schema: TSchema }

const prefix = "WEFT_"
/** Variables of the program itself, which no section owns. */
const own_variables = ["WEFT_HOME", "WEFT_CONFIG", "WEFT_TOKEN", "WEFT_LOG", "WEFT_KERNEL"]
/** A fallback's fallback can be set by variable; what is nested deeper is for the file. */
const nesting_max = 2

/** Lays the environment and then the flags over the document, in place. */
export function applyOverrides(
  document: Table,
  sections: readonly AnySection[],
  env: Environment,
  flags: readonly Flag[],
): { origins: Origins; warnings: Finding[] } {
  const origins: Origins = new Map()
  const warnings: Finding[] = []
  // An empty variable is an unset one, as compose files write `${NAME:-}`.
  const set = Object.entries(env).filter(
    ([variable, text]) => variable.startsWith(prefix) && text && !own_variables.includes(variable),
  )
  // Most starts override nothing, and then no schema needs to be walked.
  const scalars =
    set.length + flags.length === 0 ? [] : sections.flatMap(({ name, schema }) => scalarsOf(schema, [name]))
  const byVariable = new Map(scalars.map((scalar) => [variableOf(scalar.path), scalar]))
  for (const [variable, text] of set) {
    const scalar = byVariable.get(variable) ?? recordScalar(variable, sections, document)
    if (!scalar) {
      warnings.push(...unknownVariable(variable, sections, [...byVariable.keys()]))
      continue
    }
    // The environment is where secrets come from: what stands there is a reference, not a literal.
    const value = isSecret(scalar.schema) ? { env: variable } : typed(scalar.schema, text!)
    if (put(document, scalar.path, value)) origins.set(keyOf(scalar.path), { variable })
  }
  for (const { flag, key, value } of flags) {
    const scalar = scalars.find(({ path }) => keyOf(path) === key)
    const given = scalar && typeof value === "string" ? typed(scalar.schema, value) : value
    if (put(document, scalar?.path ?? key.split("."), given)) origins.set(key, { flag })
  }
  return { origins, warnings }
}

/** The variables that set a section's fields, for the documents. */
export const variablesOf = (section: AnySection): { variable: string; path: Path }[] =>
  scalarsOf(section.schema, [section.name])
    .filter(({ path }) => path.length <= 3)
    .map(({ path }) => ({ variable: variableOf(path), path }))

const variableOf = (path: Path) => `${prefix}${path.map((part) => upper(String(part))).join("_")}`
const upper = (name: string) => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")

/** Every field that one piece of text can set. Lists and tables with free names are not among them. */
function scalarsOf(schema: TSchema, path: Path, outer: Named = new Map()): Scalar[] {
  const { schema: own, named } = resolve(schema, outer)
  const repeated = path.filter((part) => part === path.at(-1)).length
  if (repeated > nesting_max) return []
  if (isSecret(own)) return [{ path, schema: own }]
  if (own.anyOf) {
    const variants: TSchema[] = own.anyOf
    const nested = variants.filter(fieldsOf).flatMap((variant) => scalarsOf(variant, path, named))
    return variants.some((variant) => !fieldsOf(variant)) ? [{ path, schema: own }, ...nested] : nested
  }
  const fields = fieldsOf(own)
  if (fields) return Object.entries(fields).flatMap(([key, field]) => scalarsOf(field, [...path, key], named))
  return own.type === "array" || own.type === "object" ? [] : [{ path, schema: own }]
}

/**
 * `WEFT_PROVIDERS_OPENAI_BASE_URL`: in a section of free names the middle is the name, as the file spells it, or
 * else in small letters with dashes.
 */
function recordScalar(
  variable: string,
  sections: readonly AnySection[],
  document: Table,
): Scalar | undefined {
  for (const { name: section, schema } of sections) {
    const record = recordOf(schema)
    const head = `${prefix}${upper(section)}_`
    if (!record || !variable.startsWith(head)) continue
    const rest = variable.slice(head.length)
    if (isSecret(record.values)) return { path: [section, rest], schema: record.values }
    const fields = scalarsOf(record.values, []).sort((a, b) => b.path.join().length - a.path.join().length)
    const field = fields.find(({ path }) =>
      rest.endsWith(`_${path.map((part) => upper(`${part}`)).join("_")}`),
    )
    if (!field) continue
    const middle = rest.slice(0, -field.path.join("_").length - 1)
    const written = isTable(document[section]) ? Object.keys(document[section]) : []
    const name = written.find((known) => upper(known) === middle) ?? middle.toLowerCase().replaceAll("_", "-")
    return { path: [section, name, ...field.path], schema: field.schema }
  }
  return undefined
}

/** Text as the schema's type, or the text itself, which the schema then refuses with what it expected. */
function typed(schema: TSchema, text: string): unknown {
  const types = new Set([schema.type, ...(schema.anyOf ?? []).map((variant: TSchema) => variant.type)])
  if (types.has("integer") && /^[+-]?\d+$/.test(text)) return Number(text)
  if (types.has("number") && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text)
  if (types.has("boolean") && /^(true|1)$/i.test(text)) return true
  if (types.has("boolean") && /^(false|0)$/i.test(text)) return false
  return text
}

/** Sets a value in nested tables. What the file has in a table's place is left for its schema to refuse. */
function put(document: Table, path: Path, value: unknown): boolean {
  let table = document
  for (const part of path.slice(0, -1)) {
    // The text of a field that may also be a table ("hash" of memory.embedder) gives way to the table.
    if (!Object.hasOwn(table, part) || (table !== document && typeof table[part] === "string")) {
      Object.defineProperty(table, part, { value: {}, enumerable: true, writable: true, configurable: true })
    }
    const next = table[part]
    if (!isTable(next)) return false
    table = next
  }
  const last = path.at(-1)!
  Object.defineProperty(table, last, { value, enumerable: true, writable: true, configurable: true })
  return true
}

/** Only what looks like one of ours: other programs may use the prefix. */
function unknownVariable(variable: string, sections: readonly AnySection[], scalars: string[]): Finding[] {
  const section = sections.find(({ name }) => variable.startsWith(`${prefix}${upper(name)}_`))
  const expected = "a variable that sets one value"
  const fields = section && Object.keys(fieldsOf(section.schema) ?? {})
  if (fields?.some((field) => variable === variableOf([section!.name, field]))) {
    return [{ path: [variable], expected, hint: "lists and tables are set in the file" }]
  }
  const near = nearest(variable, scalars)
  if (!section && !near) return []
  return [{ path: [variable], expected, ...(near && { nearest: near }), hint: "it is ignored" }]
}
