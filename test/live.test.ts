import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findHome } from "../src/config/home.ts"
import { followConfig, openLive, readLoaded } from "../src/live.ts"
import {
  openSocket,
  type RawClient,
  type Started,
  startGateway,
  startModel,
  temporaryFolder,
} from "./harness.ts"

type Told = { topic: string; data: Record<string, unknown> }

type House = AsyncDisposable & {
  gateway: Started
  client: RawClient
  /** Writes the configuration and waits until the gateway says what it made of it. */
  edit(text: string): Promise<Told>
  ask(content: string, more?: object): Promise<{ text: string } & Record<string, unknown>>
}

/** A gateway that is told of edits of its file, and a client that hears what becomes of them. */
async function start(config: string): Promise<House> {
  await using stack = new AsyncDisposableStack()
  const gateway = stack.use(await startGateway({ config, log_level: "error" }))
  const client = stack.use(await openSocket(gateway.ws, { token: gateway.token }))
  await client.call("event.subscribe", { topics: ["config.*"] })
  const kept = stack.move()
  return {
    gateway,
    client,
    async edit(text) {
      writeFileSync(join(gateway.home, "config.toml"), text)
      for (;;) {
        const { method, params } = await client.read()
        if (method === "event") return params as Told
      }
    },
    async ask(content, more) {
      const { result, error } = await client.call("chat.send", { content, ...more })
      return (result ?? error) as never
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const keyOf = async (house: House, peer: string) => (await house.ask("hello", { peer })).session_key

test("an edit brings agents and bindings into force, a wrong one leaves them, and neither stops anybody", async () => {
  await using house = await start('[agent]\nprovider = "offline"\n')
  expect(await keyOf(house, "boss")).toBe("default:ws:default:boss")
  const work = '[agent]\nprovider = "offline"\n[[agents]]\nid = "work"\nprovider = "offline"\n'
  const bound = `${work}[[bindings]]\nagent_id = "work"\npeer_id = "boss"\n`
  expect(await house.edit(bound)).toEqual({
    ...{ topic: "config.reloaded", seq: 0, data: { needs_restart: [] } },
  } as never)
  expect(await keyOf(house, "boss")).toBe("work:ws:default:boss")
  expect(await keyOf(house, "main")).toBe("default:ws:default:main")

  const wrong = await house.edit(`${bound}[agent.\n`)
  expect(wrong.topic).toBe("config.rejected")
  expect(JSON.stringify(wrong.data)).toContain("config.toml")
  expect(await keyOf(house, "boss")).toBe("work:ws:default:boss")

  // Back again: the agent that is gone is gone for those who name it, too.
  expect(await house.edit('[agent]\nprovider = "offline"\n')).toMatchObject({ topic: "config.reloaded" })
  expect(await keyOf(house, "boss")).toBe("default:ws:default:boss")
  expect(await house.ask("hello", { agent: "work" })).toMatchObject({ data: { code: "not_found" } })
})

test("what needs a restart stays as it was, also after a further edit", async () => {
  const agent = '[agent]\nprovider = "offline"\n'
  await using house = await start(`${agent}[gateway]\npayload_bytes_max = 2048\n`)
  const { gateway } = house
  const post = async () => {
    const headers = { authorization: `Bearer ${gateway.token}` }
    const answer = await fetch(`${gateway.url}/rpc`, { method: "POST", headers, body: "x".repeat(3000) })
    return answer.status
  }
  const larger = "[gateway]\npayload_bytes_max = 4096\n"
  const needs_restart = ["gateway.payload_bytes_max"]
  expect(await house.edit(`${agent}${larger}`)).toMatchObject({ data: { needs_restart } })
  expect(await post()).toBe(413)
  expect(await house.edit(`${agent}system_prompt = "Be brief."\n${larger}`)).toMatchObject({
    data: { needs_restart },
  })
  expect(await post()).toBe(413)
})

test("a key that cannot be read rejects the edit and not the gateway", async () => {
  await using house = await start('[agent]\nprovider = "offline"\n')
  mkdirSync(join(house.gateway.home, "credentials", "openai.key"), { recursive: true })
  expect(await house.edit('[agent]\nprovider = "offline"\nsystem_prompt = "Be brief."\n')).toMatchObject({
    topic: "config.rejected",
  })
  expect(await house.ask("hello")).toMatchObject({ stop_reason: "end" })
})

test("a turn that waits runs with the models that it was accepted for", async () => {
  const more = Promise.withResolvers<void>()
  await using model = startModel(() => ["so", { until: more.promise }, " far"])
  const provider = `[providers.mine]\nkind = "openai-compatible"\nbase_url = "${model.url}"\n`
  await using house = await start(`[agent]\nprovider = "mine"\nmodel = "m"\n${provider}`)
  await using talk = await openSocket(house.gateway.ws, { token: house.gateway.token })
  const chosen = { model: "mine/m" }
  for (const [id, params] of [{}, {}, chosen].entries()) {
    talk.send({ jsonrpc: "2.0", id, method: "chat.send", params: { content: "hello", ...params } })
  }
  while ((await talk.read()).params?.type !== "text");
  expect(await house.edit('[agent]\nprovider = "offline"\n')).toMatchObject({ topic: "config.reloaded" })
  more.resolve()
  const texts: unknown[] = []
  while (texts.length < 3) {
    const { id, result, error } = await talk.read()
    if (id !== undefined) texts.push((result as { text: string } | undefined)?.text ?? error)
  }
  expect(texts).toEqual(["so far", "so far", "so far"])
})

test("a configuration that cannot be followed is told to the log and stops nobody", async () => {
  await using folder = await temporaryFolder()
  const home = { home: folder.path, config_path: join(folder.path, "config.toml") }
  writeFileSync(home.config_path, "[agent]\n")
  const told: unknown[] = []
  const log = { error: (message: string, fields: object) => void told.push([message, fields]) }
  const load = () => Promise.reject(new Error("no space left for watches"))
  const following = { home, load, loaded: { text: "" }, app: { log }, signal: new AbortController().signal }
  await followConfig(following as never)
  expect(told).toEqual([
    [
      "changes of the configuration are no longer seen until a restart",
      { cause: expect.stringContaining("no space left for watches") },
    ],
  ])
})

test.each([
  ["nothing but its own sockets", "", "prefer", "prefer"],
  ["a binding of its own sockets", '[[bindings]]\nagent_id = "work"\nchannel = "ws"\n', "prefer", "prefer"],
  ["a messenger's binding", '[[bindings]]\nagent_id = "work"\nchannel = "telegram"\n', "prefer", "require"],
  ["a binding without a channel", '[[bindings]]\nagent_id = "work"\npeer_id = "1"\n', "prefer", "require"],
  [
    "a channel",
    '[[plugins]]\nname = "m"\npath = "m.wasm"\n[channels.m]\nplugin = "m"\nsignature = "github"\nsecret = { env = "S" }\n',
    "require",
    "prefer",
  ],
] as const)(
  "who is reached by %s runs programs behind every wall or not at all",
  async (_what, text, of_default, of_work) => {
    await using folder = await temporaryFolder()
    writeFileSync(join(folder.path, "config.toml"), `${text}[[agents]]\nid = "work"\n`)
    const [home, env] = [findHome({ home: folder.path }, {}), { S: "a secret" }]
    const { agents } = await openLive(await readLoaded(home, {}, env), home, env)
    const modeOf = (id: string) => agents.get(id)!.walls.sandbox.mode
    expect([modeOf("default"), modeOf("work")]).toEqual([of_default, of_work])
  },
)
