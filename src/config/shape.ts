import { type TSchema, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { nearest } from "./nearest.ts"
import { type Finding, shownValue } from "./problem.ts"
import {
  depth_max,
  expectation,
  fieldsOf,
  isTable,
  type Named,
  type Path,
  recordOf,
  resolve,
  type Table,
  variantFor,
} from "./schema-tree.ts"
import { isSecret } from "./section.ts"

/** A secret as it was written; `load.ts` puts its value into the configuration. */
export type SecretUse = { path: Path; written: SecretReference | string; literalExpected: boolean }
export type SecretReference = { env: string } | { file: string }

export type Found = {
  problems: Finding[]
  warnings: Finding[]
  secrets: SecretUse[]
  /** Makes a path of the file absolute. */
  toPath(written: string): string
}

/** The value as the program uses it, and as it may be shown to anyone who may see the configuration. */
type Shaped = { value: unknown; shown: unknown }

/** A table of which nothing is known. */
const open_table: TSchema = Type.Object({}, { additionalProperties: true })

export const redacted = "[redacted]"
const secret_names = /secret|token|password|passphrase|credential|(^|_)key$/i

/**
 * Holds what was written to its schema: fills in defaults, leaves out unknown keys with a warning, notes each
 * wrong value and each secret. Answers undefined where nothing usable is left. Builds new objects throughout.
 */
export function shape(
  schema: TSchema,
  written: unknown,
  path: Path,
  found: Found,
  outer: Named = new Map(),
): Shaped | undefined {
  if (path.length > depth_max) return tooDeep(path, found)
  const { schema: own, named } = resolve(schema, outer)
  if (isSecret(own)) return shapeSecret(own, written, path, found)
  const variant = variantFor(own, written)
  if (variant.type === "array" && Array.isArray(written)) {
    const items = written.map((item, index) => shape(variant.items, item, [...path, index], found, named))
    return pack(
      variant,
      items.map((item) => item?.value),
      items.map((item) => item?.shown),
      path,
      found,
    )
  }
  if (variant.type === "object" && isTable(written)) {
    return recordOf(variant)
      ? shapeRecord(variant, written, path, found, named)
      : shapeTable(variant, written, path, found, named)
  }
  if (Value.Check(variant, written)) {
    const value = variant.file === true && typeof written === "string" ? found.toPath(written) : written
    return { value, shown: withoutLogin(written) }
  }
  found.problems.push({ path, expected: expectation(own), got: shownValue(withoutLogin(written), false) })
  return undefined
}

/** What is used where nothing was written; undefined for an optional field. */
export function shapeMissing(schema: TSchema, path: Path, found: Found, named: Named = new Map()) {
  const { schema: own } = resolve(schema, named)
  if (own.default !== undefined) return shape(own, structuredClone(own.default), path, found, named)
  return fieldsOf(own) ? shape(own, {}, path, found, named) : undefined
}

function shapeTable(schema: TSchema, written: Table, path: Path, found: Found, named: Named): Shaped {
  const fields = fieldsOf(schema) ?? {}
  const required: string[] = schema.required ?? []
  const value: Table = {}
  const shown: Table = {}
  const put = (key: string, shaped: Shaped | undefined) => {
    if (shaped) [value[key], shown[key]] = [shaped.value, shaped.shown]
  }
  for (const [key, field] of Object.entries(fields)) {
    const at = [...path, key]
    if (Object.hasOwn(written, key)) put(key, shape(field, written[key], at, found, named))
    else if (required.includes(key) || field.default !== undefined) {
      const filled = shapeMissing(field, at, found, named)
      if (!filled)
        found.problems.push({ path: at, expected: expectation(resolve(field, named).schema), got: "nothing" })
      put(key, filled)
    }
  }
  for (const key of Object.keys(written)) {
    if (Object.hasOwn(fields, key)) continue
    if (schema.additionalProperties === false || key === "__proto__") {
      found.warnings.push(unknownKey([...path, key], key, Object.keys(fields)))
    } else put(key, shapeOpen(written[key], [...path, key], found))
  }
  return { value, shown }
}

function shapeRecord(schema: TSchema, written: Table, path: Path, found: Found, named: Named): Shaped {
  const { pattern, values } = recordOf(schema)!
  const value: Table = {}
  const shown: Table = {}
  for (const [name, entry] of Object.entries(written)) {
    const at = [...path, name]
    if (name === "__proto__" || !new RegExp(pattern).test(name)) {
      found.problems.push({
        path: at,
        expected: `a name that matches ${pattern}`,
        got: shownValue(name, false),
      })
      continue
    }
    const shaped = shape(values, entry, at, found, named)
    if (shaped) [value[name], shown[name]] = [shaped.value, shaped.shown]
  }
  return { value, shown }
}

/**
 * A value that no schema here describes: the fields of a channel. References to secrets are known by their
 * form, literal ones by their name.
 */
function shapeOpen(written: unknown, path: Path, found: Found): Shaped | undefined {
  if (path.length > depth_max) return tooDeep(path, found)
  if (Array.isArray(written)) {
    const items = written.map((item, index) => shapeOpen(item, [...path, index], found))
    return { value: items.map((item) => item?.value), shown: items.map((item) => item?.shown) }
  }
  const name = path.findLast((part) => typeof part === "string") ?? ""
  if (isReference(written) || (typeof written === "string" && secret_names.test(name))) {
    return noteSecret(written, path, found, false)
  }
  if (!isTable(written)) return { value: written, shown: withoutLogin(written) }
  return shapeTable(open_table, written, path, found, new Map())
}

function shapeSecret(schema: TSchema, written: unknown, path: Path, found: Found): Shaped | undefined {
  if (Value.Check(schema, isTable(written) ? { ...written } : written)) {
    return noteSecret(written as SecretReference | string, path, found, schema.literal === true)
  }
  found.problems.push({ path, expected: expectation(schema), got: shownValue(written, true) })
  return undefined
}

function noteSecret(written: SecretReference | string, path: Path, found: Found, literalExpected: boolean) {
  found.secrets.push({ path, written, literalExpected })
  const literal = typeof written === "string"
  return { value: literal ? written : "", shown: literal ? redacted : { ...written } }
}

function isReference(written: unknown): written is SecretReference {
  if (!isTable(written)) return false
  const [[key, name] = [], ...more] = Object.entries(written)
  return more.length === 0 && (key === "env" || key === "file") && typeof name === "string" && name !== ""
}

/** Bounds of the list itself (`minItems`, `uniqueItems`); its items have been held to theirs already. */
function pack(schema: TSchema, value: unknown[], shown: unknown[], path: Path, found: Found) {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema
  if (value.length < minItems || value.length > maxItems) {
    const expected = `a list of ${minItems}${maxItems < Number.POSITIVE_INFINITY ? ` to ${maxItems}` : " or more"} entries`
    found.problems.push({ path, expected, got: `${value.length}` })
  }
  return { value, shown }
}

function tooDeep(path: Path, found: Found): undefined {
  // Named by its beginning: the whole key would be a page.
  const beginning = path.slice(0, 4)
  if (found.problems.some((problem) => problem.path.join() === beginning.join())) return
  found.problems.push({ path: beginning, expected: `at most ${depth_max} tables in each other`, got: "more" })
}

function unknownKey(path: Path, key: string, names: string[]): Finding {
  const near = nearest(key, names)
  const hint = `it is ignored; known here: ${names.join(", ")}`
  return { path, expected: "a known key", ...(near ? { nearest: near } : { hint }) }
}

/** An address with a login in it (`https://user:password@host`) is shown without. */
const withoutLogin = (value: unknown) =>
  typeof value === "string" ? value.replace(/^(\w+:\/\/)[^/?#]*@/, `$1${redacted}@`) : value

/** The unknown top-level keys, which belong to no section. */
export function unknownSections(document: Table, names: string[]): Finding[] {
  return Object.keys(document)
    .filter((key) => !names.includes(key))
    .map((key) => unknownKey([key], key, names))
}
