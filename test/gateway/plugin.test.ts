/** A plugin from its file to what a model reads, through a real gateway, and what becomes of it while that runs. */
import { afterAll, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Approval } from "../../src/agent/approvals.ts"
import {
  type Frame,
  openSocket,
  type RawClient,
  startGateway,
  startModel,
  temporaryFolder,
} from "../harness.ts"
import { describes, fetching, make } from "../plugins/made.ts"
import { call, makeToken } from "./client.ts"

/** Calls what the message says, and then says how that went. */
const model = startModel(function* ({ messages, tools = [] }) {
  const last = messages.at(-1)!
  if (last.role !== "user") return yield `It said: ${last.content}`
  if (last.content === "tools?") return yield tools.map((tool) => tool.function.name).join(" ")
  yield JSON.parse(String(last.content)) as { tool: string; input: unknown }
})
afterAll(() => model[Symbol.asyncDispose]())

const configOf = (tools: string, more = "") => `[agent]
provider = "script"
model = "scripted"
tools = ${tools}
[agent.permissions]
allow = ["read"]
ask = ["network"]
${more}`

const plugin = (name: string, capabilities: string[] = []) =>
  `[[plugins]]\nname = "${name}"\npath = "${name}.wasm"\ncapabilities = ${JSON.stringify(capabilities)}\n`

type Modules = Record<string, Uint8Array>

async function start(modules: Modules, config: string, log_level: "error" | "warn" = "error") {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryFolder())
  const write = (name: string, module: Uint8Array) => writeFileSync(join(path, `${name}.wasm`), module)
  for (const [name, module] of Object.entries(modules)) write(name, module)
  const gateway = stack.use(await startGateway({ home: path, model, config, log_level }))
  const client = stack.use(await openSocket(gateway.ws, { token: gateway.token }))
  await client.call("event.subscribe", { topics: ["plugin.*", "config.*", "approval.requested"] })
  const kept = stack.move()
  const from = await Bun.file(join(path, "config.toml")).text()
  return {
    gateway,
    client,
    write,
    edit: (before: string, after: string) =>
      writeFileSync(join(path, "config.toml"), from.replace(before, after)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The next of these that is told. */
async function told(client: RawClient, topic: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { method, params } = await client.read()
    if (method === "event" && params?.topic === topic) return params.data as Record<string, unknown>
  }
}

/** What the model says in the end, and the results of its tools. */
async function say(ws: string, token: string, content: unknown, peer = "main") {
  await using client = await openSocket(ws, { token })
  const events: Frame[] = []
  const text = typeof content === "string" ? content : JSON.stringify(content)
  const { result, error } = await client.call("chat.send", { content: text, peer }, events)
  if (error) throw new Error(error.message)
  const results = events.flatMap(({ params }) => (params?.type === "tool_result" ? [params] : []))
  return { text: result as { text: string }, results }
}

test("a model calls a plugin's tool, and the record has it", async () => {
  await using house = await start({ echo: make() }, configOf('["echo"]', plugin("echo")))
  const { gateway } = house
  const { results } = await say(gateway.ws, gateway.token, { tool: "echo", input: { any: "thing" } })
  expect(results).toMatchObject([{ name: "echo", content: "one", is_error: false }])
  const { calls } = (await call(gateway, "tool.calls", {})).result as { calls: Record<string, unknown>[] }
  expect(calls[0]).toMatchObject({ tool: "echo", verdict: "allow", outcome: "ok", decided_by: "no effect" })
  const { plugins } = (await call(gateway, "status")).result as { plugins: number }
  expect(plugins).toBe(1)
  const metrics = await fetch(`${gateway.url}/metrics`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  })
  const counted = await metrics.text()
  expect(counted).toContain('weft_plugin_calls_total{plugin="echo",outcome="ok"} 1')
  expect(counted).toContain('weft_plugins{state="ready"} 1')
})

