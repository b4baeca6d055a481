import { afterAll, expect, test } from "bun:test"
import fc from "fast-check"
import { openSocket, startGateway, startModel } from "../harness.ts"
import { ask, call, request } from "./client.ts"

const model = startModel((asked) => [`said ${String(asked.messages.at(-1)!.content)}`])
const gateway = await startGateway({ model })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

type Page = {
  sessions: { session_key: string }[]
  messages: { message_id: string; role: string }[]
  next?: string
}
const say = (peer: string, content: string) => ask(gateway, "chat.send", { content, peer })

const count = 23
await Promise.all(Array.from({ length: count }, (_, i) => say(`paged-${i}`, "hello")))
for (let i = 0; i < 12; i++) await say("long", `message ${i}`)

test("however large its pages, a list has every session once, the last used first", async () => {
  const { sessions: all } = await ask<Page>(gateway, "session.list", { limit: 500 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: count + 5 }), async (limit) => {
      const seen: unknown[] = []
      let cursor: string | undefined
      do {
        const page: Page = await ask<Page>(gateway, "session.list", { limit, ...(cursor && { cursor }) })
        expect(page.sessions.length).toBeLessThanOrEqual(limit)
        seen.push(...page.sessions)
        cursor = page.next
      } while (cursor)
      expect(seen).toEqual(all)
    }),
    { numRuns: 20 },
  )
  expect(all).toBeArrayOfSize(count + 2)
  expect(all[0]!.session_key).toBe("default:ws:default:heavy")
})

test("a session that is used while a list is paged is not lost from what comes after", async () => {
  const first = await ask<Page>(gateway, "session.list", { limit: 5 })
  const second = await ask<Page>(gateway, "session.list", { limit: 500, cursor: first.next })
  await ask(gateway, "session.patch", { session_key: second.sessions.at(-1)!.session_key, title: "moved" })
  const again = await ask<Page>(gateway, "session.list", { limit: 500, cursor: first.next })
  expect(again.sessions.map(({ session_key }) => session_key)).toEqual(
    second.sessions.map(({ session_key }) => session_key),
  )
})

test.each(["", "1", "a.b", "1.", "-1.2", "1.2.3", "99999999999999999.1"])(
  "%p is no cursor",
  async (cursor) => {
    expect(await call(gateway, "session.list", { cursor })).toMatchObject({
      error: { data: { code: "invalid_params", path: "/cursor" } },
    })
  },
)

test("sessions can be narrowed to a channel", async () => {
  await ask(gateway, "chat.send", { content: "x", channel: "api", peer: "narrow" })
  const { sessions } = await ask<Page>(gateway, "session.list", { channel: "api" })
  expect(sessions.map(({ session_key }) => session_key)).toEqual(["default:api:default:narrow"])
  expect(await ask(gateway, "session.list", { channel: "none" })).toEqual({ sessions: [] })
})

const session_key = "default:ws:default:long"

test("history comes newest page first, oldest first within a page, and its pages are the whole", async () => {
  const { messages: all } = await ask<Page>(gateway, "chat.history", { session_key, limit: 500 })
  expect(all).toBeArrayOfSize(24)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (limit) => {
      let seen: unknown[] = []
      let before: string | undefined
      do {
        const page: Page = await ask<Page>(gateway, "chat.history", {
          session_key,
          limit,
          ...(before && { before }),
        })
        seen = [...page.messages, ...seen]
        before = page.next
      } while (before)
      expect(seen).toEqual(all)
    }),
    { numRuns: 15 },
  )
})

test("an export has every message once, the first one first", async () => {
  const { messages: all } = await ask<Page>(gateway, "chat.history", { session_key, limit: 500 })
  for (const limit of [1, 7, 24, 25]) {
    const seen: unknown[] = []
    let after: string | undefined
    do {
      const page: Page = await ask<Page>(gateway, "session.export", {
        session_key,
        limit,
        ...(after && { after }),
      })
      seen.push(...page.messages)
      after = page.next
    } while (after)
    expect(seen).toEqual(all)
  }
})

const big = "x".repeat(900_000)
for (let i = 0; i < 4; i++) await say("heavy", big)

test.each([
  ["chat.history", "before"],
  ["session.export", "after"],
])("a page of %s stays well below what a frame may weigh", async (method, cursor) => {
  const session_key = "default:ws:default:heavy"
  let next: string | undefined
  let pages = 0
  const seen: string[] = []
  do {
    const page: Page = await ask<Page>(gateway, method, { session_key, ...(next && { [cursor]: next }) })
    expect(JSON.stringify(page.messages).length).toBeLessThan(4_300_000)
    seen.push(...page.messages.map(({ message_id }) => message_id))
    next = page.next
    pages++
  } while (next)
  expect([pages, new Set(seen).size, seen.length]).toEqual([2, 8, 8])
})

