import { expect, test } from "bun:test"
import { join } from "node:path"
import type { TSchema } from "@sinclair/typebox"
import { parse } from "smol-toml"
import { configReference } from "../../scripts/reference/config.ts"
import { toJsonSchema } from "../../src/config/json-schema.ts"
import { describeProblem } from "../../src/config/problem.ts"
import { fieldsOf, recordOf } from "../../src/config/schema-tree.ts"
import { isSecret } from "../../src/config/section.ts"
import { sections } from "../../src/registry.ts"
import { load } from "./needs.ts"

const files = new Map(configReference(sections).map(({ path, text }) => [path, text]))
const example = files.get("docs/examples/config.toml")!
/** Keys that are commented out have no space after the sign; prose has one. */
const everything = example.replaceAll(/^#(?=\[|[\w-]+ = )/gm, "")

test("the example is the configuration without one", async () => {
  const { config, warnings } = await load(example)
  expect(warnings).toEqual([])
  expect(config).toEqual((await load("")).config)
})

test("everything in the example that is commented out is valid too", async () => {
  const keys = { ANTHROPIC_API_KEY: "a", GITHUB_TOKEN: "g", BRAVE_API_KEY: "b" }
  const env = { ...keys, MOCK_SECRET: "mock-secret", META_VERIFY_TOKEN: "m" }
  const missing = '\n[[plugins]]\nname = "mock-channel"\npath = "mock.wasm"\n'
  const files = ["/home/plugins/echo.wasm", "/home/mock.wasm"]
  const { warnings } = await load(everything + missing, { env, files })
  expect(warnings.map(describeProblem)).toEqual([])
})

test("the example has every key that there is", () => {
  const document = parse(everything) as Record<string, unknown>
  for (const { name, schema } of sections) expectAll(schema, document[name], name)
})

function expectAll(schema: TSchema, value: unknown, path: string): void {
  const inner = schema.type === "array" ? schema.items : (recordOf(schema)?.values ?? schema)
  const table = inner === schema ? value : Object.values(value as object)[0]
  const fields = isSecret(inner) ? undefined : fieldsOf(inner)
  for (const [key, field] of Object.entries(fields ?? {})) {
    if (field.$ref) continue
    expect(
      `${path}.${key} ${(table as object | undefined) !== undefined && Object.hasOwn(table as object, key)}`,
    ).toBe(`${path}.${key} true`)
    if (fieldsOf(field)) expectAll(field, (table as Record<string, unknown>)[key], `${path}.${key}`)
  }
}

test("every field says what it means", () => {
  const silent: string[] = []
  const visit = (schema: TSchema, path: string) => {
    for (const [key, field] of Object.entries(fieldsOf(schema) ?? {})) {
      if (!field.description && !field.$ref) silent.push(`${path}.${key}`)
      visit(field, `${path}.${key}`)
    }
    for (const inner of [schema.items, recordOf(schema)?.values, ...(schema.anyOf ?? [])]) {
      if (inner) visit(inner, path)
    }
  }
  for (const { name, schema } of sections) {
    expect(schema.description).toBeString()
    visit(schema, name)
  }
  expect(silent).toEqual([])
})

test("the schema for editors is plain JSON that refers only to itself and asks for nothing that has a default", () => {
  const schema = toJsonSchema(sections)
  const text = files.get("docs/reference/config.schema.json")!
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(schema)))
  const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, reference]) => reference)
  expect(new Set(references)).toEqual(new Set(["#/$defs/fallback"]))
  expect(text).not.toMatch(/"(\$id|secret": true|restart|literal)"/)
  expect(schema).toHaveProperty("properties.gateway.properties.auth.enum", ["token", "none"])
  expect(schema).not.toHaveProperty("properties.gateway.required")
  expect(schema).toHaveProperty("properties.agents.items.required", ["id"])
})

test("the committed documents are those that the declarations make", async () => {
  for (const [path, text] of files) {
    expect(await Bun.file(join(import.meta.dir, "../..", path)).text()).toBe(text)
  }
})
