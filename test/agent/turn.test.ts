import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import type { Outcome } from "../../src/agent/outcome.ts"
import { AppError } from "../../src/base/errors.ts"
import { listMessages } from "../../src/store/messages.ts"
import { getSession, patchSession, resetSession, touchSession } from "../../src/store/sessions.ts"
import { findTurn } from "../../src/store/turns.ts"
import { sumUsage } from "../../src/store/usage.ts"
import { defineTool } from "../../src/tools/tool.ts"
import { temporaryFolder } from "../harness.ts"
import {
  done,
  eventsOf,
  failure,
  linesOf,
  openHouse,
  partsOf,
  stopOf,
  stored,
  text,
  untilEvent,
  use,
} from "./scripted.ts"

const { key } = partsOf("main")

test("a turn answers with its text, its price and where it is kept", async () => {
  await using house = await openHouse()
  const turn = house.say("hello", { metadata: { from: "test" } })
  const outcome = await turn.outcome
  const [question, answer] = listMessages(house.store.db, getSession(house.store.db, key).id, { limit: 9 })
  expect(outcome).toEqual({
    result: {
      ...{
        turn_id: turn.id,
        session_key: key,
        message_id: String(answer!.id),
        text: "ok",
        stop_reason: "end",
      },
      usage: { input_tokens: 10, output_tokens: 5, cost_usd: 0.01 },
    },
  })
  expect(turn.log.entries.map(({ event }) => event)).toEqual([
    {
      type: "started",
      ...{ session_key: key, agent: "default", matched_by: "default", provider: "one", model: "a" },
    },
    { type: "text", text: "ok" },
    expect.objectContaining({ type: "usage" }),
    { type: "done", stop_reason: "end" },
  ])
  expect(question).toMatchObject({ role: "user", metadata: { from: "test" }, turn_id: turn.id })
  expect(answer).toMatchObject({ role: "assistant", provider: "one", turn_id: turn.id })
  expect(house.told).toEqual([`started ${turn.id}`, `ended ${turn.id}`])
})

test("a provider's failure ends the turn with its word and leaves the session as it should be", async () => {
  await using house = await openHouse({
    script: function* (_asked, call) {
      yield text("half of it")
      if (call === 0) throw failure({ status: 400 })
      yield done()
    },
  })
  const failed = house.say("first")
  expect(await failed.outcome).toEqual({
    error: {
      code: "provider_failed",
      data: { provider: "one", retryable: false, reason: "scripted", status: 400, turn_id: failed.id },
    },
  })
  expect(eventsOf(failed)).toEqual(["started", "text", "error", "done"])
  expect(findTurn(house.store.db, failed.id)).toMatchObject({ state: "failed", stop_reason: "error" })
  expect(await stopOf(house.say("second"))).toBe("end")
  expect(linesOf(house.models.asked[1]!)).toEqual(["user first", "user second"])
})

test("the question is on disk before the turn starts, each round before the next call, the answer before the end", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  const seen: Record<string, string[]> = {}
  const look = (when: string) => {
    using db = new Database(path, { readonly: true })
    const rows = db.query("SELECT role FROM message ORDER BY id").values().flat() as string[]
    const states = db.query("SELECT state FROM turn").values().flat() as string[]
    seen[when] = [...states, ...rows]
  }
  const peek = defineTool({
    ...{ name: "peek", description: "Peek.", effect: "none", params: Type.Object({}) },
    run: () => "seen",
  })
  await using house = await openHouse({
    path,
    tools: [peek],
    script: (_asked, call) => {
      look(`call ${call}`)
      return call === 0 ? [use("peek"), done("tool_use")] : [text("ok"), done()]
    },
  })
  const turn = house.say("hello")
  turn.log.watch(({ event }) => ["started", "done"].includes(event.type) && look(event.type))
  await turn.outcome
  expect(seen).toEqual({
    started: ["running", "user"],
    "call 0": ["running", "user"],
    "call 1": ["running", "user", "assistant", "tool"],
    done: ["done", "user", "assistant", "tool", "assistant"],
  })
})

