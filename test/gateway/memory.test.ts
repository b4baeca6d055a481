/** What the methods of the memory do; who may do it is in matrix.test.ts and memory-isolation.test.ts. */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openSocket, type Started, startGateway, startModel } from "../harness.ts"
import { ask, call } from "./client.ts"

type Item = { memory_id: string; kind: string; text: string; session_key: string | null; created_ms: number }
type Hits = { hits: (Item & { score: number; why: string[] })[]; searched: { rows: number; pending: number } }

const list = (gateway: Started, params: object = {}) =>
  ask<{ items: Item[]; next?: string }>(gateway, "memory.list", params)
const search = (gateway: Started, query: string, params: object = {}) =>
  ask<Hits>(gateway, "memory.search", { query, ...params })

/** Names of the home's files in which the words stand. */
const filesWith = (home: string, words: string) =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0 && readFileSync(path).includes(words))

test("what is forgotten is in no file of the home any more", async () => {
  const secret = "Zanzibarquelle"
  await using model = startModel(function* ({ messages }) {
    const last = JSON.stringify(messages.at(-1)!.content)
    if (last.includes("LOOK")) yield { tool: "memory_search", input: { query: "locker" } }
    else yield "Noted."
  })
  await using gateway = await startGateway({ model })
  const peer = "ann"
  const session_key = `default:ws:default:${peer}`
  await ask(gateway, "chat.send", { content: `My locker's code is ${secret}.`, peer, idempotency_key: "k" })
  await ask(gateway, "chat.send", { content: "LOOK it up, please.", peer })
  await search(gateway, secret)
  expect(filesWith(gateway.home, secret)).not.toEqual([])
  for (;;) {
    const { hits } = await search(gateway, secret, { limit: 200 })
    const found = hits.filter(({ text }) => text.includes(secret))
    if (found.length === 0) break
    const memory_ids = found.map(({ memory_id }) => memory_id)
    const { forgotten } = await ask<{ forgotten: number }>(gateway, "memory.forget", {
      memory_ids,
      session_key,
    })
    expect(forgotten).toBeGreaterThan(0)
  }
  expect(filesWith(gateway.home, secret)).toEqual([])
  const history = JSON.stringify(await ask(gateway, "chat.history", { session_key }))
  expect(history).not.toContain(secret)
  expect(history).toContain("[forgotten]")
  expect(await ask(gateway, "session.search", { query: secret })).toEqual({ hits: [] })
})

test("with a session goes what is of it, also from what a search compares", async () => {
  await using gateway = await startGateway()
  await ask(gateway, "chat.send", { content: "My boat is called Albatross.", peer: "ann" })
  await ask(gateway, "memory.add", { text: "Albatross is a bird" })
  expect((await search(gateway, "Albatross")).hits.length).toBeGreaterThan(1)
  expect(filesWith(gateway.home, "boat is called")).not.toEqual([])
  await ask(gateway, "session.delete", { session_key: "default:ws:default:ann" })
  expect(filesWith(gateway.home, "boat is called")).toEqual([])
  const { hits, searched } = await search(gateway, "Albatross")
  expect([hits.map(({ text }) => text), searched.rows]).toEqual([["Albatross is a bird"], 1])
})

test("a list has every row once, the latest first, however large its pages", async () => {
  await using gateway = await startGateway()
  for (let i = 0; i < 7; i++)
    await ask(gateway, "memory.add", { text: `number ${i}`, tags: i % 2 ? ["odd"] : [] })
  for (const limit of [1, 3, 7, 500]) {
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await list(gateway, { limit, ...(cursor && { cursor }) })
      seen.push(...page.items.map(({ text }) => text))
      cursor = page.next
      if (cursor === undefined) break
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `number ${i}`))
  }
  expect((await list(gateway, { tags: ["odd"] })).items).toHaveLength(3)
  expect((await list(gateway, { kinds: ["fact"] })).items).toEqual([])
})

