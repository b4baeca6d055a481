import { visible } from "../../base/visible.ts"
import { nearest } from "../../config/nearest.ts"
import { isObject, tryJson } from "../json.ts"
import type { Described, DescribedTool } from "../plugin.ts"
import { description_characters_max, tool_name_pattern, tools_max } from "./manifest.ts"
import { reduceSchema, SchemaRefused } from "./schema.ts"

/** Why what a plugin says of itself is not taken, as it reads after "NAME: ". */
export class DescriptionRefused extends Error {
  override name = "DescriptionRefused"
}

/** A model pays for each byte of a schema with every request. */
const schema_bytes_max = 32_768
/** Of all tools of a plugin: more than a model has use for, and less than it takes in at once. */
const tools_bytes_max = 262_144
/** Of a channel's name as a platform has it: "telegram". */
const channel_pattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

/**
 * What `describe` returned, checked: a tool, a list of tools, or an adapter. `kind` is what the manifest says, undefined
 * where there is none. Throws DescriptionRefused.
 */
export function readDescription(
  output: Uint8Array,
  kind: "tool" | "channel" | undefined,
  plugin: string,
): Described {
  const value = parseOutput(output)
  const described = isAdapter(value) ? readAdapter(value) : readTools(value)
  if (kind !== undefined && described.kind !== kind) {
    const noun = { tool: "tools", channel: "a channel's adapter" }
    const manifest = `its manifest says kind = ${JSON.stringify(kind)}`
    throw new DescriptionRefused(`it describes ${noun[described.kind]}, but ${manifest}`)
  }
  if (described.kind === "tool") checkTools(plugin, described.tools)
  return described
}

/** Whether what was kept of a description has the form that it is used in. */
export function isDescribed(value: unknown): value is Described {
  if (!isObject(value)) return false
  const { kind, name, channel, tools } = value
  if (kind === "channel") return typeof name === "string" && typeof channel === "string"
  return kind === "tool" && Array.isArray(tools) && tools.every(isDescribedTool)
}

const isDescribedTool = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.name === "string" &&
  typeof value.description === "string" &&
  isObject(value.input_schema)

/** What a program's manifest says in the stead of `describe`. Throws DescriptionRefused. */
export function describeTools(plugin: string, tools: readonly DescribedTool[]): Described {
  const described = tools.map(({ name, description, input_schema }) =>
    readTool({ name, description, input_schema }, `its tool ${name}`),
  )
  checkTools(plugin, described)
  return { kind: "tool", tools: described }
}

function parseOutput(output: Uint8Array): unknown {
  if (output.length === 0)
    throw new DescriptionRefused("it says nothing of itself: describe returned no bytes")
  const value = tryJson(output)
  if (value !== undefined) return value
  throw new DescriptionRefused("what its describe returned is not JSON in UTF-8 of at most 64 levels")
}

type Json = Record<string, unknown>

/** Some say what they are by `plugin_type`, as ExoClaw's do. */
const typeOf = ({ type, plugin_type }: Json): unknown => type ?? plugin_type

const isAdapter = (value: unknown): value is Json => isObject(value) && typeOf(value) === "channel_adapter"

function readAdapter({ name, channel }: Json): Described {
  const problem = `something else than a name of up to 64 letters, digits, ".", "_" and "-"`
  const asChannel = (key: string, value: unknown): string => {
    if (typeof value === "string" && channel_pattern.test(value)) return value
    throw new DescriptionRefused(`its description as an adapter has, for ${key}, ${problem}`)
  }
  const own = asChannel("name", name)
  return { kind: "channel", name: own, channel: asChannel("channel", channel ?? name) }
}

function readTools(value: unknown): Described {
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new DescriptionRefused("it describes no tool")
  if (list.length > tools_max) {
    throw new DescriptionRefused(`it describes ${list.length} tools; at most ${tools_max} are taken`)
  }
  const tools = list.map((entry, index) =>
    readTool(entry, Array.isArray(value) ? `its tool ${index + 1}` : "its tool"),
  )
  return { kind: "tool", tools }
}

const name_expression = new RegExp(tool_name_pattern)
const keys = ["name", "description", "input_schema"]

