/** Plugins as somebody has them who has nothing but the executable. */
import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { startModel, temporaryFolder } from "../harness.ts"
import { looping, make } from "../plugins/made.ts"
import { configFor, run, startWeft } from "./weft.ts"

const manifest = 'name = "echo"\nkind = "tool"\n[limits]\ntimeout_ms = 300\n'

/** Calls the plugin's tool, and says what came back. */
const startCaller = () =>
  startModel(function* ({ messages }) {
    const last = messages.at(-1)!
    if (last.role === "user") yield { tool: "echo", input: {} }
    else yield `It said: ${last.content}`
  })

const config = '[[plugins]]\nname = "echo"\npath = "plugins/echo.wasm"\n'

test("one message without a gateway has the plugin's tool, and a changed file does not until it is loaded", async () => {
  await using folder = await temporaryFolder()
  await using model = startCaller()
  const { path: home } = folder
  const write = async (module: Uint8Array) => {
    await Bun.write(join(home, "plugins/echo.wasm"), module)
    await Bun.write(join(home, "plugins/echo.toml"), manifest)
  }
  await write(make())
  const text = configFor(model, config).replace('model = "scripted"', 'model = "scripted"\ntools = ["echo"]')
  writeFileSync(join(home, "config.toml"), text)
  const weft = async (...args: string[]) => {
    const { out, err, status } = await run([...args, "--home", home])
    return { text: out + err, status }
  }
  expect(await weft("agent", "-m", "go")).toEqual({ text: "It said: one\n", status: 0 })
  await write(make({ answer: { content: "two" } }))
  expect((await weft("plugin", "list")).text).toContain("its code is another one")
  expect((await weft("agent", "-m", "go")).text).toContain('There is no tool "echo"')
  expect(await weft("plugin", "load", "echo", "--sha256", "0".repeat(64))).toMatchObject({ status: 1 })
  expect((await weft("plugin", "load", "echo")).text).toMatch(/^echo is in service\.\n/)
  expect(await weft("agent", "-m", "go")).toEqual({ text: "It said: two\n", status: 0 })
  await write(make({ first: looping }))
  await weft("plugin", "load", "echo")
  expect((await weft("agent", "-m", "go")).text).toMatch(/300 ms|0\.3 s/)
  await weft("plugin", "unload", "echo")
  expect((await weft("plugin", "list")).text).toContain("unloaded")
}, 60_000)

test("a call that runs for ever ends with its turn, and the gateway with a signal", async () => {
  await using folder = await temporaryFolder()
  await using model = startCaller()
  const { path: home } = folder
  await Bun.write(join(home, "plugins/echo.wasm"), make({ first: looping }))
  await Bun.write(join(home, "plugins/echo.toml"), manifest.replace("300", "60000"))
  const text = configFor(model, config).replace('model = "scripted"', 'model = "scripted"\ntools = ["echo"]')
  await using gateway = await startWeft({ home, config: text })
  await using client = await gateway.client()
  expect((await client.call("status")).result).toMatchObject({ plugins: 1 })
  client.send({ jsonrpc: "2.0", id: "chat", method: "chat.send", params: { content: "go" } })
  for (;;) {
    const { params } = await client.read()
    if (params?.type === "tool_use") break
  }
  const { result } = await client.call("chat.abort", { session_key: "default:ws:default:main" })
  expect(result).toBeDefined()
  gateway.kill("SIGTERM")
  expect(await gateway.exited).toBe(0)
}, 60_000)
