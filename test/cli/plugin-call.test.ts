/** `weft plugin call NAME`: a configured plugin, through the gateway and its rules. */
import { expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { plugins_folder } from "../../scripts/plugins.ts"
import { startGateway, temporaryFolder } from "../harness.ts"
import "../plugins/shipped/built.ts"
import { main_path, weft } from "./weft.ts"

const configured = (name: string, capabilities: string[]) =>
  `[[plugins]]\nname = "${name}"\npath = ${JSON.stringify(join(plugins_folder, `${name}.wasm`))}\ncapabilities = ${JSON.stringify(capabilities)}\n`

test("a configured plugin is called by its name, and what a call from here lacks is said", async () => {
  await using gateway = await startGateway({
    config: [
      configured("echo", []),
      configured("notes", ["store:notes"]),
      configured("http-json", ["http:127.0.0.1:9"]),
      '[agent]\ntools = ["echo", "notes", "http-json"]\n',
    ].join("\n"),
    log_level: "error",
  })
  const call = (...args: string[]) =>
    weft(["plugin", "call", ...args, "--url", gateway.url, "--token", gateway.token])
  expect(await call("echo", "echo", '{"text":"hi"}')).toEqual({ stdout: "hi\n", stderr: "", exit: 0 })
  expect(await call("notes", "list")).toMatchObject({
    exit: 1,
    stderr: "Without --session a call from here has no store:notes; weft session list has the keys.\n",
  })
  const asked = await call("http-json", "get", '{"url":"http://127.0.0.1:9/"}')
  expect(asked.exit).toBe(1)
  expect(asked.stderr).toContain('"ask" under [agent.permissions]')
  expect((await call("notes", "gone")).stderr).toContain("tools: notes_add")
  await weft(["plugin", "unload", "echo", "--url", gateway.url, "--token", gateway.token])
  const unloaded = await call("echo", "echo", '{"text":"hi"}')
  expect(unloaded.exit).toBe(1)
  expect(unloaded.stderr).toContain("it was taken out of service")
}, 60_000)

test("a call in a conversation has the stores of that one, and of no other", async () => {
  await using gateway = await startGateway({
    config: `${configured("notes", ["store:notes"])}[agent]\ntools = ["notes"]\n[[agents]]\nid = "other"\n`,
    log_level: "error",
  })
  const to = ["--url", gateway.url, "--token", gateway.token]
  for (const peer of ["ann", "ben"]) await weft(["agent", "-m", "Hello", "--session", peer, ...to])
  const call = (peer: string, tool: string, input: object, ...more: string[]) => {
    const key = `default:ws:default:${peer}`
    return weft(["plugin", "call", "notes", tool, JSON.stringify(input), "--session", key, ...more, ...to])
  }
  expect(await call("ann", "add", { text: "Buy milk" })).toMatchObject({ exit: 0, stderr: "" })
  expect((await call("ann", "list", {})).stdout).toContain("Buy milk")
  expect((await call("ben", "list", {})).stdout).not.toContain("milk")
  expect(await call("nobody", "list", {})).toMatchObject({ exit: 1, stdout: "" })
  expect(await call("ann", "list", {}, "--agent", "other")).toMatchObject({ exit: 2, stdout: "" })
}, 60_000)

test("a folder does not hide the plugin of its name", async () => {
  await using folder = await temporaryFolder()
  mkdirSync(join(folder.path, "echo"))
  await using gateway = await startGateway({
    config: `${configured("echo", [])}[agent]\ntools = ["echo"]\n`,
    log_level: "error",
  })
  const to = ["--url", gateway.url, "--token", gateway.token]
  const command = [
    process.execPath,
    resolve(main_path),
    "plugin",
    "call",
    "echo",
    "echo",
    '{"text":"hi"}',
    ...to,
  ]
  const child = Bun.spawn(command, { cwd: folder.path, stdout: "pipe", stderr: "inherit" })
  expect(await new Response(child.stdout).text()).toBe("hi\n")
})
