import { expect, test } from "bun:test"
import { join } from "node:path"
import { parse } from "smol-toml"
import { temporaryFolder } from "./temporary-folder.ts"

/** Runs `weft config …` in a process of its own, with this configuration in its home. */
async function run(text: string | undefined, args: string[], env: Record<string, string> = {}) {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "config.toml")
  if (text !== undefined) await Bun.write(path, text)
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "files/command.ts"), ...args], {
    env: { WEFT_HOME: folder.path, NO_COLOR: "1", ...env },
    cwd: folder.path,
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { out: out.replaceAll(path, "PATH"), err: err.replaceAll(path, "PATH"), exit }
}

test("a valid configuration is said to be, and its warnings go beside", async () => {
  expect(await run("", ["check"])).toEqual({ out: "PATH is valid.\n", err: "", exit: 0 })
  expect((await run(undefined, ["check"])).out).toBe("There is no PATH: the defaults are in force.\n")
  expect(await run("[gateway]\nprot = 1\n", ["check"])).toEqual({
    out: "PATH is valid (1 warning).\n",
    err: 'warning: PATH:2:1: gateway.prot: expected a known key; did you mean "port"?\n',
    exit: 0,
  })
})

test("each problem has a line with its place, then comes what to do; the status is 78", async () => {
  const { out, err, exit } = await run("[gateway]\nport = 'x'\n[agent]\nprovider = 'opnai'", ["check"], {
    WEFT_AGENT_MAX_TOKENS: "many",
  })
  expect(out).toBe("")
  expect(exit).toBe(78)
  expect(err).toContain('PATH:2:1: gateway.port: expected an integer from 0 to 65535, got "x"\n')
  expect(err).toContain(
    'PATH:4:1: agent.provider: expected the name of a provider, got "opnai"; did you mean "openai"?\n',
  )
  expect(err).toContain(
    'WEFT_AGENT_MAX_TOKENS: agent.max_tokens: expected an integer of at least 1, got "many"\n',
  )
  expect(err).toContain("Correct them and try again")
})

test("with --json the answer is one value on standard output, valid or not", async () => {
  const good = await run("", ["check", "--json"])
  expect([JSON.parse(good.out), good.exit]).toEqual([
    { valid: true, path: "PATH", problems: [], warnings: [] },
    0,
  ])
  const bad = await run("gateway.port = 'x'", ["check", "--json"])
  expect([JSON.parse(bad.out), bad.exit]).toMatchObject([
    { valid: false, path: "PATH", problems: [{ file: "PATH", line: 1, column: 9, key: "gateway.port" }] },
    78,
  ])
})

test("what is in force is shown as TOML or JSON, without secrets", async () => {
  const text = "[providers.openai]\napi_key = 'canary'\nbase_url = 'http://x'\n[secrets]\nA = { env = 'KEY' }"
  const env = { KEY: "canary", WEFT_GATEWAY_PORT: "1" }
  const shown = await run(text, ["show"], env)
  expect(parse(shown.out)).toMatchObject({
    gateway: { port: 1, auth: "token" },
    providers: { openai: { api_key: "[redacted]", base_url: "http://x" } },
    secrets: { A: { env: "KEY" } },
  })
  expect(shown.err).toContain("providers.openai.api_key")
  const json = await run(text, ["show", "--json"], env)
  expect(JSON.parse(json.out)).toEqual(JSON.parse(JSON.stringify(parse(shown.out))))
  for (const { out, err } of [shown, json]) expect(out + err).not.toContain("canary")
})

test("the path is that of the flag, the variable or the home, and a named one must be there", async () => {
  expect((await run(undefined, ["path"])).out).toBe("PATH\n")
  expect(JSON.parse((await run("", ["path", "--json"])).out)).toMatchObject({ path: "PATH", exists: true })
  expect((await run(undefined, ["path", "--config", "/else.toml"])).out).toBe("/else.toml\n")
  const missing = await run(undefined, ["check", "--config", "none.toml"])
  expect(missing.exit).toBe(78)
  expect(missing.err).toContain("none.toml: expected a file that can be read, got no such file")
})

test("the schema is printed for editors", async () => {
  const { out, exit } = await run(undefined, ["schema"])
  expect(exit).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema" })
})
