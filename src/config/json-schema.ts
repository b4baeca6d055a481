import type { TSchema } from "@sinclair/typebox"
import { neededBy } from "./schema-tree.ts"
import type { AnySection } from "./section.ts"

/** What only this program reads. */
const private_keywords = ["restart", "secret", "literal", "file", "$id"]

/**
 * The whole file as one JSON Schema for editors. What has a default may be left out; a schema that refers to itself
 * moves to `$defs`.
 */
export function toJsonSchema(sections: readonly AnySection[]): Record<string, unknown> {
  const defs: Record<string, unknown> = {}
  const properties = Object.fromEntries(sections.map(({ name, schema }) => [name, plain(schema, defs)]))
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Weft configuration",
    type: "object",
    properties,
    additionalProperties: false,
    $defs: defs,
  }
}

function plain(schema: TSchema, defs: Record<string, unknown>): unknown {
  if (typeof schema.$ref === "string") return { $ref: `#/$defs/${schema.$ref}` }
  if (schema.$id === undefined) return keywords(schema, defs)
  if (!Object.hasOwn(defs, schema.$id)) {
    defs[schema.$id] = {}
    defs[schema.$id] = keywords(schema, defs)
  }
  return { $ref: `#/$defs/${schema.$id}` }
}

function keywords(schema: TSchema, defs: Record<string, unknown>): Record<string, unknown> {
  const named = (schemas: Record<string, TSchema>) =>
    Object.fromEntries(Object.entries(schemas).map(([key, value]) => [key, plain(value, defs)]))
  const out: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (private_keywords.includes(keyword)) continue
    if (keyword === "properties" || keyword === "patternProperties") out[keyword] = named(value)
    else if (keyword === "items") out.items = plain(value, defs)
    else if (keyword === "anyOf") Object.assign(out, alternatives(value, defs))
    else if (keyword === "required") Object.assign(out, needed(schema))
    else out[keyword] = value
  }
  if (schema.patternProperties) out.additionalProperties = false
  // An example of free names is there for the name; its values are examples of their own.
  if (schema.patternProperties) delete out.examples
  return out
}

/** Editors complete an `enum` better than alternatives of one constant each. */
function alternatives(variants: TSchema[], defs: Record<string, unknown>) {
  if (variants.every((variant) => "const" in variant)) {
    return { type: "string", enum: variants.map((variant) => variant.const) }
  }
  return { anyOf: variants.map((variant) => plain(variant, defs)) }
}

function needed(schema: TSchema) {
  const names = neededBy(schema)
  return names.length > 0 ? { required: names } : {}
}