test("a search is narrowed by time, kind, tag and session, and counts what it was about", async () => {
  await using gateway = await startGateway()
  const rows = [1, 2, 3].map((at) => ({
    ...{ agent: "default", kind: "note", text: `tea at ${at}`, created_ms: at * 1000, tags: [`t${at}`] },
  }))
  await ask(gateway, "memory.import", { rows })
  await ask(gateway, "chat.send", { content: "There is tea in the session.", peer: "ann" })
  const about = async (params: object) => {
    const { hits, searched } = await search(gateway, "tea", params)
    return [hits.map(({ text }) => text).toSorted(), searched.rows]
  }
  expect(await about({ after_ms: 2000, before_ms: 3000 })).toEqual([["tea at 2"], 1])
  expect(await about({ tags: ["t3"] })).toEqual([["tea at 3"], 1])
  const [in_session] = await about({ session_key: "default:ws:default:ann", kinds: ["message"] })
  expect(in_session).toContain("There is tea in the session.")
  expect(in_session).not.toContain("tea at 1")
  const nowhere = { session_key: "default:ws:default:nobody" }
  expect(await call(gateway, "memory.search", { query: "tea", ...nowhere })).toMatchObject({
    error: { data: { code: "not_found" } },
  })
})

test("a namespace that is opened or closed by an edit is so with the next request", async () => {
  const config = (share: string, read: string) =>
    `[agent.memory]\nshare = ${share}\n[[agents]]\nid = "work"\n[agents.memory]\nread = ${read}\n`
  await using gateway = await startGateway({ config: config('["team"]', "[]") })
  await ask(gateway, "memory.add", { text: "The release is on Monday", namespace: "team" })
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  await socket.call("event.subscribe", { topics: ["config.*"] })
  const seen = async (share: string, read: string) => {
    writeFileSync(join(gateway.home, "config.toml"), config(share, read))
    expect((await socket.read()).params).toMatchObject({ topic: "config.reloaded" })
    return (await list(gateway, { agent: "work" })).items.length
  }
  expect((await list(gateway, { agent: "work" })).items).toEqual([])
  expect(await seen('["team"]', '["team"]')).toBe(1)
  expect(await seen("[]", '["team"]')).toBe(0)
  const refused = await call(gateway, "memory.add", { text: "x", namespace: "team" })
  expect(refused).toMatchObject({ error: { data: { code: "forbidden" } } })
})

test("senders that are together see each other's, by every way", async () => {
  await using model = startModel(function* ({ messages }) {
    const last = messages.at(-1)!
    if (last.role === "tool" || !JSON.stringify(last.content).includes("LOOK")) return yield "Fine."
    yield { tool: "memory_search", input: { query: "boat" } }
    yield { tool: "session_search", input: { query: "boat" } }
  })
  await using gateway = await startGateway({ model, config: '[memory]\nsenders = "together"\n' })
  await ask(gateway, "chat.send", { content: "My boat is called Albatross.", peer: "ann" })
  const sender = { channel: "ws", account: "default", peer: "bob" }
  expect((await search(gateway, "boat", { sender })).hits.map(({ text }) => text).join()).toContain(
    "Albatross",
  )
  await ask(gateway, "chat.send", { content: "LOOK", peer: "bob" })
  const results = model.asked.at(-1)!.messages.filter(({ role }) => role === "tool")
  expect(results.map(({ content }) => String(content).includes("Albatross"))).toEqual([true, true])
})

/** The tools as a model of the session calls them; null for none. */
async function tool(gateway: Started, peer: string | null, name: string, input: object) {
  const session_key = peer === null ? undefined : `default:ws:default:${peer}`
  return ask<{ content: string; is_error: boolean }>(gateway, "tool.call", {
    ...{ name, input },
    ...(session_key && { session_key }),
  })
}