test("a reset keeps the messages and lets the model begin anew", async () => {
  await say("reset", "one")
  const key = "default:ws:default:reset"
  expect(await ask(gateway, "session.reset", { session_key: key })).toMatchObject({ message_count: 2 })
  await say("reset", "two")
  expect(model.asked.at(-1)!.messages).toBeArrayOfSize(1)
  expect(await ask(gateway, "session.get", { session_key: key })).toMatchObject({ message_count: 4 })
})

test("a deleted session is gone with its messages, from search too, and what it cost stays", async () => {
  const { turn_id } = await say("gone", "a rhubarb")
  const key = "default:ws:default:gone"
  expect(await ask(gateway, "session.delete", { session_key: key })).toEqual({
    session_key: key,
    deleted: true,
  })
  for (const method of ["session.get", "session.delete", "chat.history"]) {
    expect(await call(gateway, method, { session_key: key })).toMatchObject({
      error: { data: { code: "not_found" } },
    })
  }
  expect(await call(gateway, "chat.attach", { turn_id })).toMatchObject({
    error: { data: { code: "not_found", what: "turn" } },
  })
  expect(await ask(gateway, "session.search", { query: "rhubarb" })).toEqual({ hits: [] })
  expect(await ask(gateway, "usage.get", { session_key: key })).toMatchObject({ groups: [{ calls: 1 }] })
})

/** A gateway whose first turn is in the middle of its answer, and its model's questions. */
async function startTalking() {
  const more = Promise.withResolvers<void>()
  const talking = startModel(() => ["so", { until: more.promise }, "far"] as never)
  const own = await startGateway({ model: talking })
  const socket = await openSocket(own.ws, { token: own.token })
  socket.send(request("chat.send", { content: "talk" }, 1))
  while ((await socket.read()).params?.type !== "text");
  return {
    own,
    socket,
    asked: talking.asked,
    release: more.resolve,
    async [Symbol.asyncDispose]() {
      more.resolve()
      await socket[Symbol.asyncDispose]()
      await own[Symbol.asyncDispose]()
      await talking[Symbol.asyncDispose]()
    },
  }
}

test("deleting a session stops what runs in it", async () => {
  await using talk = await startTalking()
  expect(await ask(talk.own, "session.delete", { session_key: "default:ws:default:main" })).toMatchObject({
    deleted: true,
  })
  let frame = await talk.socket.read()
  while (frame.id !== 1) frame = await talk.socket.read()
  expect(frame.result).toMatchObject({ stop_reason: "aborted", text: "so" })
})

test("a reset waits for what runs, so that it is forgotten as well", async () => {
  await using talk = await startTalking()
  talk.socket.send(request("session.reset", { session_key: "default:ws:default:main" }, 2))
  await talk.socket.call("ping")
  talk.release()
  let frame = await talk.socket.read()
  while (frame.id !== 2) frame = await talk.socket.read()
  expect(frame.result).toMatchObject({ message_count: 2 })
  await ask(talk.own, "chat.send", { content: "anew" })
  expect(talk.asked.at(-1)!.messages).toBeArrayOfSize(1)
})

test("a title is set, kept and taken away", async () => {
  await say("title", "x")
  const key = "default:ws:default:title"
  expect(await ask(gateway, "session.patch", { session_key: key, title: "Café ☕" })).toMatchObject({
    title: "Café ☕",
  })
  expect(await ask(gateway, "session.patch", { session_key: key })).toMatchObject({
    title: "Café ☕",
    model: null,
  })
  expect(await ask(gateway, "session.patch", { session_key: key, title: null })).toMatchObject({
    title: null,
  })
})

test("a session takes one of its agent's models and no other", async () => {
  await say("model", "x")
  const key = "default:ws:default:model"
  expect(await ask(gateway, "session.patch", { session_key: key, model: "script/scripted" })).toMatchObject({
    model: "script/scripted",
  })
  const refused = await call(gateway, "session.patch", { session_key: key, model: "gpt-none" })
  expect(refused).toMatchObject({ error: { data: { code: "forbidden", what: "model" } } })
})