function readTool(entry: unknown, what: string): DescribedTool {
  if (!isObject(entry)) throw new DescriptionRefused(`${what} is described by something else than an object`)
  const type = typeOf(entry)
  if (type !== undefined && type !== "tool") {
    throw new DescriptionRefused(
      `${what} is of the type ${shown(type)}; there are "tool" and "channel_adapter"`,
    )
  }
  const { name, description, input_schema } = entry
  if (typeof name !== "string" || !name_expression.test(name)) {
    throw new DescriptionRefused(
      `${what} has the name ${shown(name)}, not one that matches ${tool_name_pattern}`,
    )
  }
  const named = `its tool ${name}`
  if (typeof description !== "string" || description.trim() === "") {
    throw new DescriptionRefused(`${named} has no description, without which no model knows what it is for`)
  }
  if (!description.isWellFormed()) throw halfCharacters(`the description of ${named}`)
  if (
    description.length > 2 * description_characters_max ||
    [...description].length > description_characters_max
  ) {
    throw new DescriptionRefused(
      `the description of ${named} has more than ${description_characters_max} characters`,
    )
  }
  if (input_schema === undefined) {
    const near = nearest(
      "input_schema",
      Object.keys(entry)
        .slice(0, 20)
        .filter((key) => !keys.includes(key)),
    )
    const remedy = near === undefined ? "" : `; is it what stands under ${shown(near)}?`
    throw new DescriptionRefused(`${named} has no input_schema${remedy}`)
  }
  return { name, description, input_schema: checkSchema(input_schema, named) }
}

function checkSchema(schema: unknown, named: string): Json {
  if (!isObject(schema)) throw new DescriptionRefused(`${named} has an input_schema that is not an object`)
  const bytes = Buffer.byteLength(JSON.stringify(schema))
  if (bytes > schema_bytes_max) {
    throw new DescriptionRefused(
      `the input_schema of ${named} has ${bytes} bytes; at most ${schema_bytes_max} are taken`,
    )
  }
  if (!isWellFormed(schema)) throw halfCharacters(`the input_schema of ${named}`)
  try {
    reduceSchema(schema)
    return schema
  } catch (thrown) {
    if (!(thrown instanceof SchemaRefused)) throw thrown
    throw new DescriptionRefused(`the input_schema of ${named} ${thrown.message}`)
  }
}

/** A half of a surrogate pair, which JSON can hold; providers refuse the whole request for one. */
const halfCharacters = (where: string): DescriptionRefused =>
  new DescriptionRefused(`${where} has half a character in it (a lone surrogate)`)

/** Of at most 64 levels. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  return Object.entries(value).every(([key, part]) => key.isWellFormed() && isWellFormed(part))
}

function checkTools(plugin: string, tools: readonly DescribedTool[]): void {
  const bytes = bytesOf(tools)
  if (bytes > tools_bytes_max) {
    throw new DescriptionRefused(
      `its ${tools.length} tools together have ${bytes} bytes of names, descriptions and schemas; at most ${tools_bytes_max} are taken`,
    )
  }
  checkNames(plugin, tools)
}

/** What a model is told of them. */
export const bytesOf = (tools: readonly DescribedTool[]): number => Buffer.byteLength(JSON.stringify(tools))

function checkNames(plugin: string, tools: readonly DescribedTool[]): void {
  const seen = new Map<string, string>()
  for (const { name } of tools) {
    const called = modelName(plugin, name)
    const other = seen.get(called)
    if (other === name) throw new DescriptionRefused(`it describes two tools by the name ${name}`)
    if (other !== undefined) {
      throw new DescriptionRefused(`its tools ${other} and ${name} would both be called ${called} by models`)
    }
    seen.set(called, name)
  }
}

/** A value of a description, as an error may show it. */
const shown = (value: unknown): string =>
  visible(typeof value === "string" ? value.slice(0, 80) : (JSON.stringify(value) ?? "nothing").slice(0, 80))

const name_characters_max = 64
/** Of a name that is cut, a sum of the whole: two long names that begin alike stay two. */
const sum_characters = 8

/**
 * A tool's name for models: the described one where it is the plugin's own or begins with it and "_" or "-", else with
 * the plugin's in front. Always of `tool_name_pattern`.
 */
export function modelName(plugin: string, tool: string): string {
  const prefix = plugin.replaceAll(/[^A-Za-z0-9_-]/g, "_")
  const is_own = tool === prefix || tool.startsWith(`${prefix}_`) || tool.startsWith(`${prefix}-`)
  const name = is_own ? tool : `${prefix}_${tool}`
  if (name.length <= name_characters_max) return name
  const sum = new Bun.CryptoHasher("sha256").update(name).digest("hex").slice(0, sum_characters)
  return `${name.slice(0, name_characters_max - sum_characters - 1)}_${sum}`
}

/** A tool's other name, for the configuration. */
export const toAlias = (plugin: string, tool: string): string => `${plugin}.${tool}`