test.each([
  ["[]", ""],
  ['["echo"]', "echo"],
  ['["echo.echo"]', "echo"],
  ['["more"]', "more_a more_b"],
  ['["more.b"]', "more_b"],
  ['["more_a", "current_time"]', "current_time more_a"],
])("an agent with the tools %s has %j", async (tools, names) => {
  const more = make({ description: [describes("a"), describes("b")] })
  const config = configOf(tools, plugin("echo") + plugin("more"))
  await using house = await start({ echo: make(), more }, config)
  const { tools: listed } = (await call(house.gateway, "tool.list")).result as {
    tools: { name: string; agents: string[] }[]
  }
  expect(listed.flatMap(({ name, agents }) => (agents.length > 0 ? [name] : [])).join(" ")).toBe(names)
})

test("an agent that names no tools has none of a plugin, and one that wants all has them", async () => {
  const [unset, all] = [
    configOf("[]", plugin("echo")).replace("tools = []", ""),
    configOf('["*"]', plugin("echo")),
  ]
  for (const [config, has] of [
    [unset, false],
    [all, true],
  ] as const) {
    await using house = await start({ echo: make() }, config)
    const { agents } = (await call(house.gateway, "agent.list")).result as { agents: { tools: string[] }[] }
    expect(agents[0]!.tools.includes("echo")).toBe(has)
  }
})

test("what reaches a host is asked about with its host, and what was not allowed does not run", async () => {
  let count = 0
  await using server = serve(() => new Response(`${++count}`))
  const host = `127.0.0.1:${server.port}`
  const module = make({ first: fetching, request: { url: `http://${host}/` } })
  await using house = await start({ echo: module }, configOf('["echo"]', plugin("echo", [`http:${host}`])))
  const { gateway, client } = house
  for (const [decision, content, requests] of [
    ["deny", expect.stringContaining("Denied"), 0],
    ["allow", "one", 1],
  ] as const) {
    const saying = say(gateway.ws, gateway.token, { tool: "echo", input: {} }, decision)
    const { approval_id, hash, summary, targets } = (await told(
      client,
      "approval.requested",
    )) as never as Approval
    expect(summary).toContain(host)
    expect(targets).toMatchObject([{ effect: "network", text: host }])
    await call(gateway, "approval.resolve", { approval_id, hash, decision, lasts: "once" })
    const { results } = await saying
    expect(results[0]!.content).toEqual(content)
    expect(count).toBe(requests)
  }
})

test.each(["echo", "echo.echo", "echo:127.*", "network:127.0.0.1", "network"])(
  "what is denied is denied on every way to it: %s",
  async (rule) => {
    let count = 0
    await using server = serve(() => new Response(`${++count}`))
    const host = `127.0.0.1:${server.port}`
    const module = make({ first: fetching, request: { url: `http://${host}/` } })
    const config = configOf('["echo"]', plugin("echo", [`http:${host}`]))
      .replace('ask = ["network"]', `deny = ["${rule}"]`)
      .replace('allow = ["read"]', 'allow = ["*"]')
    await using house = await start({ echo: module }, config)
    const { gateway } = house
    const { result } = await call(gateway, "tool.call", { name: "echo", input: {} })
    expect(result).toMatchObject({ is_error: true, content: expect.stringContaining("Denied: ") })
    expect((await say(gateway.ws, gateway.token, { tool: "echo", input: {} })).results).toMatchObject([
      { is_error: true, content: expect.stringContaining("Denied: ") },
    ])
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "weft",
        messages: [{ role: "user", content: JSON.stringify({ tool: "echo", input: {} }) }],
      }),
    })
    expect(await answer.text()).toContain("Denied: ")
    const { calls } = (await call(gateway, "tool.calls", {})).result as { calls: object[] }
    expect(calls).toMatchObject(Array(3).fill({ tool: "echo", verdict: "deny", outcome: "denied" }))
    expect(count).toBe(0)
  },
)