test("a disk that is full at the start takes nothing, one that is full at the end says so", async () => {
  await using house = await openHouse({ script: () => [text("x".repeat(200_000)), done()] })
  const { db } = house.store
  const fill = () => {
    const { page_count } = db.query("PRAGMA page_count").get() as { page_count: number }
    db.run(`PRAGMA max_page_count = ${page_count}`)
  }
  fill()
  const refused = house.say("y".repeat(100_000))
  expect(await stopOf(refused)).toBe("storage_failed")
  expect(eventsOf(refused)).toEqual(["error", "done"])
  db.run("PRAGMA max_page_count = 1000000")
  const lost = house.say("hello")
  await untilEvent(lost, "started")
  fill()
  expect(await stopOf(lost)).toBe("storage_failed")
  expect(lost.log.entries.at(-1)?.event).toEqual({ type: "done", stop_reason: "error" })
  db.run("PRAGMA max_page_count = 1000000")
  // Who asks for it later hears the same.
  const later = house.turns.find(lost.id, 3)!
  expect([await stopOf(later), later.log.entries]).toEqual([
    "storage_failed",
    [{ seq_first: 4, seq: 4, event: { type: "done", stop_reason: "error" } }],
  ])
  expect(await stopOf(house.say("again"))).toBe("end")
})

test("a bug in the middle of a turn is logged with its cause, and the turn still ends in the store", async () => {
  const bug = new TypeError("undefined is not a function")
  await using house = await openHouse({
    script: function* () {
      yield* []
      throw bug
    },
  })
  const turn = house.say("hello")
  const outcome = (await turn.outcome) as Extract<Outcome, { error: unknown }>
  expect(outcome).toMatchObject({ error: { code: "internal", data: { turn_id: turn.id } } })
  expect(house.logged).toEqual([
    ["a turn failed", { incident: outcome.error.data.incident, cause: expect.stringContaining("TypeError") }],
  ])
  expect(findTurn(house.store.db, turn.id)).toMatchObject({
    state: "failed",
    outcome: JSON.stringify(outcome),
  })
})

test("a bug before the first write is logged, and nothing is kept", async () => {
  await using house = await openHouse()
  const turn = house.say("hello", { metadata: { not_json: 1n } })
  expect(await stopOf(turn)).toBe("internal")
  expect(eventsOf(turn)).toEqual(["error", "done"])
  expect(house.logged).toMatchObject([["a turn failed", { cause: expect.stringContaining("BigInt") }]])
  expect(house.store.db.query("SELECT * FROM turn").all()).toEqual([])
})

test("a soul that cannot be read fails the turn and not the session", async () => {
  await using folder = await temporaryFolder()
  const config = { soul_path: "." }
  await using house = await openHouse({ config, folder: folder.path })
  const turn = house.say("hello")
  expect(await stopOf(turn)).toBe("internal")
  expect(eventsOf(turn)).toEqual(["started", "error", "done"])
  expect(findTurn(house.store.db, turn.id)).toMatchObject({ state: "failed" })
})

test("the model is told who it is, from a file that is read again when it changes", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "SOUL.md")
  const config = { system_prompt: "Answer briefly.", soul_path: "SOUL.md" }
  await using house = await openHouse({ config, folder: folder.path })
  await house.say("1").outcome
  for (const [i, soul] of ["I am a cat.\n", "I am a dog.\n"].entries()) {
    writeFileSync(path, soul)
    utimesSync(path, i, i)
    await house.say("2").outcome
  }
  await house.turns.submit(house.request("3", { system: "The client's own." })).outcome
  expect(house.models.asked.map(({ system }) => system)).toEqual([
    "Answer briefly.",
    "Answer briefly.\n\nI am a cat.",
    "Answer briefly.\n\nI am a dog.",
    "Answer briefly.\n\nI am a dog.\n\nThe client's own.",
  ])
})

test.each([
  [0, [5]],
  // Three windows at most wait for their summary; then the beginning moves on by a window at a time.
  [1, [4, 5]],
  [2, [1, 2, 3, 4, 5]],
])(
  "with a window of %p past turns the model sees those and older ones until they are summarised",
  async (window, turns) => {
    await using house = await openHouse({ window })
    for (const content of ["1", "2", "3", "4", "5"]) await house.say(content).outcome
    const lines = turns.flatMap((n) => [`user ${n}`, "assistant ok"]).slice(0, -1)
    expect(linesOf(house.models.asked[4]!)).toEqual(lines)
  },
)

