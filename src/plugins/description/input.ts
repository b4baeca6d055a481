import { type OutputUnit, Validator } from "@cfworker/json-schema"
import { AppError } from "../../base/errors.ts"
import { isObject } from "../json.ts"
import { lookUp, type Reduced, reduceSchema } from "./schema.ts"

/** Keywords whose failure only says that something within has failed, which comes after it. */
const carriers = ["properties", "additionalProperties", "propertyNames", "items", "prefixItems", "allOf"]

/**
 * Narrows a call's input by a plugin's own schema. What it lets through may still be more than the schema takes: see
 * `schema.ts`. Throws SchemaRefused at once; then, by call, AppError invalid_params with `path` (a JSON pointer) and
 * `expected`.
 */
export function inputParser(schema: Record<string, unknown>): (value: unknown) => Record<string, unknown> {
  const reduced = reduceSchema(schema)
  const validator = new Validator(reduced, "2020-12")
  return (value) => {
    if (!isObject(value)) throw new AppError("invalid_params", { path: "/", expected: "an object" })
    const { errors } = validator.validate(value)
    const first = errors.find(({ keyword }) => !carriers.includes(keyword)) ?? errors[0]
    if (!first) return value
    const path = first.instanceLocation.replace(/^#/, "") || "/"
    throw new AppError("invalid_params", { path, expected: expectationOf(first, reduced) })
  }
}

/** Made of the schema alone: the library's own sentences repeat the input. */
function expectationOf({ keyword, keywordLocation, error }: OutputUnit, schema: Reduced): string {
  const limit = lookUp(schema, keywordLocation.replace(/^#/, ""))
  const phrase = phrases[keyword]
  if (keyword === "required") return `the property ${/"(.*)"\.$/s.exec(error)?.[1] ?? "that is missing"}`
  if (keyword === "false") return "no such property"
  return phrase && limit !== undefined ? phrase(limit) : "what the schema says"
}

const listed = (values: unknown): string => {
  const text = [values]
    .flat()
    .map((value) => JSON.stringify(value))
    .join(", ")
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}

const phrases: Record<string, (limit: unknown) => string> = {
  type: (types) => [types].flat().join(" or "),
  enum: (values) => `one of ${listed(values)}`,
  const: (value) => JSON.stringify(value).slice(0, 500),
  anyOf: () => "one of the alternatives of the schema",
  minimum: (least) => `at least ${least}`,
  maximum: (most) => `at most ${most}`,
  exclusiveMinimum: (limit) => `more than ${limit}`,
  exclusiveMaximum: (limit) => `less than ${limit}`,
  multipleOf: (step) => `a multiple of ${step}`,
  minLength: (least) => `at least ${least} characters`,
  maxLength: (most) => `at most ${most} characters`,
  minItems: (least) => `at least ${least} items`,
  maxItems: (most) => `at most ${most} items`,
  minProperties: (least) => `at least ${least} properties`,
  maxProperties: (most) => `at most ${most} properties`,
}