test("an agent remembers and forgets for the sender of its session, without anybody to ask", async () => {
  await using gateway = await startGateway()
  for (const peer of ["ann", "bob"]) await ask(gateway, "chat.send", { content: "hello", peer })
  const fact = { subject: "user", predicate: "city", object: "Oslo" }
  const added = await tool(gateway, "ann", "memory_add", { text: "Ann lives in Oslo", fact, tags: ["home"] })
  expect(added.content).toMatch(/^Remembered as \[\d+\] .* fact \(#home\): /)
  const id = Number(/\[(\d+)\]/.exec(added.content)![1])
  const found = await tool(gateway, "ann", "memory_search", { query: "Where does Ann live?", kind: "fact" })
  expect(found.content).toContain("Oslo")
  expect(found.content).toMatch(/\nSearched 1 rows: words matched in 1, 1 compared by meaning \(exact\)\.$/)
  const other = await tool(gateway, "bob", "memory_search", { query: "Oslo" })
  expect(other.content).not.toContain("Ann lives")
  for (const peer of ["bob", null]) {
    const refused = await tool(gateway, peer, "memory_forget", { ids: [id], sure: true })
    expect(refused).toMatchObject({ is_error: true, content: expect.stringContaining("None of these") })
  }
  expect((await tool(gateway, "ann", "memory_forget", { ids: [id] })).content).toContain("would be forgotten")
  const gone = await tool(gateway, "ann", "memory_forget", { ids: [id], sure: true })
  expect(gone).toMatchObject({ is_error: false, content: "Forgotten: 1 of 1." })
  expect((await tool(gateway, "ann", "memory_search", { query: "Oslo", kind: "fact" })).content).toStartWith(
    "Nothing found.",
  )
  const { calls } = await ask<{ calls: { tool: string; verdict: string }[] }>(gateway, "tool.calls", {})
  expect(calls.every(({ verdict }) => verdict === "allow")).toBe(true)
})

test("what is for all senders is neither added to nor taken away by a tool, and nothing is added for nobody", async () => {
  await using gateway = await startGateway({ config: '[agent.memory]\nshare = ["team"]\nread = ["team"]\n' })
  await ask(gateway, "chat.send", { content: "hello", peer: "ann" })
  const own = await ask<Item>(gateway, "memory.add", { text: "The office is closed on Fridays" })
  const shared = await tool(gateway, "ann", "memory_add", {
    text: "The release is on Monday",
    namespace: "team",
  })
  expect(shared.content).toContain("of default, shared in team")
  expect(shared.content).toContain("(untrusted)")
  const ids = [Number(own.memory_id), Number(/\[(\d+)\]/.exec(shared.content)![1])]
  for (const peer of ["ann", null]) {
    const seen = await tool(gateway, peer, "memory_search", { query: "office release" })
    expect([seen.content.includes("office"), seen.content.includes("release")]).toEqual([true, true])
    expect((await tool(gateway, peer, "memory_forget", { ids, sure: true })).is_error).toBe(true)
  }
  expect(await tool(gateway, "ann", "memory_add", { text: "x", namespace: "other" })).toEqual({
    ...{ is_error: true, content: "This agent may not share anything in that namespace." },
    duration_ms: expect.any(Number),
  } as never)
  expect(await tool(gateway, null, "memory_add", { text: "x" })).toMatchObject({
    ...{ is_error: true, content: expect.stringContaining("nobody here to remember it for") },
  })
  expect((await list(gateway)).items.map(({ text }) => text)).not.toContain("x")
})

test("a rule takes the memory's tools away", async () => {
  await using model = startModel(() => ["fine"])
  await using gateway = await startGateway({
    model,
    config: '[agent]\nprovider = "script"\nmodel = "scripted"\n[agent.permissions]\ndeny = ["memory"]\n',
  })
  await ask(gateway, "chat.send", { content: "hello" })
  const told = model.asked[0]!.tools!.map((one) => one.function.name)
  expect(told.filter((name) => name.startsWith("memory"))).toEqual([])
  expect(await tool(gateway, "main", "memory_search", { query: "x" })).toMatchObject({ is_error: true })
})

test("an explanation names messages and rows by their own numbers, and its tokens add up", async () => {
  await using model = startModel(() => ["Noted."])
  await using gateway = await startGateway({ model })
  const session_key = "default:ws:default:ann"
  await ask(gateway, "chat.send", { content: "My sister lives in Lima.", peer: "ann" })
  type Piece = {
    part: string
    memory_id: string | null
    message_id: string | null
    tokens: number
    included: boolean
  }
  const { pieces, tokens } = await ask<{ pieces: Piece[]; tokens: number }>(gateway, "memory.explain", {
    ...{ session_key, text: "Where does my sister live?" },
  })
  const of = (part: string) => pieces.filter((piece) => piece.part === part)
  const { messages } = await ask<{ messages: { message_id: string }[] }>(gateway, "chat.history", {
    session_key,
  })
  expect(
    of("recent")
      .map(({ memory_id, message_id }) => [memory_id, message_id])
      .toSorted(),
  ).toEqual(messages.map(({ message_id }) => [null, message_id]).toSorted())
  const { items } = await list(gateway, { kinds: ["fact"] })
  expect(of("facts").map(({ memory_id, message_id }) => [memory_id, message_id])).toEqual([
    [items[0]!.memory_id, null],
  ])
  expect(of("question")).toMatchObject([{ memory_id: null, message_id: null }])
  const included = pieces.filter((piece) => piece.included).reduce((sum, piece) => sum + piece.tokens, 0)
  expect(tokens).toBeGreaterThanOrEqual(included)
  // Looking does not count as saying: nothing of it is in the session.
  expect(messages).toHaveLength(2)
})

test("what a model is given is marked as used, by a turn and by the tool, and by looking on it is not", async () => {
  await using model = startModel(() => ["Noted."])
  await using gateway = await startGateway({ model })
  const session_key = "default:ws:default:ann"
  type Items = { items: { text: string; uses: number; used_ms: number | null }[] }
  const say = (peer: string, content: string) => ask(gateway, "chat.send", { content, peer })
  await say("ann", "My sister lives in Lima.")
  await search(gateway, "sister Lima")
  await ask(gateway, "memory.explain", { session_key, text: "Where does my sister live?" })
  await say("ann", "Where does my sister live?")
  await tool(gateway, "ann", "memory_search", { query: "sister", kind: "fact" })
  await say("bob", "My brother lives in Rome.")
  // It is written in the background, what was first before what was last.
  for (;;) {
    const { items } = await ask<Items>(gateway, "memory.list", { kinds: ["fact"] })
    const [brother, sister] = items.map(({ uses, used_ms }) => [uses, used_ms !== null])
    if (brother![0] === 0) continue
    // What was just learnt is known in that very turn.
    expect(items.map(({ text }) => text.slice(-4))).toEqual(["Rome", "Lima"])
    expect([brother, sister]).toEqual([
      [1, true],
      [3, true],
    ])
    break
  }
})

test("where there is no model, what only repeats is nowhere: not found, not sent, and forgotten with the rest", async () => {
  await using gateway = await startGateway()
  const peer = "ann"
  const session_key = `default:ws:default:${peer}`
  const say = (content: string) => ask<{ text: string }>(gateway, "chat.send", { content, peer })
  await say("My name is Zanzibarquelle.")
  const long = Array.from({ length: 80 }, (_, i) => `word${i}`).join(" ")
  for (let i = 0; i < 8; i++) await say(`${long}. Is that a good name for ship number ${i}?`)
  const { text } = await say("What is my name?")
  expect(text).toContain("user's name: Zanzibarquelle")
  // A quotation of a quotation: an answer of the stand-in was given back as something that was said.
  expect(text.split("a model would be told")).toHaveLength(2)
  const { hits } = await search(gateway, "Zanzibarquelle model configured", { limit: 200 })
  expect(hits.filter(({ text }) => text.includes("No model is configured"))).toEqual([])
  const { pieces } = await ask<{ pieces: { text: string }[] }>(gateway, "memory.explain", {
    ...{ session_key, text: "What is my name?" },
  })
  expect(JSON.stringify(pieces)).not.toContain("No model is configured")
  const told = hits.filter(({ text }) => text.includes("Zanzibarquelle"))
  const memory_ids = told.map(({ memory_id }) => memory_id)
  await ask(gateway, "memory.forget", { memory_ids, session_key })
  expect(filesWith(gateway.home, "Zanzibarquelle")).toEqual([])
})
