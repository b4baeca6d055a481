import { dirname } from "node:path"
import { parse, TomlError } from "smol-toml"
import { type Checked, checkConfig, type KnownNames } from "./check.ts"
import { applyOverrides, type Environment, type Flag, type Origins } from "./overrides.ts"
import { absolutePath } from "./paths.ts"
import { type Positions, readPositions } from "./positions.ts"
import { type Finding, type Place, type Problem, placed, toConfigError } from "./problem.ts"
import { keyOf, type Path, type Table } from "./schema-tree.ts"
import { type ReadSecretFile, resolveSecret } from "./secrets.ts"
import type { AnySection, ConfigOf } from "./section.ts"
import { type Found, shape, shapeMissing, unknownSections } from "./shape.ts"

export type ConfigFiles = { readSecretFile: ReadSecretFile; exists(path: string): Promise<boolean> }

export type LoadInput<L extends readonly AnySection[]> = {
  text: string
  /** Where the text is from: relative paths in it start at this file's folder. */
  path: string
  sections: L
  names: KnownNames
  files: ConfigFiles
  env?: Environment
  flags?: readonly Flag[]
}

export type Loaded<L extends readonly AnySection[]> = {
  /** Every default filled in, every secret resolved, every path absolute. Never to be shown. */
  config: ConfigOf<L>
  /** The same for anybody's eyes: references stay references, literal secrets are redacted. */
  shown: ConfigOf<L>
  warnings: Problem[]
}

/**
 * Text in, configuration out: defaults, then the file, then the environment, then flags. Writes nothing and reads
 * only what `files` gives. Throws invalid_config with all problems, each with its place.
 */
export async function loadConfig<L extends readonly AnySection[]>(input: LoadInput<L>): Promise<Loaded<L>> {
  const { text, path, sections, names, files, env = {}, flags = [] } = input
  const document = parseDocument(text, path)
  const { origins, warnings: strangers } = applyOverrides(document, sections, env, flags)
  const toPath = (written: string) => absolutePath(written, dirname(path), env)
  const found: Found = { problems: [], warnings: [], secrets: [], toPath }
  found.warnings.push(
    ...unknownSections(
      document,
      sections.map(({ name }) => name),
    ),
  )

  const config: Table = {}
  const shown: Table = {}
  for (const { name, schema } of sections) {
    const shaped = Object.hasOwn(document, name)
      ? shape(schema, document[name], [name], found)
      : shapeMissing(schema, [name], found)
    if (shaped) [config[name], shown[name]] = [shaped.value, shaped.shown]
  }
  await resolveSecrets(config, found, { config_path: path, env, readSecretFile: files.readSecretFile })
  found.problems.push(...checkConfig(config as Checked, names))
  found.warnings.push(...(await missingPlugins(config as Checked, files)))

  const noteworthy = found.problems.length + found.warnings.length > 0
  const positions: Positions = noteworthy ? await readPositions(text) : () => undefined
  const place = (finding: Finding) => placed(finding, path, placeOf(finding.path, origins, positions))
  if (found.problems.length > 0) throw toConfigError(inOrder(found.problems.map(place)))
  const variables = strangers.map(({ path: [variable], ...rest }) =>
    placed({ path: [], ...rest }, path, { variable: String(variable) }),
  )
  const warnings = [...inOrder(found.warnings.map(place)), ...variables]
  return { config: config as ConfigOf<L>, shown: shown as ConfigOf<L>, warnings }
}

function parseDocument(text: string, file: string): Table {
  try {
    return parse(text, { maxDepth: 64 })
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown
    // The message goes on with the lines around the error, which may hold a secret.
    const reason = thrown.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "")
    const { line, column } = thrown
    throw toConfigError([{ file, line, column, key: "", expected: "TOML", got: reason }])
  }
}

async function resolveSecrets(
  config: Table,
  found: Found,
  sources: Parameters<typeof resolveSecret>[1],
): Promise<void> {
  for (const use of found.secrets) {
    const { value, problem, warning } = await resolveSecret(use, sources)
    if (problem) found.problems.push(problem)
    if (warning) found.warnings.push(warning)
    if (value !== undefined) setAt(config, use.path, value)
  }
}

/** The walk made every table on the way; a part it refused is not there, and the configuration neither. */
function setAt(config: Table, path: Path, value: string): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((node, part) => (node as Table | undefined)?.[part], config)
  if (parent) (parent as Table)[path.at(-1)!] = value
}

async function missingPlugins({ plugins = [] }: Checked, files: ConfigFiles) {
  const found: Finding[] = []
  for (const [index, plugin] of plugins.entries()) {
    if (plugin?.path === undefined) continue
    if (await files.exists(plugin.path)) continue
    const hint = `the plugin ${JSON.stringify(plugin.name)} is left out`
    found.push({
      path: ["plugins", index, "path"],
      expected: "a file",
      got: `nothing at ${plugin.path}`,
      hint,
    })
  }
  return found
}

/** What set the key or something in it; else where the file has it. */
function placeOf(path: Path, origins: Origins, positions: Positions): Place {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(keyOf(path.slice(0, length)))
    if (origin) return origin
  }
  const written = positions(path)
  if (written) return written
  // A table that only variables have made, and that lacks something.
  const parent = `${keyOf(path.slice(0, -1))}.`
  const sibling = [...origins].find(([key]) => key.startsWith(parent))
  return sibling?.[1] ?? {}
}

/** As the file has them, what has no line first; of several about one key only the first. */
function inOrder(problems: Problem[]): Problem[] {
  const first = new Map<string, Problem>()
  for (const problem of problems) if (!first.has(problem.key)) first.set(problem.key, problem)
  return [...first.values()].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
}
