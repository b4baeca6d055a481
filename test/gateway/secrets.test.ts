/** Nothing that is secret leaves by any door: a gateway of its own process, whose every line is read. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openSocket, type Started, startModel, temporaryFolder } from "../harness.ts"
import { post, request } from "./client.ts"

const canaries = {
  literal: "sk-canary-literal-0123456789abcdef",
  agent: "sk-canary-of-the-agent-0123456789",
  header: "canary-in-a-header-0123456789abcdef",
  channel: "canary-of-a-channel-0123456789abcdef",
  variable: "canary-in-a-variable-0123456789abcdef",
  file: "canary-in-a-file-0123456789abcdef",
  ANTHROPIC_API_KEY: "sk-ant-canary-0123456789abcdef",
  WEFT_TOKEN: "canary-of-the-operator-0123456789abcdef",
}

const config = (url: string) => `
[agent]
provider = "script"
model = "scripted"
api_key = "${canaries.agent}"
[[agents]]
id = "failing"
provider = "echo"
model = "scripted"
[providers.script]
kind = "openai-compatible"
base_url = "${url}"
api_key = "${canaries.literal}"
[providers.script.headers]
x-team = "${canaries.header}"
[providers.echo]
kind = "openai-compatible"
base_url = "${url.replace("/v1", "/echo")}"
api_key = "${canaries.literal}"
[channels.mock]
secret = "${canaries.channel}"
[secrets]
GITHUB = { env = "CANARY" }
OTHER = { file = "secret.txt" }
`

/** A model that shouts what it was sent, as an error page of a proxy may. */
function startEcho() {
  const model = startModel(() => ["fine"])
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const url = new URL(request.url)
      if (!url.pathname.startsWith("/echo"))
        return fetch(`${new URL(model.url).origin}${url.pathname}`, request)
      const sent = [...request.headers].map(([name, value]) => `${name}: ${value}`).join("\n")
      return Response.json({ error: { message: `Incorrect API key in:\n${sent}` } }, { status: 401 })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    async [Symbol.asyncDispose]() {
      await server.stop(true)
      await model[Symbol.asyncDispose]()
    },
  }
}

test("no secret of the configuration is in any answer, event or line of the log", async () => {
  await using model = startEcho()
  await using folder = await temporaryFolder()
  const home = folder.path
  await Bun.write(join(home, "config.toml"), config(model.url))
  await Bun.write(join(home, "secret.txt"), `${canaries.file}\n`)
  const { ANTHROPIC_API_KEY, WEFT_TOKEN, variable: CANARY } = canaries
  const gateway = Bun.spawn(
    [process.execPath, "src/main.ts", "gateway", "--home", home, "--port", "0", "--json"],
    {
      cwd: join(import.meta.dir, "../.."),
      env: {
        ...process.env,
        WEFT_LOG: "debug",
        WEFT_LOG_LEVEL: "debug",
        ANTHROPIC_API_KEY,
        WEFT_TOKEN,
        CANARY,
      },
      stdout: "pipe",
      stderr: "pipe",
    },
  )
  const said: string[] = []
  const reading = (async () => {
    for await (const chunk of gateway.stderr) said.push(new TextDecoder().decode(chunk))
  })()
  const first = await gateway.stdout.getReader().read()
  const { url } = JSON.parse(new TextDecoder().decode(first.value)) as { url: string }
  const token = (await Bun.file(join(home, "token")).text()).trim()
  const started = { url, ws: `${url.replace("http", "ws")}/ws`, token } as Started

  const heard: string[] = []
  await using socket = await openSocket(started.ws, { token })
  const ask = async (method: string, params?: unknown) => {
    const events: object[] = []
    const answer = await socket.call(method, params, events as never)
    heard.push(JSON.stringify([answer, events]))
    return answer
  }
  await ask("event.subscribe", { topics: ["*"] })
  expect(await ask("chat.send", { content: "hi" })).toMatchObject({ result: { text: "fine" } })
  expect(await ask("chat.send", { content: "hi", agent: "failing" })).toMatchObject({
    error: { data: { code: "provider_failed", status: 401 } },
  })
  const shown = await ask("config.get")
  expect(shown).toMatchObject({
    result: { config: { agent: { id: "default" }, gateway: { auth: "token" } } },
  })
  const { methods } = (await ask("connect", { token })).result as { methods: string[] }
  for (const method of methods) await ask(method, { session_key: "default:ws:default:main" })
  await ask("session.export", { session_key: "failing:ws:default:main" })
  for (const canary of Object.values(canaries)) await ask("connect", { token: `${canary}x`.slice(1) })
  heard.push(await (await post(started, request("config.get"), token)).text())
  for (const path of ["/health", "/ready", "/metrics", "/openrpc.json", "/v1/models", "/"]) {
    heard.push(await (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })).text())
  }
  // A change that is not valid is told of, with the line that is wrong.
  await Bun.write(
    join(home, "config.toml"),
    `${config(model.url)}\n[gateway]\nprot = 1\nqueue_max = "no number"\n`,
  )
  let event = await socket.next()
  while (!event.includes("config.rejected")) {
    heard.push(event)
    event = await socket.next()
  }
  heard.push(event)
  gateway.kill("SIGTERM")
  await gateway.exited
  await reading

  const everything = [...heard, ...said].join("\n")
  expect(everything).toContain("provider_failed")
  expect(said.join("")).toContain("the gateway listens")
  const leaked = Object.entries(canaries).filter(([, canary]) => everything.includes(canary.slice(0, -2)))
  expect(leaked).toEqual([])
  expect(everything.includes(token)).toBe(false)
})
