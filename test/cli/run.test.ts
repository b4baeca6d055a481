import { expect, test } from "bun:test"
import { chmod } from "node:fs/promises"
import { join } from "node:path"
import { started, startServer, text } from "../client/server.ts"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { main_path, to, weft } from "./weft.ts"

const version = (await import("../../package.json")).version

test("version prints the version and nothing else", async () => {
  for (const typed of ["version", "--version"]) {
    expect(await weft([typed])).toEqual({ stdout: `weft ${version}\n`, stderr: "", exit: 0 })
  }
  expect(JSON.parse((await weft(["version", "--json"])).stdout)).toMatchObject({ version })
})

test("version loads neither the server nor the store nor a provider", async () => {
  const { stdout } = await weft(["version"], {
    env: { BUN_OPTIONS: `--preload ${import.meta.dir}/loaded.ts` },
  })
  const heavy = /elysia|typebox|@ai-sdk|bun:sqlite|chokidar|smol-toml|src\/(store|gateway|agent|providers)\//
  expect(stdout).toContain(`weft ${version}`)
  expect(stdout.split("\n").filter((line) => heavy.test(line))).toEqual([])
})

test.each([
  [["sesion"], 'There is no command "weft sesion". Did you mean session?'],
  [["session", "lst"], 'There is no command "weft session lst". Did you mean list?'],
  [["session"], '"weft session" needs a command; see --help.'],
  [["constructor"], 'There is no command "weft constructor".'],
  [["status", "--jsn"], '"weft status" has no flag --jsn. Did you mean --json?'],
  [["session", "list", "more"], '"weft session list" takes no further words.'],
  [["session", "show"], "Missing required positional argument: KEY"],
  [["status", "--url"], "--url needs a value."],
  [["status", "--url", "nowhere"], '--url needs an address such as http://127.0.0.1:7200, not "nowhere".'],
  [
    ["status", "--url", "localhost:7200"],
    '--url needs an address such as http://127.0.0.1:7200, not "localhost:7200".',
  ],
  [["gateway", "--port", "http"], "--port needs a number from 0 to 65535."],
  [["completions", "tcsh"], 'There are completions for bash, zsh, fish, not for "tcsh".'],
])("%j is refused with status 2 and what was meant", async (args, message) => {
  expect(await weft(args)).toEqual({ stdout: "", stderr: `weft: ${message}\n`, exit: 2 })
})

test("help of a command is a result, and names its flags", async () => {
  const { stdout, stderr, exit } = await weft(["token", "create", "--help"])
  expect({ stderr, exit }).toEqual({ stderr: "", exit: 0 })
  expect(stdout).toContain("USAGE weft token create")
  expect(stdout).toContain("--days")
  expect(stdout).not.toContain("\u001b")
})

test("a failure says what it is and exits with the status of its error", async () => {
  await using server = startServer()
  const wrong = ["--url", server.url, "--token", "wrong"]
  const { stdout, stderr, exit } = await weft(["status", ...wrong])
  expect({ stdout, exit }).toEqual({ stdout: "", exit: 77 })
  expect(stderr).toStartWith("weft: ")
  const json = await weft(["status", ...wrong, "--json"])
  expect(json.exit).toBe(77)
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "unauthorized", data: { detail: 1 } } })
})

test("status says that no gateway runs, and starts none", async () => {
  const { stderr, exit } = await weft(["status", "--home", "/nonexistent/weft"])
  expect(exit).toBe(69)
  expect(stderr).toContain("weft gateway")
})

test("the token comes from WEFT_TOKEN, too, and flags may stand before the command", async () => {
  await using server = startServer()
  server.methods.set("tool.list", () => ({
    tools: [{ name: "current_time", effect: "none", description: "When." }],
  }))
  const { stdout } = await weft(["--url", server.url, "tool", "list"], { env: { WEFT_TOKEN: "secret" } })
  expect(stdout).toBe("TOOL          EFFECT  WHAT IT DOES\ncurrent_time  none    When.\n")
})

test("tool calls shows the record, what was asked for, and how to go on", async () => {
  await using server = startServer()
  const call = {
    ...{ id: "c2", turn_id: null, session_key: null, agent: "default", tool: "exec", created_ms: 0 },
    targets: [
      { effect: "execute", kind: "program", text: "make \u001b[2Ktest" },
      { effect: "read", kind: "path", text: "Makefile" },
    ],
    ...{ verdict: "allow", decided_by: "alice", outcome: "ok", duration_ms: 7.4, output_bytes: 2 },
  }
  const open = {
    ...call,
    verdict: "deny",
    decided_by: "nobody",
    outcome: null,
    duration_ms: null,
    targets: [],
  }
  server.methods.set("tool.calls", () => ({ calls: [call, open], next: "c1" }))
  const filter = ["--agent", "default", "--session", "a:ws:default:b", "--limit", "2", "--before", "c9"]
  const { stdout } = await weft(["tool", "calls", ...filter, ...to(server)])
  expect(server.seen.at(-1)?.params).toEqual({
    ...{ agent: "default", session_key: "a:ws:default:b", limit: 2, before: "c9" },
  })
  const [head, first, second, hint] = stdout.split("\n")
  expect(head).toMatch(/^WHEN +AGENT +TOOL +DECIDED +ENDED +WHAT$/)
  expect(first).toEndWith("exec  allow: alice  ok, 7 ms   execute make ␛[2Ktest; read Makefile")
  expect(second).toEndWith("exec  deny: nobody  not ended")
  expect(hint).toBe("Older ones: --before c1")
  const json = await weft(["tool", "calls", "--json", ...to(server)])
  expect(JSON.parse(json.stdout)).toEqual({ calls: [call, open], next: "c1" })
})

