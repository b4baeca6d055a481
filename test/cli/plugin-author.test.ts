import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { userInfo } from "node:os"
import { join, resolve } from "node:path"
import { plugins_folder } from "../../scripts/plugins.ts"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import "../plugins/shipped/built.ts"
import { weft } from "./weft.ts"

const shipped = (name: string) => join(plugins_folder, `${name}.wasm`)

/** With the compiler of this checkout, so that none is fetched. */
async function openWorkshop() {
  const folder = await temporaryFolder()
  symlinkSync(resolve("node_modules"), join(folder.path, "node_modules"))
  const at = (name: string) => join(folder.path, name)
  return { at, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

/** Where rustup keeps its compilers, for children whose home is not the user's. */
const env = {
  RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(userInfo().homedir, ".rustup"),
  CARGO_HOME: process.env.CARGO_HOME ?? join(userInfo().homedir, ".cargo"),
}

/** As its author does it, from nothing to a call. */
async function makes(language: string, kind: string) {
  await using shop = await openWorkshop()
  const folder = shop.at("mine")
  const made = await weft([
    "plugin",
    "new",
    "mine",
    "--language",
    language,
    "--kind",
    kind,
    "--folder",
    folder,
  ])
  expect(made).toMatchObject({ exit: 0, stderr: "" })
  const built = await weft(["plugin", "build", folder, "--json"], { env })
  expect(built.stderr).toBe("")
  const report = JSON.parse(built.stdout)
  expect(report).toMatchObject({
    ok: true,
    name: "mine",
    version: "0.1.0",
    kind,
    engine: "reactor",
    asks: [],
  })
  expect(report.bytes).toBeLessThan(60_000)
  if (kind === "channel") return expect(report.channel).toBe("mine")
  const called = await weft(["plugin", "call", join(folder, "mine.wasm"), "mine", '{"text":"hello"}'])
  expect(called).toMatchObject({ exit: 0, stderr: "" })
  expect(called.stdout).toMatch(/^"hello" has 5 (characters|bytes)\.\n$/)
  const empty = await weft(["plugin", "call", join(folder, "mine.wasm"), "mine", '{"text":""}', "--json"])
  expect(empty.exit).toBe(1)
  expect(JSON.parse(empty.stdout)).toEqual({ content: "The text is empty.", is_error: true })
}

for (const kind of ["tool", "channel"]) {
  test(
    `what new writes in AssemblyScript builds and works: a ${kind}`,
    () => makes("assemblyscript", kind),
    60_000,
  )
  needs({ wasi: "c" })(`what new writes in C builds and works: a ${kind}`, () => makes("c", kind), 60_000)
  needs({ wasi: "rust" })(
    `what new writes in Rust builds and works: a ${kind}`,
    () => makes("rust", kind),
    60_000,
  )
}

needs({ file: "dist/weft" })(
  "the executable has all that new writes in it, and is the Bun that compiles it",
  async () => {
    await using shop = await openWorkshop()
    const run = (...args: string[]) =>
      Bun.spawnSync([resolve("dist/weft"), "plugin", ...args], { stdout: "pipe", stderr: "pipe" })
    for (const language of ["assemblyscript", "c", "rust"]) {
      const [by_executable, by_sources] = [shop.at(`${language}-1`), shop.at(`${language}-2`)]
      run("new", "mine", "--language", language, "--folder", by_executable)
      await weft(["plugin", "new", "mine", "--language", language, "--folder", by_sources])
      const files = readdirSync(by_sources).sort()
      expect(readdirSync(by_executable).sort()).toEqual(files)
      for (const name of files) {
        expect(readFileSync(join(by_executable, name), "utf8")).toBe(
          readFileSync(join(by_sources, name), "utf8"),
        )
      }
    }
    const built = run("build", shop.at("assemblyscript-1"))
    expect(`${built.stderr}${built.stdout}`).toEndWith("It can be a plugin.\n")
  },
  60_000,
)

test("new overwrites nothing, and takes names that tools may have", async () => {
  await using shop = await openWorkshop()
  const folder = shop.at("mine")
  await weft(["plugin", "new", "mine", "--folder", folder])
  const before = readFileSync(join(folder, "mine.ts"), "utf8")
  const again = await weft(["plugin", "new", "mine", "--folder", folder])
  expect(again.exit).toBe(2)
  expect(again.stderr).toContain("mine.ts is there already; nothing was written.")
  expect(readFileSync(join(folder, "mine.ts"), "utf8")).toBe(before)
  for (const name of ["../up", "a b", "-x", "weft", ""]) {
    expect((await weft(["plugin", "new", "--folder", shop.at("no"), "--", name])).exit).toBe(2)
  }
  expect((await weft(["plugin", "new", "x", "--language", "cobol"])).stderr).toContain(
    "assemblyscript, c, rust",
  )
  expect((await weft(["plugin", "new", "x", "--kind", "pet"])).stderr).toContain("tool, channel")
  expect(existsSync(shop.at("no"))).toBe(false)
})

test("a source that does not compile leaves no module, and the compiler's words are shown", async () => {
  await using shop = await openWorkshop()
  await weft(["plugin", "new", "mine", "--folder", shop.at("mine")])
  await Bun.write(shop.at("mine/mine.ts"), "export function describe(): u64 { return missing() }")
  const built = await weft(["plugin", "build", shop.at("mine")])
  expect(built.exit).toBe(1)
  expect(built.stderr).toContain("Cannot find name 'missing'")
  expect(existsSync(shop.at("mine/mine.wasm"))).toBe(false)
}, 60_000)

test("a folder without a manifest or a source says what is looked for", async () => {
  await using shop = await openWorkshop()
  await Bun.write(shop.at("empty/readme"), "")
  expect((await weft(["plugin", "build", shop.at("empty")])).stderr).toContain("one manifest, NAME.toml")
  await Bun.write(shop.at("empty/mine.toml"), 'name = "mine"\nkind = "tool"\n')
  expect((await weft(["plugin", "build", shop.at("empty")])).stderr).toContain(
    "mine.ts, mine.c, mine.rs or Cargo.toml",
  )
})

test("without a toolchain it is said what to install", async () => {
  await using shop = await openWorkshop()
  for (const [language, word] of [
    ["c", "wasi-libc"],
    ["rust", "rustup target add wasm32-wasip1"],
  ] as const) {
    await weft(["plugin", "new", "mine", "--language", language, "--folder", shop.at(language)])
    const built = await weft(["plugin", "build", shop.at(language)], { env: { PATH: shop.at("nothing") } })
    expect(built.exit).toBe(1)
    expect(built.stderr).toContain(word)
  }
})

test("a compiler that cannot be fetched is what is missing", async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  await weft(["plugin", "new", "mine", "--folder", at("mine")])
  // A port that nobody listens on, and nothing that was fetched before.
  const env = {
    NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/",
    TMPDIR: at(""),
    BUN_INSTALL_CACHE_DIR: at("cache"),
  }
  const built = await weft(["plugin", "build", at("mine")], { env })
  expect(built.exit).toBe(1)
  expect(built.stderr).toContain("npm install -D assemblyscript@")
}, 60_000)

test("check says what a module is and asks for", async () => {
  const { stdout, exit } = await weft(["plugin", "check", shipped("notes")])
  expect(exit).toBe(0)
  for (const line of [
    /^kind +tool$/m,
    /^asks for +store:notes$/m,
    /^ {2}notes_add\(text\) /m,
    /^It can be a plugin\.$/m,
  ]) {
    expect(stdout).toMatch(line)
  }
  const program = JSON.parse((await weft(["plugin", "check", shipped("wordfreq"), "--json"])).stdout)
  expect(program).toMatchObject({ ok: true, engine: "wasmer", tools: [{ name: "wordfreq" }] })
  expect(program.sha256).toBe(
    new Bun.CryptoHasher("sha256").update(readFileSync(shipped("wordfreq"))).digest("hex"),
  )
})

test("what cannot be a plugin is refused with the reason", async () => {
  await using shop = await openWorkshop()
  await Bun.write(shop.at("bad.wasm"), "no module")
  const text = await weft(["plugin", "check", shop.at("bad.wasm")])
  expect(text.exit).toBe(1)
  expect(text.stdout).toContain("Refused: it is not a WebAssembly module")
  await Bun.write(shop.at("worse.wasm"), Bun.file(shipped("echo")))
  await Bun.write(shop.at("worse.toml"), 'name = "worse"\nkind = "channel"\n')
  const report = JSON.parse((await weft(["plugin", "check", shop.at("worse.wasm"), "--json"])).stdout)
  expect(report.ok).toBe(false)
  expect(report.reason).toContain("parse_incoming")
  expect((await weft(["plugin", "check", shop.at("none.wasm")])).exit).toBe(1)
  const folder = await weft(["plugin", "check", shop.at("")])
  expect(folder.exit).toBe(1)
  expect(folder.stderr).toContain("is not a file")
  const called = await weft(["plugin", "call", shop.at("bad.wasm"), "bad"])
  expect(called.exit).toBe(1)
  expect(called.stderr).toContain("cannot be taken into service")
})

test("a call of a file has what is granted on the command line, and its refusals are told", async () => {
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.json({ a: [1, 2] }),
  })
  const place = `127.0.0.1:${server.port}`
  const input = JSON.stringify({ url: `http://${place}/`, pointer: "/a/1" })
  const call = (...grants: string[]) =>
    weft(["plugin", "call", shipped("http-json"), "get", input, ...grants])
  expect(await call("--grant", "store:x", `--grant=http:${place}`)).toEqual({
    stdout: "2\n",
    stderr: "",
    exit: 0,
  })
  const refused = await call()
  expect(refused.exit).toBe(1)
  expect(refused.stderr).toContain("http_fetch is refused: no grant covers")
  const plain = ["get", '{"url":"http://example.com/"}', "--grant", "http:example.com"]
  const insecure = await weft(["plugin", "call", shipped("http-json"), ...plain])
  expect(insecure.stderr).toContain("one without a port is for https only")
  expect((await call("--grant", "http")).stderr).toContain("is no grant; one is")
  expect((await call("--grant", "secret:NOT_THERE")).stderr).toContain("NOT_THERE")
  const strange = await call("--grant", `http:${place}`, "--grant", "secret:NOT_THERE@a.test")
  expect(strange.stderr).toContain("a.test")
  expect(strange.stderr).toContain("http:")
  expect((await call("--grant", "fs:not/there:ro")).stderr).toContain("a folder that is not there")
})