test("search finds words, whatever the index thinks of them, and needs one", async () => {
  await say("search", 'He said "AND" OR NEAR( apricot* -jam')
  const search = (query: string) => call(gateway, "session.search", { query })
  for (const query of [
    "apricot",
    "APRICOT jam",
    '"AND" apricot*',
    "NEAR(apricot",
    "jam; DROP TABLE message",
  ]) {
    const { result, error } = await search(query)
    expect([query, error]).toEqual([query, undefined])
    const { hits } = result as { hits: { snippet: string }[] }
    expect([query, hits.length > 0]).toEqual([query, !query.includes("DROP")])
  }
  expect(await search("***")).toMatchObject({ error: { data: { code: "invalid_params", path: "/query" } } })
  const { hits } = (await search("apricot")).result as { hits: object[] }
  expect(hits[0]).toMatchObject({
    session_key: "default:ws:default:search",
    snippet: expect.stringContaining("[apricot]"),
  })
})

test("tools are listed with who has them, and called as a model would", async () => {
  const { tools } = await ask<{ tools: { name: string; agents: string[]; effect: string }[] }>(
    gateway,
    "tool.list",
  )
  expect(tools.map(({ name, effect, agents }) => [name, effect, agents])).toEqual([
    ["read_file", "read", ["default"]],
    ["write_file", "write", []],
    ["edit_file", "write", []],
    ["list_dir", "read", ["default"]],
    ["search_files", "read", ["default"]],
    ["exec", "execute", []],
    ["web_fetch", "network", []],
    ["web_search", "network", []],
    ["current_time", "none", ["default"]],
    ["session_search", "none", ["default"]],
    ["memory_search", "none", ["default"]],
    ["memory_add", "none", ["default"]],
    ["memory_forget", "none", ["default"]],
    ["read_result", "none", ["default"]],
  ])
  const run = (name: string, input: unknown) => ask(gateway, "tool.call", { name, input })
  expect(await run("current_time", {})).toMatchObject({
    is_error: false,
    content: expect.stringContaining("UTC"),
  })
  expect(await run("current_time", { time_zone: "Mars" })).toMatchObject({
    is_error: true,
    content: expect.stringContaining("IANA"),
  })
  expect(await run("current_time", { zone: 1 })).toMatchObject({
    is_error: true,
    content: expect.stringContaining("schema"),
  })
  expect(await run("no_such", {})).toMatchObject({
    is_error: true,
    content: expect.stringContaining("no_such"),
  })
  await say("searching", "the word is quince")
  const session_key = "default:ws:default:searching"
  const search = (session?: string) =>
    ask<{ content: string }>(gateway, "tool.call", {
      ...{ name: "session_search", input: { query: "quince" } },
      ...(session && { session_key: session }),
    })
  expect((await search(session_key)).content).toContain(`user in ${session_key}: the word is [quince]`)
  // A call outside of any session is nobody's, and another one's is another sender's.
  await say("another", "hello")
  for (const session of [undefined, "default:ws:default:another"]) {
    expect((await search(session)).content).toStartWith("No message has")
  }
  expect(await call(gateway, "tool.call", { name: "current_time", agent: "nobody" })).toMatchObject({
    error: { data: { code: "not_found", what: "agent" } },
  })
})

test("usage is summed by what is asked for", async () => {
  const key = "default:ws:default:usage"
  await say("usage", "one")
  await say("usage", "two")
  const usage = async (params: object) =>
    (await ask<{ groups: object[] }>(gateway, "usage.get", { session_key: key, ...params })).groups
  const sum = {
    calls: 2,
    input_tokens: 20,
    output_tokens: 10,
    cached_tokens: 0,
    cost_usd: 0,
    unpriced_calls: 2,
  }
  expect(await usage({})).toEqual([{ group: "all", ...sum }])
  expect(await usage({ by: "day" })).toEqual([{ group: new Date().toISOString().slice(0, 10), ...sum }])
  expect(await usage({ by: "agent" })).toEqual([{ group: "default", ...sum }])
  expect(await usage({ by: "model" })).toEqual([{ group: "script/scripted", ...sum }])
  expect(await usage({ by: "session" })).toEqual([{ group: key, ...sum }])
  expect(await usage({ until_ms: 1 })).toEqual([])
  expect(await usage({ since_ms: Date.now() + 60_000 })).toEqual([])
})