test("--json prints the result as the gateway gave it", async () => {
  await using server = startServer()
  const result = { groups: [] }
  server.methods.set("usage.get", ({ by }) => ({ ...result, by }))
  const { stdout } = await weft(["usage", "--by", "model", "--json", ...to(server)])
  expect(JSON.parse(stdout)).toEqual({ groups: [], by: "model" })
})

test("export puts the pages of a session together", async () => {
  await using server = startServer()
  const session = { session_key: "a:ws:default:main" }
  server.methods.set("session.export", ({ after }) =>
    after
      ? { session, messages: [{ message_id: "2" }] }
      : { session, messages: [{ message_id: "1" }], next: "1" },
  )
  const { stdout } = await weft(["session", "export", session.session_key, "--json", ...to(server)])
  expect(JSON.parse(stdout)).toEqual({ session, messages: [{ message_id: "1" }, { message_id: "2" }] })
})

test("open prints an address whose secret stays in the fragment", async () => {
  await using server = startServer()
  server.methods.set("token.code", () => ({ code: "c0de", expires_ms: 1 }))
  expect((await weft(["open", ...to(server)])).stdout).toBe(`${server.url}/#code=c0de\n`)
})

test("agent says what -m and standard input hold, and prints the answer as it comes", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id, content }) => {
    server.emit(String(turn_id), started, text("You said "), text(JSON.stringify(content)))
    server.finish(String(turn_id))
  })
  const ran = await weft(["agent", "-m", "sum up:", "--model", "m", "--session", "notes", ...to(server)], {
    stdin: "a\nb\n",
  })
  expect(ran).toEqual({ stdout: 'You said "sum up:\\n\\na\\nb"\n', stderr: "", exit: 0 })
  const sent = server.seen.find(({ method }) => method === "chat.send")
  expect(sent?.params).toMatchObject({ model: "m", peer: "notes" })
  const json = await weft(["agent", "--json", ...to(server)], { stdin: "hi" })
  expect(JSON.parse(json.stdout)).toMatchObject({ text: 'You said "hi"', stop_reason: "end" })
})

test("agent with nothing to say is a mistake of usage", async () => {
  expect(await weft(["agent"])).toMatchObject({ stdout: "", exit: 2 })
})

test("a model that another one answers for is named with what was wrong", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => {
    server.emit(
      String(turn_id),
      started,
      { type: "failover", from: "a", to: "b", reason: "no key" },
      text("B."),
    )
    server.finish(String(turn_id))
  })
  const { stdout, stderr } = await weft(["agent", "-m", "hi", ...to(server)])
  expect({ stdout, stderr }).toEqual({ stdout: "B.\n", stderr: "[a failed (no key), b answers]\n" })
})

test("a turn that fails fails the command", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => {
    server.emit(String(turn_id), started)
    server.finish(String(turn_id), "error", {
      code: -32007,
      message: "No.",
      data: { code: "provider_failed" },
    })
  })
  expect(await weft(["agent", "-m", "hi", ...to(server)])).toMatchObject({ stdout: "", exit: 69 })
})

test("a reader that leaves early is no failure", async () => {
  await using server = startServer()
  const session = { session_key: "x".repeat(1000), message_count: 1, updated_ms: 0, title: null }
  server.methods.set("session.list", () => ({ sessions: Array(1000).fill(session) }))
  const script = `"$0" "$1" session list --url ${server.url} --token secret | head -c 10; echo "\${PIPESTATUS[0]}"`
  const main_path = `${import.meta.dir}/../../src/main.ts`
  const child = Bun.spawn(["bash", "-c", script, process.execPath, main_path], {
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect({ stdout, stderr }).toEqual({ stdout: "SESSION   0\n", stderr: "" })
})

/** What a shell offers for words, the last of which is being typed. */
async function offered(shell: string, words: string[]): Promise<string[]> {
  await using folder = await temporaryFolder()
  const program = join(folder.path, "weft")
  await Bun.write(program, `#!/bin/sh\nexec '${process.execPath}' '${main_path}' "$@"\n`)
  await chmod(program, 0o755)
  const script = `eval "$(weft completions bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _weft; printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { ...process.env, PATH: `${folder.path}:${process.env.PATH}` }
  const child = Bun.spawn([shell, "-c", script, shell, "weft", ...words], { stdout: "pipe", env })
  return (await new Response(child.stdout).text()).trimEnd().split("\n")
}

needs({ command: "bash" })("bash completes commands, flags and values, and evaluates nothing", async () => {
  expect(await offered("bash", ["session", "e"])).toEqual(["export"])
  expect(await offered("bash", ["usage", "--by", "=", "m"])).toEqual(["model"])
  const marker = join(import.meta.dir, "evaluated")
  await offered("bash", ["agent", "-m", `$(touch ${marker})`, "--s"])
  expect(await Bun.file(marker).exists()).toBe(false)
})

test.each(["bash", "zsh", "fish"])("completions for %s are a script that asks weft", async (shell) => {
  const { stdout, exit } = await weft(["completions", shell])
  expect(exit).toBe(0)
  expect(stdout).toContain("weft complete --")
  expect(stdout).not.toContain("eval")
})

test.each([
  [["ses"], ["session"]],
  [["session", "e"], ["export"]],
  [
    ["usage", "--by", ""],
    ["day", "agent", "model", "session"],
  ],
  [["usage", "--b"], ["--by"]],
  [["compl"], ["completions"]],
])("after %j come %j", async (words, expected) => {
  const { stdout } = await weft(["complete", "--", ...words])
  const offered = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(":"))
  expect(offered.map((line) => line.split("\t")[0])).toEqual(expected)
})
