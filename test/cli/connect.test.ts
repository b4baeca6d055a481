import { expect, test } from "bun:test"
import { join } from "node:path"
import { AppError } from "../../src/base/errors.ts"
import { openGateway } from "../../src/cli/connect.ts"
import { startGateway, startModel, temporaryFolder } from "../harness.ts"
import { main_path, weft } from "./weft.ts"

test("a command finds the gateway that runs on its home, and its token", async () => {
  await using gateway = await startGateway()
  const { stdout, exit } = await weft(["status", "--json", "--home", gateway.home])
  expect(exit).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ url: gateway.url, providers: [{ id: "offline" }] })
})

test("where none runs a command has one of its own, and leaves nothing running", async () => {
  await using home = await temporaryFolder()
  const at = ["--home", home.path]
  const { stdout, stderr, exit } = await weft(["agent", "-m", "hello", ...at])
  expect({ stderr, exit }).toEqual({ stderr: "", exit: 0 })
  expect(stdout).toContain('"hello"')
  expect(await Bun.file(join(home.path, "gateway.json")).exists()).toBe(false)
  const shown = await weft(["session", "show", "default:ws:default:main", ...at])
  expect(shown.stdout).toContain("hello")
  const found = await weft(["session", "search", "hello", "--json", ...at])
  expect(JSON.parse(found.stdout).hits.length).toBeGreaterThan(0)
})

test("a gateway.json that a crash left, and half of one, are not believed", async () => {
  await using home = await temporaryFolder()
  const file = join(home.path, "gateway.json")
  const dead = Bun.spawnSync(["true"]).pid
  for (const text of [
    `{"pid":${dead},"url":"http://127.0.0.1:9"}`,
    `{"pid":${process.pid},"url":"http://127.0.0.1:9"}`,
    '{"pi',
    "null",
  ]) {
    await Bun.write(file, text)
    expect(await weft(["session", "list", "--home", home.path])).toMatchObject({ stderr: "", exit: 0 })
  }
})

test("a home that a chat has for itself is refused, with what to do", async () => {
  await using home = await temporaryFolder()
  const startGateway = () => Promise.reject(new AppError("already_running", { home: home.path, pid: 1 }))
  const deps = {
    version: "0",
    startGateway,
    inspect: () => Promise.reject(),
    configCommand: () => Promise.reject(),
  }
  await expect(openGateway({ home: home.path }, deps)).rejects.toMatchObject({
    code: "already_running",
    data: { pid: 1, hint: expect.stringContaining("weft gateway") },
  })
})

test("a configuration that is not valid is refused with its place, and nothing starts", async () => {
  await using home = await temporaryFolder()
  await Bun.write(join(home.path, "config.toml"), "[gateway]\nport = 'http'\n")
  const { stdout, stderr, exit } = await weft(["gateway", "--home", home.path])
  expect({ stdout, exit }).toEqual({ stdout: "", exit: 78 })
  expect(stderr).toContain("config.toml:2:")
})

test("a second gateway on a home is refused with the first one's address", async () => {
  await using gateway = await startGateway()
  const { stderr, exit } = await weft(["gateway", "--port", "0", "--home", gateway.home])
  expect(exit).toBe(75)
  expect(stderr).toContain(gateway.url)
})

test("the gateway stops on SIGTERM once its turns have ended, and exits with 0", async () => {
  await using home = await temporaryFolder()
  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  await using model = startModel(function* () {
    asked.resolve()
    yield "slow "
    yield { until: held.promise }
    yield "answer"
  })
  const provider = `[providers.script]\nkind = "openai-compatible"\nbase_url = "${model.url}"\n`
  await Bun.write(join(home.path, "config.toml"), `[agent]\nprovider = "script"\nmodel = "m"\n${provider}`)
  const gateway = Bun.spawn(
    [process.execPath, main_path, "gateway", "--port", "0", "--json", "--home", home.path],
    {
      stdout: "pipe",
      stderr: "ignore",
    },
  )
  const { value } = await gateway.stdout.getReader().read()
  expect(JSON.parse(Buffer.from(value!).toString())).toMatchObject({ home: home.path, pid: gateway.pid })
  const agent = weft(["agent", "-m", "go", "--home", home.path])
  await asked.promise
  gateway.kill("SIGTERM")
  held.resolve()
  expect(await agent).toEqual({ stdout: "slow answer\n", stderr: "", exit: 0 })
  expect(await gateway.exited).toBe(0)
})

test("a token is printed once, works, and stops working when it is revoked", async () => {
  await using gateway = await startGateway()
  const at = ["--home", gateway.home]
  const made = JSON.parse((await weft(["token", "create", "bot", "--scope", "read", "--json", ...at])).stdout)
  const far = { env: { WEFT_TOKEN: made.token } }
  expect((await weft(["status", "--url", gateway.url], far)).exit).toBe(0)
  expect((await weft(["token", "list", "--url", gateway.url], far)).exit).toBe(77)
  expect((await weft(["token", "list", ...at])).stdout).not.toContain(made.token)
  expect((await weft(["token", "revoke", made.token_id, ...at])).exit).toBe(0)
  expect((await weft(["status", "--url", gateway.url], far)).exit).toBe(77)
})

test("sessions are listed, reset, exported and deleted", async () => {
  await using gateway = await startGateway()
  const at = ["--home", gateway.home]
  const key = "default:ws:default:notes"
  await weft(["agent", "-m", "remember this", "--session", "notes", ...at])
  expect((await weft(["session", "list", ...at])).stdout).toContain(key)
  expect((await weft(["session", "reset", key, ...at])).stdout).toBe(
    `The next message to ${key} starts anew.\n`,
  )
  const whole = JSON.parse((await weft(["session", "export", key, ...at])).stdout)
  expect(whole.messages).toHaveLength(2)
  expect((await weft(["session", "delete", key, ...at])).exit).toBe(0)
  expect(await weft(["session", "show", key, "--json", ...at])).toMatchObject({ stdout: "", exit: 1 })
})

test("usage, tools and the address of the control page are shown", async () => {
  await using gateway = await startGateway()
  const at = ["--home", gateway.home]
  await weft(["agent", "-m", "hello", ...at])
  expect((await weft(["usage", "--by", "agent", ...at])).stdout).toMatch(/^AGENT +CALLS[^\n]*\ndefault +1 /)
  expect((await weft(["tool", "list", ...at])).stdout).toContain("current_time")
  const { stdout } = await weft(["open", ...at])
  expect(new URL(stdout.trim()).origin).toBe(gateway.url)
})