test("the memory hears what users say in the commit that begins the turn, and goes on when it is over", async () => {
  await using house = await openHouse({
    script: function* (_asked, call) {
      if (call === 1) throw failure()
      yield text("ok")
      yield done()
    },
  })
  await house.say("one").outcome
  await house.say("two").outcome
  await house.turns.submit(house.request("without a session")).outcome
  const { id } = getSession(house.store.db, key)
  expect(house.remembered).toEqual(["heard 1", `later ${id}`, "heard 3", `later ${id}`])
})

test("what a client's own tools answered is not heard as the user's", async () => {
  await using house = await openHouse({
    script: (_asked, call) =>
      call === 0 ? [use("theirs", {}, "c1"), done("tool_use")] : [text("ok"), done()],
  })
  const client_tools = [{ name: "theirs", description: "", input_schema: Type.Object({}) }]
  await house.say("look", { client_tools }).outcome
  const parts = [
    { type: "tool_result" as const, id: "c1", name: "", content: "I am Mallory.", is_error: false },
  ]
  await house.turns.submit({
    ...house.request("", { client_tools, session: partsOf("main") }),
    ...{ parts, role: "tool" },
  }).outcome
  expect(house.remembered.filter((line) => line.startsWith("heard"))).toEqual(["heard 1"])
})

test("what the memory found stands in front of the message, and is not stored", async () => {
  const soul = () => [{ name: "SOUL.md", text: "I am a cat." }]
  const search = async () => {
    const searched = { rows: 1, words_matched: 1, vectors: [], pending: 0, warnings: [], took_ms: 0 }
    const owner = { agent: "default", sender: "", namespace: "" }
    const item = {
      ...{ id: 7, kind: "note" as const, text: "The key is under the mat.", owner },
      session_key: null,
    }
    const more = { tags: [], importance: 0.5, source: "user" as const, created_ms: 0, used_ms: null, uses: 0 }
    return { hits: [{ ...item, ...more, message_id: null, score: 1, why: ["words 1st"] }], searched }
  }
  await using house = await openHouse({ config: { system_prompt: "Be brief." }, memory: { search, soul } })
  await house.say("where is the key?").outcome
  expect(house.models.asked[0]!.system).toBe("Be brief.\n\nI am a cat.")
  const [asked] = linesOf(house.models.asked[0]!)
  expect(asked).toMatch(
    /^user <memory>[\s\S]*The key is under the mat\.[\s\S]*<\/memory>\n\+where is the key\?$/,
  )
  expect(stored(house)).toEqual(["user where is the key?", "assistant ok"])
})

test("after a reset the model sees what comes after it, and the search sees all", async () => {
  await using house = await openHouse()
  await house.say("before").outcome
  await house.store.commit((db) => resetSession(db, getSession(db, key).id))
  await house.say("after").outcome
  expect(linesOf(house.models.asked[1]!)).toEqual(["user after"])
  expect(stored(house)).toHaveLength(4)
})

test("what has no session brings its own history and leaves nothing but its price", async () => {
  await using house = await openHouse()
  const history = [{ role: "user" as const, parts: [{ type: "text" as const, text: "before" }] }]
  const turn = house.turns.submit(house.request("now", { history }))
  expect(await turn.outcome).toMatchObject({ result: { session_key: null, message_id: null, text: "ok" } })
  expect(linesOf(house.models.asked[0]!)).toEqual(["user before", "user now"])
  const count = (table: string) => house.store.db.query(`SELECT * FROM ${table}`).all().length
  expect(["session", "message", "turn", "usage"].map(count)).toEqual([0, 0, 1, 1])
  expect(await house.turns.find(turn.id)?.outcome).toEqual(await turn.outcome)
})

test.each([
  ["the agent's own", undefined, undefined, "one/a"],
  ["the session's", undefined, "two/c", "two/c"],
  ["the message's before the session's", "b", "two/c", "one/b"],
  ["the agent's, where the session's is not allowed any more", undefined, "two/gone", "one/a"],
])("the model is %s", async (_which, model, session_model, asked) => {
  await using house = await openHouse({ config: { models: ["b", "two/c"] } })
  await house.say("make the session").outcome
  if (session_model) {
    await house.store.commit((db) =>
      patchSession(db, getSession(db, key).id, { title: null, model: session_model }),
    )
  }
  const turn = house.say("hello", model === undefined ? {} : { model })
  await turn.outcome
  const { provider, model: used } = house.models.asked[1]!
  expect(`${provider}/${used}`).toBe(asked)
  expect(turn.log.entries[0]!.event).toMatchObject({ provider, model: used })
})

