/** The rules of the house that no linter knows. */
import { expect, test } from "bun:test"
import { basename, dirname, join, normalize } from "node:path"
import type { TSchema } from "@sinclair/typebox"
import { fieldsOf, recordOf } from "../src/config/schema-tree.ts"
import { scopes } from "../src/gateway/auth.ts"
import { methods, sections, tools } from "../src/registry.ts"

// A folder may import from itself and from the rows above its own. Peers in one row may not meet.
const ladder = [
  ["base", "client"],
  ["config", "kernel"],
  ["store", "security"],
  ["providers", "tools", "plugins", "skills", "memory"],
  ["agent"],
  ["channels", "services", "mcp"],
  ["gateway", "pod"],
  ["cli", "ui"],
]
/** The files that put it all together; no folder imports them. */
const roots = ["src/main.ts", "src/app.ts", "src/live.ts", "src/registry.ts"]
const lines_max = 300
/** May only shrink: an entry that is no longer needed fails the test. */
const long_files: string[] = []

type Source = { path: string; text: string; imports: string[] }

const folderOf = (path: string) => path.split("/")[1]!
const rankOf = (path: string) => ladder.findIndex((row) => row.includes(folderOf(path)))

const sources: Source[] = await Promise.all(
  [...new Bun.Glob("src/**/*.ts").scanSync(".")]
    .filter((path) => !path.endsWith(".d.ts") && !path.endsWith(".gen.ts"))
    .sort()
    .map(async (path) => {
      const text = await Bun.file(path).text()
      return { path, text, imports: importsOf(path, text) }
    }),
)

/** What a file imports of ours, lazily or as a thread or not, as paths from the top. */
function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/(?:from|import\() ?"(\.[^"]+)"|^import "(\.[^"]+)"/gm)
  const imports = [...found].map(([, from, bare]) => normalize(join(dirname(path), (from ?? bare)!)))
  return [...imports, ...threadsOf(text)]
}