test("an adapter is called with what a platform sends, whatever that is", async () => {
  const call = (name: string, input: string) => weft(["plugin", "call", shipped("mock-channel"), name, input])
  const came = await call("parse_incoming", '{"text":"hi","from":"ann"}')
  expect(JSON.parse(came.stdout)).toMatchObject({ type: "message", peer: "ann", reply: { chat: "ann" } })
  const left = await call("format_outgoing", '{"content":"hello","reply":{"chat":"ann"}}')
  expect(JSON.parse(left.stdout)).toEqual({ type: "bytes", bytes: '{"chat":"ann","text":"hello"}' })
  const refused = await call("parse_incoming", "no JSON")
  expect(refused.exit).toBe(1)
  expect(refused.stdout).toContain("no JSON object")
  expect((await call("describe", "{}")).stderr).toContain("parse_incoming format_outgoing")
})

test("the input comes from the line, a file or standard input, and is held to the schema", async () => {
  await using shop = await openWorkshop()
  const echo = (input: string, stdin = "") =>
    weft(["plugin", "call", shipped("echo"), "echo", input], { stdin })
  await Bun.write(shop.at("in.json"), '{"text":"from a file"}')
  expect((await echo(`@${shop.at("in.json")}`)).stdout).toBe("from a file\n")
  expect((await echo("-", '{"text":"piped"}')).stdout).toBe("piped\n")
  expect((await echo("@not/there.json")).stderr).toContain("There is no file not/there.json.")
  expect((await echo("{")).stderr).toContain("The input is no JSON")
  expect((await echo('{"txt":1}')).stderr).toContain("the property text")
  expect((await weft(["plugin", "call", shipped("echo"), "shout"])).stderr).toContain("tools: echo")
})

const talks = `#include <stdio.h>
#include "weft.h"
WEFT_EXPORT(describe) uint64_t describe(void) {
  return weft_return(weft_text("{\\"name\\": \\"mine\\", \\"description\\": \\"d\\", \\"input_schema\\": {\\"type\\": \\"object\\"}}"));
}
WEFT_EXPORT(handle_tool_call) uint64_t handle_tool_call(const char *at, size_t length) {
  (void)at, (void)length;
  printf("on standard output\\n");
  fprintf(stderr, "on standard error\\n");
  return weft_done(weft_text("done"));
}
`

needs({ wasi: "c" })(
  "what a plugin writes besides its answer is shown to whoever tries it out",
  async () => {
    await using shop = await openWorkshop()
    await weft(["plugin", "new", "mine", "--language", "c", "--folder", shop.at("mine")])
    await Bun.write(shop.at("mine/mine.c"), talks)
    expect(await weft(["plugin", "build", shop.at("mine")])).toMatchObject({ stderr: "", exit: 0 })
    expect(await weft(["plugin", "call", shop.at("mine/mine.wasm"), "mine"])).toEqual({
      stdout: "done\n",
      stderr: "on standard output\non standard error\n",
      exit: 0,
    })
  },
  60_000,
)
