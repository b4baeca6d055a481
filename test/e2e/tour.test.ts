/** The way of somebody who has just built it, from the first start to the answer that is still there after a crash. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { LLMock } from "@copilotkit/aimock"
import { version } from "../../package.json"
import { openSocket, questionOf, startModel, temporaryFolder } from "../harness.ts"
import { configFor, run, startWeft } from "./weft.ts"

/** What a newcomer writes, with the language's own WebSocket and nothing of ours. */
const client = `
const [url, token, content] = process.argv.slice(2)
const socket = new WebSocket(url)
const send = (id, method, params) => socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
socket.onopen = () => send(1, "connect", { token })
socket.onmessage = ({ data }) => {
  const { id, params, result } = JSON.parse(data)
  if (id === 1) send(2, "chat.send", { content })
  if (params?.type === "text") console.log(JSON.stringify(params.text))
  if (id === 2) console.log(result.session_key), socket.close()
}
`

const wires = [
  ["the offline model", undefined],
  ["a provider's own wire", "anthropic"],
] as const

test.each(wires)(
  "ten lines get a streamed answer, and it is there after a crash: %s",
  async (_title, wire) => {
    await using folder = await temporaryFolder()
    const mock = new LLMock({ port: 0, chunkSize: 4 })
    mock.on({ userMessage: "Hello there" }, { content: "Hello yourself, my good friend." })
    await mock.start()
    await using _stopping = { [Symbol.asyncDispose]: () => mock.stop() }
    const provider = `[agent]\nprovider = "anthropic"\n[providers.anthropic]\nbase_url = "${mock.url}"\napi_key = "sk-test"\n`
    const config = wire ? provider : ""
    const script = join(folder.path, "client.js")
    await Bun.write(script, client)
    const home = join(folder.path, "home")
    let said: string
    {
      await using gateway = await startWeft({ home, config })
      const ran = Bun.spawn([process.execPath, script, gateway.ws, gateway.token, "Hello there"])
      const lines = (await Bun.readableStreamToText(ran.stdout)).trim().split("\n")
      expect(await ran.exited).toBe(0)
      expect(lines.at(-1)).toBe("default:ws:default:main")
      const texts = lines.slice(0, -1).map((line) => JSON.parse(line) as string)
      expect(texts.length).toBeGreaterThan(3)
      said = texts.join("")
      if (wire) expect(said).toBe("Hello yourself, my good friend.")
      gateway.kill("SIGKILL")
      await gateway.exited
    }
    await using again = await startWeft({ home })
    await using socket = await openSocket(again.ws, { token: again.token })
    const { result } = await socket.call("chat.history", { session_key: "default:ws:default:main" })
    expect(result).toMatchObject({
      messages: [
        { role: "user", parts: [{ type: "text", text: "Hello there" }] },
        { role: "assistant", parts: [{ type: "text", text: said }], provider: wire ?? "offline" },
      ],
    })
  },
)

test("the command line asks a running gateway, and without one starts its own", async () => {
  await using folder = await temporaryFolder()
  await using model = startModel(({ messages }) => ["you said: ", questionOf({ messages })])
  await Bun.write(join(folder.path, "config.toml"), configFor(model))
  const place = { env: { WEFT_HOME: folder.path } }
  const weft = (...args: string[]) => run(args, place)
  expect(await weft("agent", "-m", "hello")).toEqual({ status: 0, out: "you said: hello\n", err: "" })
  {
    await using _gateway = await startWeft({ home: folder.path })
    expect(await run(["agent"], { ...place, stdin: "piped\n" })).toEqual({
      status: 0,
      out: "you said: piped\n",
      err: "",
    })
    const both = await run(["agent", "-m", "look:", "--json"], { ...place, stdin: "piped\n" })
    expect(JSON.parse(both.out)).toMatchObject({ text: "you said: look:\n\npiped", stop_reason: "end" })
    expect(JSON.parse((await weft("status", "--json")).out)).toMatchObject({ version, sessions: 1 })
  }
  const listed = await weft("session", "list", "--json")
  expect(listed.err).toBe("")
  expect(JSON.parse(listed.out)).toMatchObject({ sessions: [{ message_count: 6 }] })
  const found = await weft("session", "search", "piped", "--json")
  expect((JSON.parse(found.out) as { hits: unknown[] }).hits.length).toBe(4)
  expect(await weft("version")).toEqual({ status: 0, out: `weft ${version}\n`, err: "" })
  expect((await weft("status")).status).toBe(69)
})

test("config check says where a file is broken, and exits as the gateway would", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "config.toml")
  await Bun.write(path, '[gateway]\nport = "many"\n')
  const { status, out, err } = await run(["config", "check", "--home", folder.path])
  expect({ status, out }).toEqual({ status: 78, out: "" })
  expect(err).toContain(`${path}:2:`)
  await Bun.write(path, '[gateway]\nbnid = "127.0.0.1"\n')
  const mistyped = await run(["config", "check", "--home", folder.path])
  expect(mistyped.status).toBe(0)
  expect(mistyped.err).toContain('did you mean "bind"?')
})