function threadsOf(text: string): string[] {
  return [...text.matchAll(/threadUrl\("([^"]+)"/g)].map(([, path]) => `src/${path}`)
}

const where = (test: (source: Source) => boolean) => sources.filter(test).map(({ path }) => path)
const matching = (pattern: RegExp) => where(({ text }) => pattern.test(text))
const outside = (paths: string[], allowed: RegExp) => paths.filter((path) => !allowed.test(path))

test("every folder has a place on the ladder", () => {
  expect(where(({ path }) => !roots.includes(path) && rankOf(path) === -1)).toEqual([])
})

test("imports go down the ladder and no peers meet", () => {
  const wrong = sources
    .filter(({ path }) => !roots.includes(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter((to) => to.startsWith("src/") && folderOf(to) !== folderOf(path))
        // A page and a bundle are data that are served, wherever they lie.
        .filter((to) => to.endsWith(".ts"))
        .filter((to) => roots.includes(to) || rankOf(to) >= rankOf(path))
        .map((to) => `${path} -> ${to}`),
    )
  expect(wrong).toEqual([])
})

test("only the roots name a provider, a tool or a channel", () => {
  const one =
    /^src\/(providers\/(anthropic|openai|openai-compatible|google|offline)|tools\/(?!tool\.ts|config\.ts)|channels\/(?!channel|config))/
  const wrong = sources.flatMap(({ path, imports }) =>
    imports.filter((to) => one.test(to) && folderOf(to) !== folderOf(path)).map((to) => `${path} -> ${to}`),
  )
  expect(wrong.filter((line) => !line.startsWith("src/registry.ts"))).toEqual([])
})

test("every file is used, so everything is registered", async () => {
  const { exports } = (await Bun.file("package.json").json()) as {
    exports: Record<string, { types?: string }>
  }
  const entries = Object.values(exports).map(({ types }) => types && normalize(types))
  const used = new Set([...sources.flatMap(({ imports }) => imports), ...entries, "src/main.ts"])
  expect(where(({ path }) => !used.has(path))).toEqual([])
})

test("every thread is built into the executable", async () => {
  const built = await Bun.file("scripts/executable.ts").text()
  const threads = sources.flatMap(({ text }) => threadsOf(text))
  // The SDK of programs starts its threads itself.
  expect(threads.length).toBe(matching(/\b(new Worker|setWorkerUrl)\(/).length)
  expect(threads.filter((path) => !built.includes(`"${path}"`))).toEqual([])
})

test("files stay short", () => {
  expect(where(({ text }) => text.split("\n").length > lines_max)).toEqual(long_files)
})

test.each([
  ["bun:sqlite", /^src\/store\//],
  ["bun:ffi", /^src\/kernel\//],
  ["elysia", /^src\/gateway\/server\.ts$/],
  ["citty", /^src\/cli\//],
] as const)("%s stays where it belongs", (library, allowed) => {
  expect(outside(matching(new RegExp(`["']${library}["']`)), allowed)).toEqual([])
})

test("only the edges print", () => {
  const printing = matching(/\bconsole\.|process\.(stdout|stderr|stdin)/)
  expect(outside(printing, /^src\/(cli\/|app\.ts$)/)).toEqual([])
})

test("the environment and the working directory are read at the edges", () => {
  const reading = matching(/process\.(env|cwd)\b/)
  expect(outside(reading, /^src\/(config\/|cli\/|app\.ts$|main\.ts$)/)).toEqual([])
})

test("only the guarded client and its proxy open connections", () => {
  const opening =
    /(?:from|import\() ?["'](node:)?(https?|http2|net|tls|dgram|dns|dns\/promises)["']|\bBun\.(connect|udpSocket|fetch|dns|s3|S3Client|sql|SQL|redis|RedisClient)\b|^import (?!type).* from "bun"|\brequire\(|\bimport\((?!")|new (\w+\.)?(WebSocket|WebSocketStream|EventSource|XMLHttpRequest|WebTransport)\b/m
  // The client of the gateway is given its address by whoever runs it.
  expect(
    outside(
      matching(opening),
      /^src\/(security\/web\/(connect|request|resolve|proxy)|client\/(client|connection))\.ts$/,
    ),
  ).toEqual([])
  // Where it is called by this name it is the guarded one, a parameter or a field of the context; but for the providers,
  // whose addresses only the operator names.
  const calling = matching(/(?<![.\w])fetch\(|\b(globalThis|window|self|global)(\.|\[")fetch|= fetch\b/)
  const guarded = /^src\/(tools\/(web-fetch|search-engines)|agent\/hands|plugins\/host\/http)\.ts$/
  expect(
    outside(calling, /^src\/providers\/(call|ai-sdk)\.ts$/).filter((path) => !guarded.test(path)),
  ).toEqual([])
  const binding =
    /\{ fetch, [^}]*\}(\) \{| = means)|\bfetch: GuardedFetch\b|const fetch = once\(\(\) => openFetch/
  expect(where(({ path, text }) => guarded.test(path) && !binding.test(text))).toEqual([])
})

test("nothing but a runner compiles or runs a plugin's module", () => {
  // The kernel's modules are ours, and committed.
  const own = /^src\/(plugins\/runner\/|kernel\/(vectors\/wasm|micro\/module\.ts$))/
  expect(outside(matching(/\bWebAssembly\.|@wasmer\/sdk/), own)).toEqual([])
})

test("nothing is left for later without an issue, and nothing is swallowed", () => {
  expect(matching(/\b(FIXME|XXX|HACK)\b|TODO(?! #\d)/)).toEqual([])
  expect(matching(/catch\s*(\([^)]*\))?\s*\{\s*\}/)).toEqual([])
  expect(matching(/@ts-ignore|@ts-nocheck|\bas any\b/)).toEqual([])
})

test("secrets are not compared with ===", () => {
  expect(
    matching(
      /(?<!typeof )\b(token|secret|password|api_key) [!=]== (?!undefined|null|true|false|"(string|function)?")/,
    ),
  ).toEqual([])
})

test("what is exported is documented or said by its name", () => {
  const hidden = matching(/^export \* from/m)
  expect(hidden).toEqual([])
  expect(where(({ path }) => basename(path) === "index.ts")).toEqual([])
})

/** The fields below a schema that have no description. */
function undescribed(schema: TSchema, path: string): string[] {
  const record = recordOf(schema)
  if (record) return undescribed(record.values, `${path}.*`)
  if (schema.type === "array") return undescribed(schema.items, `${path}[]`)
  const fields = Object.entries(fieldsOf(schema) ?? {})
  return fields.flatMap(([name, field]) => {
    const own = field.description || field.$ref ? [] : [`${path}.${name}`]
    return [...own, ...undescribed(field, `${path}.${name}`)]
  })
}

test("every field of the configuration has a description", () => {
  expect(sections.flatMap(({ name, schema }) => undescribed(schema, name))).toEqual([])
})

test("every parameter of a tool has a description", () => {
  expect(tools.flatMap(({ name, params }) => undescribed(params, name))).toEqual([])
})

test("methods are named noun.verb and declare a scope, and their parameters admit no unknown one", () => {
  for (const { name, scope, params } of methods) {
    expect(name).toMatch(/^([a-z]+\.[a-z]+|ping|connect|status)$/)
    expect(["none", ...scopes]).toContain(scope)
    for (const variant of params.anyOf ?? [params]) expect(variant.additionalProperties).toBe(false)
  }
})
