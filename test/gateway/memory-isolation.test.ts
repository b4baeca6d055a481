/** Nothing of one agent's or sender's memory gets to another by any way out, but by a namespace that both sides opted into. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { cpSync } from "node:fs"
import {
  type Asked,
  type Model,
  type Said,
  type Started,
  startGateway,
  startModel,
  temporaryFolder,
} from "../harness.ts"
import { ask, call, makeToken } from "./client.ts"

const agents = ["default", "work"] as const
const senders = [
  { channel: "ws", account: "default", peer: "ann" },
  { channel: "ws", account: "default", peer: "bob" },
  { channel: "telegram", account: "default", peer: "ann" },
] as const
type Sender = (typeof senders)[number]

const nameOf = ({ channel, peer }: Sender) => `${channel}-${peer}`
const pairs = agents.flatMap((agent) => senders.map((sender) => ({ agent, sender })))
/** What each of them said, or was told about: asked for by the word, and known by the value. */
const markOf = (agent: string, whose: string) => `value-${agent}-${whose}`
const valuesIn = (text: string) =>
  [...new Set(text.match(/value-(default|work)-[a-z]+(-[a-z]+)?/g))].toSorted()

const say = (agent: string, whose: string) =>
  `The code of my locker, kept by ${whose}, is ${markOf(agent, whose)}.`

/** With what the tools find, then an end: the whole request is what the model was shown. */
function* script({ messages }: Asked): Generator<Said> {
  const last = messages.at(-1)!
  const text = JSON.stringify(last.content)
  if (last.role === "tool" || !text.includes("USE ")) return yield "Noted."
  yield* [
    { tool: "memory_search", input: { query: "code of the locker", limit: 50 } },
    { tool: "memory_search", input: { query: "kept by ann bob team lab", limit: 50 } },
    { tool: "session_search", input: { query: "locker", limit: 50 } },
    { tool: "memory_forget", input: { ids: Array.from({ length: 50 }, (_, i) => i + 1) } },
  ]
}

type Phase = { name: string; share: string[]; read: string[]; is_open: boolean }
const phases: Phase[] = [
  { name: "neither side names the namespace", share: ["spare"], read: [], is_open: false },
  { name: "only who shares names it", share: ["team"], read: [], is_open: false },
  { name: "only who reads names it", share: [], read: ["team"], is_open: false },
  { name: "both sides name it", share: ["team"], read: ["team"], is_open: true },
]

const configFor = ({ share, read }: Pick<Phase, "share" | "read">) => `
[agent]
provider = "script"
model = "scripted"
tools = ["memory", "session_search"]
[agent.memory]
share = ${JSON.stringify(share)}
[[agents]]
id = "work"
provider = "script"
model = "scripted"
tools = ["memory", "session_search"]
[agents.memory]
share = ["lab"]
read = ${JSON.stringify(read)}
`