test("status tells what runs", async () => {
  const status = await ask(gateway, "status")
  expect(status).toMatchObject({
    version: expect.stringMatching(/^\d/),
    agents: 1,
    plugins: 0,
    channels: [],
    turns: { running: 0, waiting: 0 },
    connections: 0,
  })
  expect(status.providers).toContainEqual({ id: "script", state: "ready" })
  expect(status.uptime_ms as number).toBeLessThan(60_000)
  expect(status.memory_bytes as number).toBeGreaterThan(1_000_000)
})

test("an agent is told with its models and tools", async () => {
  const agent = {
    id: "default",
    is_default: true,
    model: "script/scripted",
    fallbacks: [],
    models: ["script/scripted"],
    tools: [
      "read_file",
      "list_dir",
      "search_files",
      "current_time",
      "session_search",
      "memory_search",
      "memory_add",
      "memory_forget",
      "read_result",
    ],
  }
  expect(await ask(gateway, "agent.get", { id: "default" })).toEqual(agent)
  expect(await ask(gateway, "agent.list")).toEqual({ agents: [agent] })
})

test("a turn can be rated, with a note", async () => {
  const { turn_id } = await say("rated", "x")
  expect(await ask(gateway, "turn.rate", { turn_id, rating: -1, note: "no" })).toEqual({
    turn_id,
    rating: -1,
  })
  expect(await call(gateway, "turn.rate", { turn_id, rating: 2 })).toMatchObject({
    error: { data: { code: "invalid_params" } },
  })
})

test("the parameters of each method are named in what refuses them", async () => {
  const refused = await call(gateway, "chat.history", { session_key: 5 })
  expect(refused).toMatchObject({
    error: {
      code: -32602,
      data: { code: "invalid_params", path: "/session_key", expected: expect.any(String) },
    },
  })
  const unknown = await call(gateway, "session.get", { session_key, key: 1 })
  expect(unknown).toMatchObject({ error: { data: { path: "/key" } } })
})

test("what comes after a delete is of a new session, and what comes after a reset is remembered", async () => {
  await using own = await startGateway({ model })
  await using socket = await openSocket(own.ws, { token: own.token })
  const session_key = "default:ws:default:main"
  const send = (content: string, id: number) => socket.send(request("chat.send", { content }, id))
  const answers = async (...ids: number[]) => {
    const frames = new Map<unknown, Awaited<ReturnType<typeof socket.read>>>()
    while (!ids.every((id) => frames.has(id))) {
      const frame = await socket.read()
      if (frame.id !== undefined) frames.set(frame.id, frame)
    }
    return ids.map((id) => frames.get(id)!)
  }
  const texts = async () =>
    (await ask<Page>(own, "chat.history", { session_key })).messages.map(({ role }) => role)
  await ask(own, "chat.send", { content: "zero" })
  send("one", 1)
  send("waits", 2)
  socket.send(request("session.delete", { session_key }, 3))
  send("two", 4)
  expect((await answers(1, 2, 3, 4))[3]).toMatchObject({ result: { text: "said two" } })
  expect(await texts()).toEqual(["user", "assistant"])
  socket.send(request("session.reset", { session_key }, 5))
  send("three", 6)
  await answers(5, 6)
  send("four", 7)
  await answers(7)
  expect(model.asked.at(-1)!.messages.map(({ content }) => content)).toEqual(["three", "said three", "four"])
})

test("a second delete does not find the session that was made in between", async () => {
  await using own = await startGateway({ model })
  await ask(own, "chat.send", { content: "old" })
  await using socket = await openSocket(own.ws, { token: own.token })
  const session_key = "default:ws:default:main"
  socket.send(request("session.delete", { session_key }, 1))
  socket.send(request("chat.send", { content: "new", peer: "somebody else" }, 2))
  socket.send(request("session.delete", { session_key }, 3))
  const frames: Record<number, unknown> = {}
  while (Object.keys(frames).length < 3) {
    const frame = await socket.read()
    if (typeof frame.id === "number") frames[frame.id] = frame
  }
  expect(frames).toMatchObject({
    1: { result: { deleted: true } },
    2: { result: { text: "said new" } },
    3: { error: { data: { code: "not_found" } } },
  })
})

test("a time that no number holds exactly is refused, not stored in another form", async () => {
  await using gateway = await startGateway()
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  for (const expires_ms of [9223372036854776000, 2 ** 53]) {
    expect(await client.call("token.create", { name: "far", expires_ms })).toMatchObject({
      error: { data: { code: "invalid_params", path: "/expires_ms" } },
    })
  }
  const { result } = await client.call("token.create", { name: "far", expires_ms: 2 ** 53 - 1 })
  expect(result).toMatchObject({ expires_ms: 2 ** 53 - 1 })
})
