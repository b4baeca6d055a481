import { expect, test } from "bun:test"
import type { TSchema } from "@sinclair/typebox"
import fc from "fast-check"
import { stringify } from "smol-toml"
import { fieldsOf, neededBy, recordOf } from "../../src/config/schema-tree.ts"
import { isSecret } from "../../src/config/section.ts"
import { sections } from "../../src/registry.ts"
import { load } from "./needs.ts"

/** Names that refer to something are given; every other value is any that its schema allows. */
const given: Record<string, fc.Arbitrary<unknown>> = {
  path: fc.constant("/srv/plugin.wasm"),
  soul_path: fc.constant("/srv/soul.md"),
  cert: fc.constant("/srv/cert.pem"),
  key: fc.constant("/srv/key.pem"),
  id: fc.stringMatching(/^[a-z]{3,8}$/),
  agent_id: fc.constant("default"),
  provider: fc.constantFrom("anthropic", "openai"),
  kind: fc.constantFrom("openai", "google"),
  base_url: fc.constant("https://example.com/v1"),
  tools: fc.subarray(["current_time", "session_search"]),
  allow: fc.subarray(["read", "current_time", "network:*.example.com"]),
  ask: fc.subarray(["write", "execute:git push"]),
  deny: fc.subarray(["send", "network:*.internal"]),
  capabilities: fc.subarray(["http:*.example.com", "store:notes", "env:LANG", "fs:/srv:ro"]),
  auth: fc.constant("token"),
  bind: fc.constantFrom("127.0.0.1", "::", "example.com"),
  origins: fc.subarray(["https://a.example", "http://localhost:3000"]),
  trusted_proxies: fc.subarray(["10.0.0.0/8", "::1", "fd00::/8"]),
  plugin: fc.constant(undefined),
  secret: fc.constant({ env: "SECRET" }),
}

function anyOf(schema: TSchema, name: string): fc.Arbitrary<unknown> {
  if (Object.hasOwn(given, name)) return given[name]!
  if (isSecret(schema)) return fc.constantFrom({ env: "SECRET" }, { file: "secret" })
  if ("const" in schema) return fc.constant(schema.const)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((variant: TSchema) => anyOf(variant, name)))
  if (schema.type === "array") return fc.array(anyOf(schema.items, name), { maxLength: 3 })
  if (schema.type === "boolean") return fc.boolean()
  const { minimum = 0, maximum = minimum + 1_000_000 } = schema
  if (schema.type === "integer") return fc.integer({ min: minimum, max: maximum })
  if (schema.type === "number") return fc.double({ min: minimum, max: maximum, noNaN: true })
  if (schema.type === "string") {
    return schema.pattern
      ? fc.stringMatching(new RegExp(schema.pattern))
      : fc.string({ minLength: schema.minLength ?? 0 })
  }
  const record = recordOf(schema)
  if (record) {
    const names =
      record.pattern === "^(.*)$"
        ? fc.stringMatching(/^[a-z-]{1,10}$/)
        : fc.stringMatching(new RegExp(record.pattern))
    return fc.dictionary(names, anyOf(record.values, ""), { maxKeys: 3, noNullPrototype: true })
  }
  return tableOf(schema)
}

function tableOf(schema: TSchema): fc.Arbitrary<unknown> {
  const fields = Object.entries(fieldsOf(schema) ?? {}).filter(([, field]) => !field.$ref)
  const model = Object.fromEntries(fields.map(([name, field]) => [name, anyOf(field, name)]))
  const optional = fields.map(([name]) => name).filter((name) => !neededBy(schema).includes(name))
  return fc
    .record(model, {
      requiredKeys: Object.keys(model).filter((name) => !optional.includes(name)),
      noNullPrototype: true,
    })
    .map((table) =>
      Object.fromEntries(Object.entries(table as object).filter(([, value]) => value !== undefined)),
    )
}

/** What no single value shows: names only once, a selector to a binding, a kind, a signature and a secret where they are needed. */
function whole(document: Record<string, unknown>): Record<string, unknown> {
  const once = (list: unknown, key: string) =>
    ((list ?? []) as Record<string, unknown>[]).map((entry, index) => ({ ...entry, [key]: `n${index}` }))
  return {
    ...document,
    agent: { ...(document.agent as object), id: "default" },
    agents: once(document.agents, "id"),
    plugins: once(document.plugins, "name"),
    bindings: ((document.bindings ?? []) as object[]).map((binding) => ({ ...binding, channel: "x" })),
    providers: each(document.providers, { kind: "openai" }),
    channels: each(document.channels, { signature: "github", secret: { env: "SECRET" } }),
  }
}

const each = (record: unknown, more: object) =>
  Object.fromEntries(
    Object.entries((record ?? {}) as Record<string, object>).map(([k, v]) => [k, { ...v, ...more }]),
  )

const documents = fc
  .record(Object.fromEntries(sections.map(({ name, schema }) => [name, anyOf(schema as TSchema, "")])), {
    requiredKeys: [],
    noNullPrototype: true,
  })
  .map(whole)

const options = {
  env: { SECRET: "a secret" },
  secrets: { "/home/secret": { text: "a secret", shared: false } },
}

test("any valid file loads as it was written, and what is shown of it loads as the same again", async () => {
  await fc.assert(
    fc.asyncProperty(documents, async (document) => {
      const { config, shown } = await load(stringify(document), options)
      expect(config).toMatchObject(resolved(document) as never)
      const again = await load(stringify(shown as never), options)
      expect(again.shown).toEqual(shown)
    }),
    { numRuns: 150 },
  )
})

/** The document with the one secret in the place of its references. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved)
  if (typeof value !== "object" || value === null) return value
  const keys = Object.keys(value)
  if (keys.length === 1 && (keys[0] === "env" || keys[0] === "file")) return "a secret"
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, resolved(entry)]))
}