test("plugins come, change their grants and go with the configuration, without a restart", async () => {
  const config = configOf('["*"]', plugin("echo"))
  await using house = await start({ echo: make(), late: make({ description: describes("late") }) }, config)
  const { gateway, client } = house
  const toolsOf = async () => {
    const { agents } = (await call(gateway, "agent.list")).result as { agents: { tools: string[] }[] }
    return agents[0]!.tools
  }
  house.edit(plugin("echo"), plugin("echo", ["store:a"]) + plugin("late"))
  await told(client, "config.reloaded")
  expect(await toolsOf()).toEqual(expect.arrayContaining(["echo", "late"]))
  const { plugins } = (await call(gateway, "plugin.list")).result as { plugins: { granted: string[] }[] }
  expect(plugins.map(({ granted }) => granted)).toEqual([["store:a"], []])
  house.edit(plugin("echo"), plugin("late"))
  await told(client, "config.reloaded")
  expect(await toolsOf()).not.toContain("echo")
  const { results } = await say(gateway.ws, gateway.token, { tool: "late", input: {} })
  expect(results).toMatchObject([{ content: "one" }])
})

test("a changed plugin is told of, is no tool until it is loaded, and then is one without a restart", async () => {
  await using house = await start({ echo: make() }, configOf('["echo"]', plugin("echo")))
  const { gateway, client } = house
  house.write("echo", make({ answer: { content: "two" } }))
  expect(await told(client, "plugin.changed")).toMatchObject({ name: "echo", state: "changed" })
  const { results } = await say(gateway.ws, gateway.token, { tool: "echo", input: {} })
  expect(results).toMatchObject([{ is_error: true, content: expect.stringContaining("There is no tool") }])
  const wrong = await call(gateway, "plugin.load", { name: "echo", sha256: "0".repeat(64) })
  expect(wrong.error?.data).toMatchObject({ code: "conflict" })
  const loaded = await call(gateway, "plugin.load", { name: "echo" })
  expect(loaded.result).toMatchObject({ state: "ready", approved_by: "operator" })
  expect(await told(client, "plugin.loaded")).toMatchObject({ name: "echo" })
  expect((await say(gateway.ws, gateway.token, { tool: "echo", input: {} })).results).toMatchObject([
    { content: "two" },
  ])
  await call(gateway, "plugin.unload", { name: "echo" })
  expect(await told(client, "plugin.unloaded")).toEqual({ name: "echo" })
})

test("a turn that runs while its plugin is taken out is told so", async () => {
  const [asked, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using slow = startModel(async function* ({ messages }) {
    if (messages.at(-1)!.role !== "user") return yield "Well then."
    asked.resolve()
    await going.promise
    yield { tool: "echo", input: {} }
  })
  await using house = await start({ echo: make() }, configOf('["echo"]', plugin("echo")))
  const from = `base_url = "${model.url}"`
  house.edit(from, `base_url = "${slow.url}"`)
  const { gateway, client } = house
  await told(client, "config.reloaded")
  const saying = say(gateway.ws, gateway.token, "go on")
  await asked.promise
  await call(gateway, "plugin.unload", { name: "echo" })
  going.resolve()
  expect((await saying).results).toMatchObject([
    {
      is_error: true,
      content: 'The plugin "echo" is out of service (unloaded); its operator has to look at it.',
    },
  ])
})

test("only who has the whole gateway in hand loads and unloads", async () => {
  await using house = await start({ echo: make() }, configOf('["echo"]', plugin("echo")))
  const { gateway } = house
  const { token: reader } = await makeToken(gateway, { scopes: ["read"] })
  const { token: own } = await makeToken(gateway, { scopes: ["admin"], agents: ["default"] })
  for (const method of ["plugin.load", "plugin.unload"]) {
    for (const token of [reader, own]) {
      const { error } = await call(gateway, method, { name: "echo" }, token)
      expect(error?.data).toMatchObject({ code: "forbidden" })
    }
  }
  expect((await call(gateway, "plugin.list", {}, reader)).result).toMatchObject({
    plugins: [{ state: "ready" }],
  })
})

function serve(answer: () => Response) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  return { port: server.port, [Symbol.asyncDispose]: () => server.stop(true) }
}
