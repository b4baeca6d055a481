/** The files that `weft plugin new` writes beside a source, held to what JSON is. */
import { afterAll, expect, test } from "bun:test"
import { cpSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import fc from "fast-check"
import { compile } from "../../../src/cli/plugin/compile.ts"
import type { Module } from "../../../src/plugins/module.ts"
import { openPool } from "../../../src/plugins/pool/pool.ts"
import { prepare } from "../../../src/plugins/wasm/prepare.ts"
import { temporaryFolder } from "../../harness.ts"
import { lacksWasi, needs } from "../../needs.ts"

/** Each says a JSON value back as it understood it, or "invalid"; the one in C the text in the field "a". */
const sources = {
  assemblyscript: `
    import { Json, readText, writeText } from "./weft"
    export { weft_alloc } from "./weft"
    export function describe(): u64 { return 0 }
    export function format_outgoing(at: usize, length: i32): u64 { return 0 }
    export function parse_incoming(at: usize, length: i32): u64 {
      const value = Json.parse(readText(at, length))
      return value.exists ? value.write() : writeText("invalid")
    }`,
  rust: `
    mod weft;
    weft::export_channel!("", parse, |_| vec![]);
    fn parse(bytes: &[u8]) -> weft::Json {
      weft::Json::parse(&String::from_utf8_lossy(bytes)).unwrap_or(weft::Json::Number("invalid".into()))
    }`,
  c: `
    #include "weft.h"
    WEFT_EXPORT(describe) uint64_t describe(void) { return 0; }
    WEFT_EXPORT(format_outgoing) uint64_t format_outgoing(const char *at, size_t length) { return (void)at, length; }
    WEFT_EXPORT(parse_incoming) uint64_t parse_incoming(const char *at, size_t length) {
      weft_text_t text = weft_string(weft_get((weft_text_t){at, length}, "a"));
      if (text.at == NULL) return weft_return(weft_text("invalid"));
      weft_out_t out = {0};
      weft_put_json(&out, text);
      return weft_return((weft_text_t){out.at, out.length});
    }`,
} as const

type Language = keyof typeof sources
const files: Record<Language, [string, string]> = {
  assemblyscript: ["in.ts", "weft.ts"],
  rust: ["in.rs", "weft.rs"],
  c: ["in.c", "weft.h"],
}
const languages = (Object.keys(sources) as Language[]).filter((language) => !lacksWasi(language))

const pool = openPool({ processes_max: 3, idle_ms: 60_000 })
const modules = new Map(
  await Promise.all(languages.map(async (language) => [language, await build(language)] as const)),
)
afterAll(() => pool[Symbol.asyncDispose]())

async function build(language: Language): Promise<Module> {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  const [source, sdk] = files[language]
  symlinkSync(resolve("node_modules"), at("node_modules"))
  cpSync(join("plugins/sdk", sdk), at(sdk))
  await Bun.write(at(source), sources[language])
  const compiled = await compile({ path: at(source), engine: "reactor", outfile: at("out.wasm") })
  expect(compiled).toEqual({ ok: true })
  const limits = { timeout_ms: 5000, memory_pages_max: 64, output_bytes_max: 1 << 20 }
  const bytes = prepare(await Bun.file(at("out.wasm")).bytes(), { engine: "reactor", memory_pages_max: 64 })
  return { plugin: language, engine: "reactor", sha256: language, limits, read: async () => bytes }
}

async function says(language: Language, payload: string | Uint8Array): Promise<string> {
  const { output } = await pool.call(modules.get(language)!, {
    function: "parse_incoming",
    input: Buffer.from(payload),
    env: {},
    host: () => Promise.resolve({ error: "denied" }),
    signal: AbortSignal.timeout(30_000),
  })
  return new TextDecoder("utf-8", { fatal: true }).decode(output)
}

/** What is not well-formed cannot be sent: half a surrogate pair is U+FFFD on the other side. */
const wellFormed = (_: string, value: unknown) => (typeof value === "string" ? value.toWellFormed() : value)

/** As JSON.parse takes it, or "invalid". */
function understood(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), wellFormed)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return "invalid"
    throw thrown
  }
}

const keys = fc.constantFrom("a", "b", "", 'q"', "\\", "ä\n")
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -0.5, 1e-7, 1.5e300, 9007199254740991),
    fc.string({ unit: "binary" }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(keys, tie("value"), { noNullPrototype: true }),
  ),
}))

/** JSON with something done to it. */
const broken = fc
  .tuple(
    value,
    fc.nat(),
    fc.nat(3),
    fc.constantFrom(
      "",
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "0",
      "-",
      ".",
      "e",
      "u",
      " ",
      "\u0001",
      "tru",
    ),
  )
  .map(([value, at, gone, put]) => {
    const text = JSON.stringify(value, wellFormed)
    const start = at % (text.length + 1)
    return (text.slice(0, start) + put + text.slice(start + gone)).toWellFormed()
  })

for (const language of ["assemblyscript", "rust"] as const) {
  const tests = language === "rust" ? needs({ wasi: "rust" }) : test
  tests(`JSON is what JSON.parse takes for it, in ${language}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          value.map((one) => JSON.stringify(one, null, 1)),
          broken,
        ),
        async (text) => {
          const said = await says(language, text)
          expect(said === "invalid" ? said : understood(said)).toBe(understood(text))
        },
      ),
      { numRuns: 1000 },
    )
  })

  tests(`numbers keep their digits, and nesting has an end, in ${language}`, async () => {
    expect(await says(language, "[1.0,9007199254740993,-0,1E400]")).toBe("[1.0,9007199254740993,-0,1E400]")
    expect(await says(language, "[".repeat(90) + "]".repeat(90))).toBe("[".repeat(90) + "]".repeat(90))
    expect(await says(language, "[".repeat(200_000))).toBe("invalid")
  })
}

needs({ wasi: "c" })("a field's text is what JSON.parse takes for it, in c", async () => {
  await fc.assert(
    fc.asyncProperty(value, fc.string({ unit: "binary" }), value, async (before, text, after) => {
      const object = JSON.stringify({ b: before, a: text, c: { a: after } }, null, 1)
      expect(JSON.parse(await says("c", object))).toBe(text.toWellFormed())
    }),
    { numRuns: 500 },
  )
})

test.each(languages)("no bytes have anything read that is not there, in %s", async (language) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    broken.map((text) => new Uint8Array(Buffer.from(text))),
    // What is cut off right before its end is where one reads too far.
    fc.tuple(value, fc.nat()).map(([one, at]) => {
      const whole = Buffer.from(JSON.stringify({ a: one }))
      return new Uint8Array(whole.subarray(0, at % (whole.length + 1)))
    }),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (payload) => {
      const said = await says(language, payload)
      expect(said === "invalid" || understood(said) !== "invalid").toBe(true)
    }),
    { numRuns: 1000 },
  )
})
