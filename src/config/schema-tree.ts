import type { TSchema } from "@sinclair/typebox"
import { isSecret } from "./section.ts"

/** A place in the configuration: keys and list positions from the top. */
export type Path = (string | number)[]

/** No configuration needs tables nested deeper; what goes through them can recurse. */
export const depth_max = 64

export type Table = Record<string, unknown>

/** The schemas that `$ref` may name: those with an `$id` that enclose the place at hand. */
export type Named = ReadonlyMap<string, TSchema>

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** `gateway.tls.cert`, `bindings[0].agent_id`, `providers."odd name".api_key`. */
export const keyOf = (path: Path): string =>
  path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`
      const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)
      return index === 0 ? name : `.${name}`
    })
    .join("")

export function resolve(schema: TSchema, named: Named): { schema: TSchema; named: Named } {
  if (typeof schema.$ref === "string") return { schema: named.get(schema.$ref) ?? schema, named }
  if (schema.$id === undefined) return { schema, named }
  return { schema, named: new Map(named).set(schema.$id, schema) }
}

export const fieldsOf = (schema: TSchema): Record<string, TSchema> | undefined =>
  schema.type === "object" ? schema.properties : undefined

/** What a table with free names holds: the pattern of its names and the schema of its values. */
export function recordOf(schema: TSchema): { pattern: string; values: TSchema } | undefined {
  const entry = Object.entries<TSchema>(schema.patternProperties ?? {})[0]
  return entry && { pattern: entry[0], values: entry[1] }
}

/** Of alternatives the one that a value of this form can only be; secrets stay one thing. */
export function variantFor(schema: TSchema, value: unknown): TSchema {
  if (!schema.anyOf || isSecret(schema) || !isTable(value)) return schema
  const tables = (schema.anyOf as TSchema[]).filter((variant) => variant.type === "object")
  return tables.length === 1 ? tables[0]! : schema
}

/** The fields of a table that have to be written: required ones without a default. */
export const neededBy = (schema: TSchema): string[] =>
  (schema.required ?? []).filter((name: string) => schema.properties[name].default === undefined)

/** What a value must be, as a phrase after "expected". */
export function expectation(schema: TSchema): string {
  if (isSecret(schema)) return '{ env = "NAME" }, { file = "path" } or a text'
  if ("const" in schema) return JSON.stringify(schema.const)
  if (schema.anyOf) {
    const variants = schema.anyOf.map(expectation)
    return `${variants.slice(0, -1).join(", ")} or ${variants.at(-1)}`
  }
  if (schema.type === "integer" || schema.type === "number") return numeric(schema)
  if (schema.type === "boolean") return "true or false"
  if (schema.type === "array") return "a list"
  if (schema.type === "object") {
    const required = neededBy(schema)
    return required.length > 0 ? `a table with ${required.join(" and ")}` : "a table"
  }
  if (schema.type !== "string") return "another value"
  if (schema.pattern) return `a text that matches ${schema.pattern}`
  return schema.minLength ? "a text that is not empty" : "a text"
}

function numeric({ type, minimum, maximum }: TSchema): string {
  const noun = type === "integer" ? "an integer" : "a number"
  if (minimum !== undefined && maximum !== undefined) return `${noun} from ${minimum} to ${maximum}`
  if (minimum !== undefined) return `${noun} of at least ${minimum}`
  return maximum !== undefined ? `${noun} of at most ${maximum}` : noun
}