let home: Awaited<ReturnType<typeof temporaryFolder>>
let model: Model
beforeAll(async () => {
  home = await temporaryFolder()
  model = startModel(script)
  await using gateway = await open({ share: ["team"], read: [] })
  for (const { agent, sender } of pairs) {
    await ask(gateway, "chat.send", { content: say(agent, nameOf(sender)), agent, ...sender })
  }
  for (const agent of agents) await ask(gateway, "memory.add", { text: say(agent, "all"), agent })
  await ask(gateway, "memory.add", { text: say("default", "team"), agent: "default", namespace: "team" })
  await ask(gateway, "memory.add", { text: say("work", "lab"), agent: "work", namespace: "lab" })
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const open = (phase: Pick<Phase, "share" | "read">, folder = home.path): Promise<Started> =>
  startGateway({ home: folder, model, config: configFor(phase) })

/** As it was planted: what a turn is shown stays in its conversation, whatever is taken back later. */
async function openCopy(phase: Pick<Phase, "share" | "read">): Promise<Started> {
  const folder = await temporaryFolder()
  cpSync(home.path, folder.path, { recursive: true })
  const gateway = await open(phase, folder.path)
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** What somebody may see who speaks as this sender with this agent. */
const seenBy = (agent: string, whose: string[], { is_open }: Phase): string[] => {
  const own = ["all", ...whose].map((one) => markOf(agent, one))
  return (is_open && agent === "work" ? [...own, markOf("default", "team")] : own).toSorted()
}

/** All that the model of a turn was shown, but for what it was told of the tools. */
async function shownIn(gateway: Started, content: string, agent: string, sender: Sender): Promise<string> {
  const before = model.asked.length
  await ask(gateway, "chat.send", { content, agent, ...sender })
  return JSON.stringify(model.asked.slice(before).map(({ messages }) => messages))
}

test.each(phases)("a turn and its tools, where $name", async (phase) => {
  await using gateway = await openCopy(phase)
  for (const { agent, sender } of pairs) {
    const shown = await shownIn(gateway, "USE the tools: what is the code?", agent, sender)
    // Whoever looks finds his own: that nothing of others is there means something.
    expect([agent, nameOf(sender), valuesIn(shown)]).toEqual([
      agent,
      nameOf(sender),
      seenBy(agent, [nameOf(sender)], phase),
    ])
  }
  for (const { agent, sender } of pairs) {
    const content = "Which code has my locker, kept by ann, bob, team or lab?"
    const shown = await shownIn(gateway, content, agent, sender)
    const allowed = seenBy(agent, [nameOf(sender)], phase)
    expect(valuesIn(shown).filter((value) => !allowed.includes(value))).toEqual([])
    expect(valuesIn(shown)).toContain(markOf(agent, nameOf(sender)))
  }
})

type Whose = { agent?: string; sender?: Sender; session_key?: string }

/** What the reading methods answer about one sender's memory, or an error's code. */
async function seenByMethods(gateway: Started, whose: Whose, token?: string): Promise<string[][]> {
  const { session_key } = whose
  const calls = [
    call(gateway, "memory.search", { query: "code of the locker", limit: 200, ...whose }, token),
    call(gateway, "memory.search", { query: "kept by ann bob team lab", limit: 200, ...whose }, token),
    call(gateway, "memory.list", { limit: 500, ...whose }, token),
    ...(session_key ? [call(gateway, "memory.explain", { session_key, text: "my locker?" }, token)] : []),
  ]
  return (await Promise.all(calls)).map(({ result, error }) =>
    error ? [String(error.data.code)] : valuesIn(JSON.stringify(result)),
  )
}

test.each(phases)("the methods by every kind of token, where $name", async (phase) => {
  await using gateway = await openCopy(phase)
  const [chat, read, work, nobody] = await Promise.all([
    makeToken(gateway, { scopes: ["chat"] }),
    makeToken(gateway, { scopes: ["read"] }),
    makeToken(gateway, { scopes: ["admin"], agents: ["work"] }),
    makeToken(gateway, { scopes: ["admin"], agents: [] }),
  ])
  for (const { agent, sender } of pairs) {
    const own = seenBy(agent, [nameOf(sender)], phase)
    const everybody = seenBy(agent, senders.map(nameOf), phase)
    const is_own_channel = sender.channel === "ws"
    for (const { token } of [chat, read]) {
      const seen = await seenByMethods(gateway, { agent, sender }, token)
      for (const values of seen) expect(values).toEqual(is_own_channel ? own : ["forbidden"])
    }
    for (const values of await seenByMethods(gateway, { agent, sender })) expect(values).toEqual(own)
    // The operator who names nobody sees all senders of the agent, and nothing of the other one.
    const shared = agent === "default" ? markOf("default", "team") : markOf("work", "lab")
    for (const values of await seenByMethods(gateway, { agent })) {
      expect(values).toEqual([...new Set([...everybody])].toSorted())
      expect(values).not.toContain(shared)
    }
    for (const values of await seenByMethods(gateway, { agent, sender }, work.token)) {
      expect(values).toEqual(agent === "work" ? own : ["forbidden"])
    }
    for (const values of await seenByMethods(gateway, { agent, sender }, nobody.token)) {
      expect(values).toEqual(["forbidden"])
    }
  }
  // Who may not speak for anybody, and names nobody, sees what is for all senders.
  for (const { token } of [chat, read]) {
    for (const agent of agents) {
      for (const values of await seenByMethods(gateway, { agent }, token)) {
        expect(values).toEqual(seenBy(agent, [], phase))
      }
    }
  }
})

test("what both sides opened is closed again by either", async () => {
  const steps = [3, 2, 3, 1].map((i) => phases[i]!)
  for (const phase of steps) {
    await using gateway = await open(phase)
    const seen = await seenByMethods(gateway, { agent: "work", sender: senders[0] })
    for (const values of seen) expect(values).toEqual(seenBy("work", [nameOf(senders[0])], phase))
  }
})

const key = (agent: string, { channel, account, peer }: Sender) => `${agent}:${channel}:${account}:${peer}`

test("a session stands for its sender, and an explanation shows his alone", async () => {
  await using gateway = await openCopy(phases[0]!)
  const { token } = await makeToken(gateway, { scopes: ["read"] })
  for (const { agent, sender } of pairs) {
    const session_key = key(agent, sender)
    const operator = await seenByMethods(gateway, { session_key })
    for (const values of operator) expect(values).toContain(markOf(agent, nameOf(sender)))
    for (const values of operator) {
      const foreign = values.filter((value) => !seenBy(agent, [nameOf(sender)], phases[0]!).includes(value))
      expect(foreign).toEqual([])
    }
    const seen = await seenByMethods(gateway, { session_key }, token)
    if (sender.channel === "ws") expect(seen).toEqual(operator)
    else for (const values of seen) expect(values).toEqual(["forbidden"])
  }
})

test("an export has what the token's agents have", async () => {
  await using gateway = await openCopy(phases[3]!)
  const { token } = await makeToken(gateway, { scopes: ["admin"], agents: ["work"] })
  const all = (agent: string) =>
    [...senders.map(nameOf), "all", agent === "work" ? "lab" : "team"].map((one) => markOf(agent, one))
  const exported = async (params: object, token?: string) =>
    valuesIn(JSON.stringify(await ask(gateway, "memory.export", { limit: 5000, ...params }, token)))
  expect(await exported({})).toEqual([...all("default"), ...all("work")].toSorted())
  expect(await exported({}, token)).toEqual(all("work").toSorted())
  expect(await exported({ agent: "default" }, token)).toEqual([])
  const row = { agent: "default", kind: "note", text: "planted", created_ms: 1 }
  const planted = await call(gateway, "memory.import", { rows: [row] }, token)
  expect(planted).toMatchObject({ error: { data: { code: "forbidden" } } })
  const message = { agent: "default", channel: "ws", account: "default", peer: "x", role: "user", text: "x" }
  const said = await call(gateway, "memory.import", { messages: [{ ...message, created_ms: 1 }] }, token)
  expect(said).toMatchObject({ error: { data: { code: "forbidden" } } })
})

test("counts are of the agents that a token reaches", async () => {
  await using gateway = await openCopy(phases[0]!)
  const { token } = await makeToken(gateway, { scopes: ["read"], agents: ["work"] })
  expect(await call(gateway, "memory.stats", { agent: "default" }, token)).toMatchObject({
    error: { data: { code: "forbidden" } },
  })
  expect(await call(gateway, "memory.stats", {}, token)).toMatchObject({
    error: { data: { code: "forbidden" } },
  })
  const { rows, vectors } = await ask<{ rows: Record<string, number>; vectors: object[] }>(
    gateway,
    "memory.stats",
    { agent: "work" },
    token,
  )
  expect([rows.note, vectors]).toEqual([2, []])
  for (const method of ["memory.reindex", "memory.check"]) {
    const admin = await makeToken(gateway, { scopes: ["admin"], agents: ["work"] })
    expect(await call(gateway, method, {}, admin.token)).toMatchObject({
      error: { data: { code: "forbidden" } },
    })
  }
})

type Item = { memory_id: string; text: string; agent: string; sender: string; namespace: string }

test("nobody adds to or takes away what is not his", async () => {
  await using gateway = await openCopy(phases[3]!)
  const [chat, work] = await Promise.all([
    makeToken(gateway, { scopes: ["chat"] }),
    makeToken(gateway, { scopes: ["admin"], agents: ["work"] }),
  ])
  const items = async () => {
    const lists = agents.map((agent) => ask<{ items: Item[] }>(gateway, "memory.list", { agent, limit: 500 }))
    return (await Promise.all(lists)).flatMap(({ items }) => items)
  }
  const before = await items()
  const memory_ids = [...new Set(before.map(({ memory_id }) => memory_id))]
  const forget = async (params: object, token: string) =>
    (await call(gateway, "memory.forget", { memory_ids, ...params }, token)).result
  const stranger = { channel: "ws", account: "default", peer: "stranger" }
  expect(await forget({ sender: stranger }, chat.token)).toEqual({ forgotten: 0, related: [] })
  expect(await forget({}, chat.token)).toEqual({ forgotten: 0, related: [] })
  expect(await forget({ agent: "default" }, work.token)).toBeUndefined()
  const add = async (params: object, token: string) =>
    (await call(gateway, "memory.add", { text: "planted", ...params }, token)).error?.data.code
  expect(await add({}, chat.token)).toBe("forbidden")
  expect(await add({ sender: senders[2] }, chat.token)).toBe("forbidden")
  expect(await add({ namespace: "lab" }, chat.token)).toBe("forbidden")
  expect(await add({ agent: "default" }, work.token)).toBe("forbidden")
  expect(await items()).toEqual(before)
  // And what is his own he does take away, with what was shared left where it is.
  const ann = senders[0]
  expect(await forget({ agent: "work", sender: ann }, chat.token)).toMatchObject({
    forgotten: expect.any(Number),
  })
  const left = await items()
  expect(left.filter((one) => one.agent === "work" && one.sender === "ws:default:ann")).toEqual([])
  const others = (list: Item[]) =>
    list.filter((one) => one.agent !== "work" || one.sender !== "ws:default:ann")
  expect(others(left)).toEqual(others(before))
})
