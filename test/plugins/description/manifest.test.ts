import { expect, test } from "bun:test"
import fc from "fast-check"
import { stringify } from "smol-toml"
import { AppError } from "../../../src/base/errors.ts"
import { describeProblem, type Problem } from "../../../src/config/problem.ts"
import { default_limits, readManifest } from "../../../src/plugins/description/manifest.ts"

const least = 'name = "echo"\nkind = "tool"\n'
const program = `${least}engine = "wasmer"\n`
const tool = `${program}[[tools]]
name = "count"
description = "Counts."
`

async function problems(text: string): Promise<string[]> {
  try {
    await readManifest(text, "echo.toml")
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError)
    const { code, data } = thrown as AppError
    expect(code).toBe("invalid_config")
    return (data.problems as Problem[]).map(describeProblem)
  }
  throw new Error("it was taken")
}

test("what is not written is filled in", async () => {
  expect(await readManifest(least, "echo.toml")).toEqual({
    name: "echo",
    version: "0.0.0",
    kind: "tool",
    engine: "reactor",
    capabilities: [],
    limits: { timeout_ms: 5000, memory_pages_max: 256, output_bytes_max: 1_048_576 },
    tools: [],
  })
})

test("where there is no manifest, the limits are those of one that says nothing of them", async () => {
  const { limits } = await readManifest(least, "echo.toml")
  expect(limits).toEqual(default_limits)
})

test("everything that is written arrives", async () => {
  const manifest = {
    name: "grep",
    version: "1.2.3-rc.1+build",
    kind: "tool" as const,
    engine: "wasmer" as const,
    capabilities: ["fs:data:ro", "env:LANG"],
    limits: { timeout_ms: 10, memory_pages_max: 16_384, output_bytes_max: 8_388_608 },
    tools: [
      {
        name: "grep",
        description: "Finds lines.",
        input_schema: { type: "object", properties: { pattern: { type: "string" }, text: {} } },
        args: ["-e", "{pattern}"],
        stdin: "text",
      },
    ],
  }
  expect(await readManifest(stringify(manifest), "grep.toml")).toEqual(manifest)
})

test("a limit may stand alone", async () => {
  const { limits } = await readManifest(`${least}[limits]\ntimeout_ms = 20`, "echo.toml")
  expect(limits).toEqual({ timeout_ms: 20, memory_pages_max: 256, output_bytes_max: 1_048_576 })
})

test("a tool without a schema takes nothing", async () => {
  const { tools } = await readManifest(tool, "echo.toml")
  expect(tools[0]).toMatchObject({ input_schema: { type: "object", properties: {} }, args: [] })
})

test.each([
  ["", ["echo.toml: name: expected a text that matches", "echo.toml: kind: expected"]],
  ['name = "a b"\nkind = "tool"', ["echo.toml:1:1: name: expected a text that matches"]],
  [`${least}kind = "tool"`, ["echo.toml:3:1: expected TOML, got"]],
  [`${least}engine = "native"`, ['echo.toml:3:1: engine: expected "reactor" or "wasmer", got "native"']],
  [
    'name = "echo"\nkind = "voice"',
    ['echo.toml:2:1: kind: expected "tool" or "channel", got "voice"; "voice" is reserved'],
  ],
  ['name = "echo"\nkind = "memory_backend"', ['"memory_backend" is reserved for a later version']],
  ['name = "echo"\nkind = "pipeline_stage"', ['"pipeline_stage" is reserved for a later version']],
  ['name = "echo"\nkind = "skill"', ['echo.toml:2:1: kind: expected "tool" or "channel", got "skill"']],
  [
    `${least}[limits]\ntimout_ms = 1`,
    ['echo.toml:4:1: limits.timout_ms: expected a known key; did you mean "timeout_ms"?'],
  ],
  [`${least}wishes = []`, ["echo.toml:3:1: wishes: expected a known key; known here: name, version"]],
  [
    `${least}[limits]\ntimeout_ms = 9`,
    ["echo.toml:4:1: limits.timeout_ms: expected an integer from 10 to 300000, got 9"],
  ],
  [`${least}[limits]\nmemory_pages_max = 16385`, ["expected an integer from 1 to 16384, got 16385"]],
  [`${least}[limits]\noutput_bytes_max = 8388609`, ["expected an integer from 1 to 8388608"]],
  [`${least}[limits]\ntimeout_ms = inf`, ["limits.timeout_ms: expected an integer"]],
  [
    `${least}capabilities = ["net:*"]`,
    ["echo.toml:3:17: capabilities[0]: expected http:<host>", 'got "net:*"'],
  ],
  [`${least}capabilities = "http:a.example"`, ["echo.toml:3:1: capabilities: expected a list"]],
  [
    `${tool.replace("wasmer", "reactor")}`,
    ["echo.toml:4:3: tools: expected no tools, got 1; a reactor says"],
  ],
  [`${program.replace('"tool"', '"channel"')}`, ['echo.toml:3:1: engine: expected "reactor" for a channel']],
  [
    `${tool}${tool.slice(program.length)}`,
    ['echo.toml:8:1: tools[1].name: expected a name that no other tool has, got "count"'],
  ],
  [
    `${program}[[tools]]\nname = "a.b"\ndescription = "x"`,
    ["echo.toml:5:1: tools[0].name: expected a text that matches"],
  ],
  [
    `${program}[[tools]]\nname = "a"`,
    ["echo.toml:4:3: tools[0].description: expected a text that is not empty, got nothing"],
  ],
  [
    `${tool}input_schema = { type = "string" }`,
    [
      "tools[0].input_schema: expected the JSON schema of an object, got one that is not the schema of an object",
    ],
  ],
  [`${tool}input_schema = 3`, ["tools[0].input_schema: expected the JSON schema of an object"]],
  [
    `${tool}input_schema = { type = "object", properties = { a = {} } }\nargs = ["-n", "{b}"]`,
    [
      "echo.toml:8:15: tools[0].args[1]: expected a property of input_schema (one of a), got {b}; write {{b}} for",
    ],
  ],
  [`${tool}args = ["a\\u0000"]`, ["tools[0].args[0]: expected a word without a NUL character"]],
  [`${tool}stdin = "text"`, ["tools[0].stdin: expected a property of input_schema (nothing), got"]],
  [`${tool}shell = "sh"`, ["tools[0].shell: expected a known key"]],
])("%j is refused with its place", async (text, expected) => {
  const found = (await problems(text)).join("\n")
  for (const part of expected) expect(found).toContain(part)
})

test("a manifest of a megabyte is not read", async () => {
  expect(await problems(`${least}#${"x".repeat(1_048_576)}`)).toEqual([
    expect.stringContaining("expected at most 262144 characters"),
  ])
})

test("what would become a prototype is a key that is not known", async () => {
  expect(await problems(`${least}[__proto__]\nengine = "wasmer"`)).toEqual([
    expect.stringContaining("__proto__: expected a known key"),
  ])
})

test("any text is a manifest or refused with its place", async () => {
  const line = fc.constantFrom(
    'name = "a"',
    'kind = "tool"',
    "[limits]",
    "timeout_ms = 3",
    "[[tools]]",
    "x.y = [",
  )
  const text = fc.array(fc.oneof(line, fc.string()), { maxLength: 8 }).map((lines) => lines.join("\n"))
  await fc.assert(
    fc.asyncProperty(text, async (written) => {
      const read = await readManifest(written, "a.toml").catch((thrown: unknown) => thrown)
      if (read instanceof Error) expect(read).toMatchObject({ code: "invalid_config" })
    }),
  )
})
