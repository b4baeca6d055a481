import { type TSchema, Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { parse, TomlError } from "smol-toml"
import { capability_forms, parseCapability } from "../../config/capability.ts"
import { type Positions, readPositions } from "../../config/positions.ts"
import { type Finding, placed, toConfigError } from "../../config/problem.ts"
import type { Path, Table } from "../../config/schema-tree.ts"
import { type Found, shape } from "../../config/shape.ts"
import type { ModuleLimits } from "../module.ts"
import type { Manifest } from "../plugin.ts"
import { unfilledHoles } from "./args.ts"
import { reduceSchema, SchemaRefused } from "./schema.ts"

/** A manifest has a few hundred bytes; that of a program with schemas some thousands. */
export const manifest_bytes_max = 262_144

export const tool_name_pattern = "^[A-Za-z0-9_-]{1,64}$"
export const tools_max = 64
export const description_characters_max = 2000

const limitsSchema = Type.Object(
  {
    timeout_ms: Type.Integer({ default: 5000, minimum: 10, maximum: 300_000 }),
    memory_pages_max: Type.Integer({ default: 256, minimum: 1, maximum: 16_384 }),
    output_bytes_max: Type.Integer({ default: 1_048_576, minimum: 1, maximum: 8_388_608 }),
  },
  { additionalProperties: false, default: {} },
)

/** Where a manifest says nothing of them, or there is none. */
export const default_limits: Readonly<ModuleLimits> = Value.Default(limitsSchema, {}) as ModuleLimits

const manifestSchema = Type.Object(
  {
    // What the plugin calls itself. Which plugin it is, its grants and its tools' names go by the configuration's name.
    name: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" }),
    version: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}$", default: "0.0.0" }),
    kind: Type.Union([Type.Literal("tool"), Type.Literal("channel")]),
    engine: Type.Union([Type.Literal("reactor"), Type.Literal("wasmer")], { default: "reactor" }),
    capabilities: Type.Array(Type.String(), { default: [], maxItems: 64 }),
    limits: limitsSchema,
    tools: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: tool_name_pattern }),
          description: Type.String({ minLength: 1, maxLength: description_characters_max }),
          input_schema: Type.Unknown({ default: { type: "object", properties: {} } }),
          args: Type.Array(Type.String(), { default: [], maxItems: 256 }),
          stdin: Type.Optional(Type.String({ minLength: 1 })),
        },
        { additionalProperties: false },
      ),
      { default: [], maxItems: tools_max },
    ),
  },
  { additionalProperties: false },
)

/**
 * Reads a manifest; `file` is for the errors. A key that is not known is one of them: it may be a limit that is
 * misspelt. Throws AppError invalid_config with every problem and its place, as `describeProblem` takes them.
 */
export async function readManifest(text: string, file: string): Promise<Manifest> {
  const findings: Finding[] = []
  const found: Found = { problems: findings, warnings: findings, secrets: [], toPath: (written) => written }
  const shaped = shape(manifestSchema as TSchema, parseDocument(text, file), [], found)
  const manifest = shaped?.value as Manifest
  if (findings.length === 0) findings.push(...checkManifest(manifest))
  if (findings.length === 0) return manifest
  const positions: Positions = await readPositions(text)
  const problems = findings.map((finding) => placed(explained(finding), file, positions(finding.path) ?? {}))
  throw toConfigError(problems)
}

function parseDocument(text: string, file: string): Table {
  if (text.length > manifest_bytes_max) {
    const expected = `at most ${manifest_bytes_max} characters`
    throw toConfigError([{ file, key: "", expected, got: `${text.length}` }])
  }
  try {
    const document = parse(text, { maxDepth: 64 })
    // Dates become texts and tables plain objects, as they are once a schema goes to a model.
    return JSON.parse(JSON.stringify(document)) as Table
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown
    const reason = thrown.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "")
    const { line, column } = thrown
    throw toConfigError([{ file, line, column, key: "", expected: "TOML", got: reason }])
  }
}

const reserved_kinds = ["pipeline_stage", "memory_backend", "voice"].map((kind) => JSON.stringify(kind))

/** Nothing of a manifest is ignored, as the configuration's unknown keys are. */
function explained(finding: Finding): Finding {
  const { path, expected, got, hint } = finding
  if (expected === "a known key") {
    return { ...finding, ...(hint && { hint: hint.replace(/^it is ignored; /, "") }) }
  }
  if (path.join() !== "kind" || !reserved_kinds.includes(got ?? "")) return finding
  return { ...finding, hint: `${got} is reserved for a later version of Weft` }
}

/** What no single field shows. */
function* checkManifest({ kind, engine, capabilities, tools }: Manifest): Generator<Finding> {
  for (const [index, text] of capabilities.entries()) {
    if (parseCapability(text)) continue
    yield { path: ["capabilities", index], expected: capability_forms, got: JSON.stringify(text) }
  }
  if (engine === "wasmer" && kind === "channel") {
    const hint = "a channel's adapter exports parse_incoming and format_outgoing, which a program has not"
    yield { path: ["engine"], expected: '"reactor" for a channel', got: '"wasmer"', hint }
  }
  if (engine === "reactor" && tools.length > 0) {
    const hint = 'a reactor says what its tools are by its export describe; engine = "wasmer" is for programs'
    yield { path: ["tools"], expected: "no tools", got: `${tools.length}`, hint }
    return
  }
  for (const [index, tool] of tools.entries()) {
    yield* checkTool(["tools", index], tool)
    if (tools.findIndex(({ name }) => name === tool.name) === index) continue
    const got = JSON.stringify(tool.name)
    yield { path: ["tools", index, "name"], expected: "a name that no other tool has", got }
  }
}

function* checkTool(
  path: Path,
  { input_schema, args, stdin }: Manifest["tools"][number],
): Generator<Finding> {
  const reason = schemaProblem(input_schema)
  if (reason) {
    yield {
      path: [...path, "input_schema"],
      expected: "the JSON schema of an object",
      got: `one that ${reason}`,
    }
    return
  }
  const properties = Object.keys((input_schema.properties ?? {}) as Table)
  const known = properties.length > 0 ? `one of ${properties.slice(0, 20).join(", ")}` : "nothing"
  const expected = `a property of input_schema (${known})`
  if (stdin !== undefined && !properties.includes(stdin)) {
    yield { path: [...path, "stdin"], expected, got: JSON.stringify(stdin) }
  }
  for (const [index, word] of args.entries()) {
    if (word.includes("\0")) {
      yield { path: [...path, "args", index], expected: "a word without a NUL character", got: "one" }
    }
    for (const hole of unfilledHoles(word, properties)) {
      const hint = `write {{${hole}}} for the word {${hole}} itself`
      yield { path: [...path, "args", index], expected, got: `{${hole}}`, hint }
    }
  }
}

/** What is wrong with an input schema, as it reads after "one that "; undefined where it can be checked. */
function schemaProblem(schema: unknown): string | undefined {
  try {
    reduceSchema(schema)
    return undefined
  } catch (thrown) {
    if (thrown instanceof SchemaRefused) return thrown.message
    throw thrown
  }
}
