/** docs/reference/config.md, docs/reference/config.schema.json and docs/examples/config.toml, from the sections. */
import type { TSchema } from "@sinclair/typebox"
import { stringify } from "smol-toml"
import { toJsonSchema } from "../../src/config/json-schema.ts"
import { variablesOf } from "../../src/config/overrides.ts"
import { expectation, fieldsOf, recordOf } from "../../src/config/schema-tree.ts"
import { type AnySection, isSecret } from "../../src/config/section.ts"

export type GeneratedFile = { path: string; text: string }

export function configReference(sections: readonly AnySection[]): GeneratedFile[] {
  return [
    { path: "docs/reference/config.md", text: page(sections) },
    {
      path: "docs/reference/config.schema.json",
      text: `${JSON.stringify(toJsonSchema(sections), null, 2)}\n`,
    },
    { path: "docs/examples/config.toml", text: example(sections) },
  ]
}

const introduction = `# Configuration

One TOML file, all of it optional: \`--config\`, else \`WEFT_CONFIG\`, else \`config.toml\` in the home (\`--home\`, else
\`WEFT_HOME\`, else \`~/.weft\`). Defaults give way to the file, the file to environment variables, and those to flags.
\`weft config check\` says what is wrong, with line and column; \`weft config show\` prints what is in force, without
secrets. [config.toml](../examples/config.toml) has every key with its comment, and
[config.schema.json](config.schema.json) is for editors: put \`#:schema <path or URL of it>\` on the first line.

A secret is \`{ env = "NAME" }\` or \`{ file = "path" }\` (relative to the configuration's folder). The text itself is
accepted with a warning. An unknown key is a warning and is ignored; a value of the wrong type or out of its range, a name
of something that is not there, and a secret that is not set are errors.

The file is watched. A change applies while the gateway runs, except where the table says *restart*; a change that is not
valid leaves the old configuration running. An empty environment variable counts as unset. In \`[providers]\`,
\`[channels]\` and \`[secrets]\` the variable has the name in the middle: \`WEFT_PROVIDERS_OPENAI_BASE_URL\`. Lists and
lists of tables are for the file.`

function page(sections: readonly AnySection[]): string {
  return `${introduction}\n\n${sections.map(chapter).join("\n\n")}\n`
}

function chapter(section: AnySection): string {
  const { name, schema } = section
  const variables = new Map(
    variablesOf(section).map(({ variable, path }) => [path.slice(1).join("."), variable]),
  )
  const inner = schema.type === "array" ? schema.items : (recordOf(schema)?.values ?? schema)
  const named = recordOf(schema) && fieldsOf(inner) ? `${name}.<name>` : name
  const parts = [`## \`${schema.type === "array" ? `[[${name}]]` : `[${named}]`}\``, schema.description]
  if (!fieldsOf(inner)) return [...parts, `Each a ${cell(inner)}: ${inner.description}`].join("\n\n")
  const heads = ["key", "type", "default", "meaning", ...(variables.size > 0 ? ["variable"] : [])]
  const rows = rowsOf(inner, "").map(({ key, field, needed }) => [
    `\`${key}\``,
    cell(field),
    field.default === undefined ? (needed ? "required" : "") : `\`${JSON.stringify(field.default)}\``,
    `${field.description}${field.restart ? " *Restart.*" : ""}`,
    ...(variables.size > 0 ? [variables.has(key) ? `\`${variables.get(key)}\`` : ""] : []),
  ])
  return [...parts, table([heads, heads.map(() => "---"), ...rows])].join("\n\n")
}

const table = (rows: string[][]) =>
  rows.map((cells) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`).join("\n")

/** The fields of a table and of the tables in it, by their dotted keys. */
function rowsOf(schema: TSchema, prefix: string): { key: string; field: TSchema; needed: boolean }[] {
  return Object.entries(fieldsOf(schema) ?? {}).flatMap(([name, field]) => {
    const key = `${prefix}${name}`
    const row = { key, field, needed: schema.required?.includes(name) ?? false }
    const below = isSecret(field)
      ? []
      : [field, ...(field.anyOf ?? [])].filter((variant) => fieldsOf(variant))
    return [row, ...below.flatMap((variant) => rowsOf(variant, `${key}.`))].filter(({ field }) => !field.$ref)
  })
}

function cell(schema: TSchema): string {
  if (isSecret(schema)) return "secret"
  if (schema.type === "array") return `list of ${schema.items.type === "string" ? "texts" : "tables"}`
  if (recordOf(schema)) return "table"
  return expectation(schema).replace(/^(a|an) /, "")
}

const preamble = `# Every key of the configuration. What is not commented out is the default; a line that begins with "#" and a key is
# an example of something optional. Reference: docs/reference/config.md. Look at it with: weft config check
#:schema ../reference/config.schema.json`

function example(sections: readonly AnySection[]): string {
  return `${[preamble, ...sections.map(({ name, schema }) => exampleSection(name, schema))].join("\n\n")}\n`
}

function exampleSection(name: string, schema: TSchema): string {
  const comment = `# ${schema.description}`
  const record = recordOf(schema)
  if (schema.type === "array") return `${comment}\n${exampleTable(`[[${name}]]`, name, schema.items, true)}`
  if (!record) return `${comment}\n${exampleTable(`[${name}]`, name, schema, false)}`
  const key = Object.keys(schema.examples[0])[0]
  if (fieldsOf(record.values)) {
    return `${comment}\n${exampleTable(`[${name}.${key}]`, `${name}.${key}`, record.values, true)}`
  }
  return `${comment}\n[${name}]\n# ${record.values.description}\n#${key} = ${inline(exampleOf(record.values))}`
}

/** A table and the tables in it. `optional`: the whole of it is an example. */
function exampleTable(head: string, path: string, schema: TSchema, optional: boolean): string {
  const lines = [`${optional ? "#" : ""}${head}`]
  const below: string[] = []
  for (const [key, field] of Object.entries(fieldsOf(schema) ?? {})) {
    if (field.$ref) continue
    if (fieldsOf(field)) {
      below.push(
        `\n# ${field.description}\n${exampleTable(`[${path}.${key}]`, `${path}.${key}`, field, true)}`,
      )
      continue
    }
    const off = optional || field.default === undefined
    const value = off ? exampleOf(field) : field.default
    lines.push(`# ${field.description}${range(field)}${suchAs(field, off)}`)
    lines.push(`${off ? "#" : ""}${key} = ${inline(value)}`)
  }
  return [...lines, ...below].join("\n")
}

function range(field: TSchema): string {
  if (field.anyOf && !isSecret(field)) return ` One of: ${expectation(field)}.`
  if (field.maximum !== undefined) return ` From ${field.minimum} to ${field.maximum}.`
  return field.minimum ? ` At least ${field.minimum}.` : ""
}

const suchAs = (field: TSchema, off: boolean) =>
  off || !field.examples ? "" : ` Such as ${inline(exampleOf(field))}.`

function exampleOf(field: TSchema): unknown {
  const record = recordOf(field)
  if (record) {
    const names = Object.keys(field.examples[0])
    return Object.fromEntries(names.map((name) => [name, exampleOf(record.values)]))
  }
  if (field.examples) return field.examples[0]
  if (field.default !== undefined) return field.default
  if (field.anyOf) return field.anyOf[0].const
  throw new Error(`no example of ${field.description}`)
}

const inline = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[${value.map(inline).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).map(([key, entry]) => `${key} = ${inline(entry)}`)
    return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`
  }
  return stringify({ v: value }).trim().slice("v = ".length)
}