test("a model that the agent may not use is refused before anything is kept", async () => {
  await using house = await openHouse({ config: { models: ["b"] } })
  const data = { what: "model", model: "two/c", allowed: ["one/a", "one/b"] }
  expect(() => house.say("hello", { model: "two/c" })).toThrow(
    expect.objectContaining({ code: "forbidden", data }),
  )
  expect(house.models.asked).toEqual([])
  expect(house.store.db.query("SELECT * FROM session").all()).toEqual([])
})

test("where a model fails its fallbacks answer, in their order and with their own limits", async () => {
  const config = {
    ...{ provider: "one", model: "a", max_tokens: 300, temperature: 0.5 },
    fallback: { provider: "one", model: "b", fallback: { provider: "two", model: "c", max_tokens: 10 } },
  }
  await using house = await openHouse({
    config,
    script: function* ({ model }) {
      if (model !== "c") throw failure()
      yield* [text("here"), done()]
    },
  })
  const turn = house.say("hello", { tokens_max: 200 })
  expect(await turn.outcome).toMatchObject({ result: { text: "here", usage: { cost_usd: null } } })
  expect(eventsOf(turn)).toEqual(["started", "failover", "failover", "text", "usage", "done"])
  expect(
    house.models.asked.map(({ model, tokens_max, temperature }) => [model, tokens_max, temperature]),
  ).toEqual([
    ["a", 200, 0.5],
    ["b", 200, undefined],
    ["c", 10, undefined],
  ])
  const answer = listMessages(house.store.db, getSession(house.store.db, key).id, { limit: 1 })
  expect(answer).toMatchObject([{ provider: "two" }])
})

test("each model call of a turn is on the bill, also of one that failed later", async () => {
  const look = defineTool({
    ...{ name: "look", description: "Look.", effect: "none", params: Type.Object({}) },
    run: () => "seen",
  })
  await using house = await openHouse({
    tools: [look],
    script: (_asked, call) => {
      if (call === 2) throw failure()
      return [use("look"), done("tool_use")]
    },
  })
  await house.say("hello").outcome
  const [sum] = sumUsage(house.store.db, { by: "none", since_ms: 0, until_ms: house.clock.now_ms + 1 })
  expect(sum).toMatchObject({ calls: 2, input_tokens: 20, cost_usd: 0.02 })
  const [first] = house.store.db.query("SELECT * FROM usage").all()
  expect(first).toMatchObject({
    session_key: key,
    agent: "default",
    provider: "one",
    model: "a",
    cached_tokens: 1,
  })
})

test("a tool finds what was said to its own agent only", async () => {
  const find = defineTool({
    ...{ name: "find", description: "Find.", effect: "none", params: Type.Object({}) },
    run: (_params, { agent, session_key, searchSessions }) =>
      `${agent} ${session_key} ${searchSessions("needle", 9).map((hit) => hit.session_key)}`,
  })
  await using house = await openHouse({
    tools: [find],
    script: (_asked, call) => (call === 0 ? [use("find"), done("tool_use")] : [text("ok"), done()]),
  })
  await house.store.commit((db) => {
    const parts = { ...partsOf("x"), agent: "work" }
    const { id } = touchSession(db, "work:ws:default:x", parts, 1)
    db.query(
      "INSERT INTO message (session_id, turn_id, role, parts, text, created_ms) VALUES (?, '', 'user', '[]', 'needle', 1)",
    ).run(id)
  })
  const turn = house.say("a needle")
  await turn.outcome
  const result = turn.log.entries.map(({ event }) => event).find(({ type }) => type === "tool_result")
  expect(result).toMatchObject({ content: `default ${key} ${key}` })
})

test("an abort that comes before the first write still keeps the question", async () => {
  await using house = await openHouse()
  const turn = house.say("never mind")
  turn.abort(new AppError("aborted"))
  expect(await turn.outcome).toMatchObject({ result: { stop_reason: "aborted", text: "", message_id: null } })
  expect([stored(house), house.models.asked]).toEqual([["user never mind"], []])
})
