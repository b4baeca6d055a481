/** A call that waits for a person, at a terminal and without one. */
import { afterAll, expect, test } from "bun:test"
import { rm } from "node:fs/promises"
import { started, startServer, text } from "../client/server.ts"
import { temporaryFolder } from "../harness.ts"
import { to, weft, weftInTerminal } from "./weft.ts"

const home = (await temporaryFolder()).path
afterAll(() => rm(home, { recursive: true, force: true }))

const summary =
  'exec of the agent "default" would\n- execute /bin/rm "notes\\u{1b}[2K.txt"\n  command = rm notes.txt'
const approval = (approval_id = "a1") => ({
  type: "approval",
  approval_id,
  hash: `hash of ${approval_id}`,
  tool: "exec",
  summary: `${summary} ${approval_id}`,
  expires_ms: 2 ** 42,
})
const result = { type: "tool_result", id: "1", name: "exec", is_error: false, duration_ms: 1 }

/** Asks about these calls in each turn, and goes on when all are answered. */
function startAsking({ scopes = ["read", "chat", "approve", "admin"], ids = ["a1"] } = {}) {
  const server = startServer({ scopes })
  const answered = (turn_id: string, decision: unknown) => {
    server.emit(turn_id, { ...result, content: String(decision) }, text("Well then."))
    server.finish(turn_id)
  }
  let turn = ""
  let left = 0
  server.methods.set("event.subscribe", ({ topics }) => ({ topics }))
  server.methods.set("started", ({ turn_id }) => {
    turn = String(turn_id)
    left = ids.length
    server.emit(turn, started, { type: "tool_use", id: "1", name: "exec", input: {} }, ...ids.map(approval))
  })
  server.methods.set("approval.resolve", ({ approval_id, decision, lasts }) => {
    const data = { approval_id, decision, lasts, by: "operator", tool: "exec", session_key: null }
    server.publish("approval.resolved", data)
    if (--left === 0) answered(turn, decision)
    return { approval_id, decision }
  })
  server.methods.set("chat.abort", ({ turn_id }) => {
    server.finish(String(turn_id), "aborted")
    return { aborted: 1 }
  })
  const answers = () =>
    server.seen.filter(({ method }) => method === "approval.resolve").map(({ params }) => params)
  return { ...server, answers, finishTurn: () => answered(turn, "deny") }
}

const answer = (approval_id: string, decision: string, lasts = "once") => ({
  approval_id,
  hash: `hash of ${approval_id}`,
  decision,
  lasts,
})

test.each([
  ["y", "allow", "once", "allowed once"],
  ["yes", "allow", "once", "allowed once"],
  ["S", "allow", "session", "allowed for this session"],
  ["a", "allow", "always", "allowed always"],
  ["", "deny", "once", "denied"],
  ["n", "deny", "once", "denied"],
  ["yep", "deny", "once", "denied"],
  ["x\u007fy", "allow", "once", "allowed once"],
  ["\u001b[200~y\u001b[201~", "deny", "once", "denied"],
  ["\u001b[A", "deny", "once", "denied"],
])("in a chat %j is the answer %s, %s", async (typed, decision, lasts, told) => {
  await using server = startAsking()
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("tidy up\r")
  const shown = await chat.shows(/\[n\]o: $/)
  // Every row of it is marked as somebody else's words.
  for (const row of summary.split("\n")) expect(shown).toContain(`│ ${row}`)
  expect(server.answers()).toEqual([])
  chat.type(`${typed}\r`)
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain(told)
  expect(server.answers()).toEqual([answer("a1", decision, lasts)])
})

test("what was typed before the question is no answer to it, and is sent afterwards", async () => {
  await using server = startAsking()
  const go = Promise.withResolvers<void>()
  const ask = server.methods.get("started")!
  server.methods.set("started", (params, socket) => {
    if (params.content !== "first") return ask(params, socket)
    server.emit(String(params.turn_id), started, text("thinking"))
    void go.promise.then(() => {
      server.emit(String(params.turn_id), approval())
    })
  })
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("first\r")
  await chat.shows(/thinking/)
  chat.type("y\r")
  // Whoever is quick enough types into the same gap; the terminal is told of something, and again, so that what was
  // typed before has been read by then.
  for (const approval_id of ["x", "y", "z"]) {
    server.publish("approval.requested", { approval_id, agent: "other", tool: "exec", turn_id: "t" })
    await chat.shows(/weft approval list/)
  }
  go.resolve()
  await chat.shows(/\[n\]o: $/)
  expect(server.answers()).toEqual([])
  chat.type("\u0003")
  await chat.shows(/› y[\s\S]*\[n\]o: $/)
  expect(server.answers()).toEqual([answer("a1", "deny")])
})

test("several calls are asked about one after the other, each with its own summary", async () => {
  await using server = startAsking({ ids: ["a1", "a2", "a3"] })
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("go\r")
  expect(await chat.shows(/\[n\]o: $/)).not.toContain("a2")
  chat.type("y\r")
  expect(await chat.shows(/\[n\]o: $/)).toContain("notes.txt a2")
  chat.type("n\r")
  expect(await chat.shows(/\[n\]o: $/)).toContain("notes.txt a3")
  chat.type("s\r")
  await chat.shows(/offline · [\s\S]*› $/)
  expect(server.answers()).toEqual([
    answer("a1", "allow"),
    answer("a2", "deny"),
    answer("a3", "allow", "session"),
  ])
})

test.each([
  ["allow", "alice", "allowed by alice"],
  ["deny", "time", "nobody answered in time"],
])("who is asked is told when it is over: %s by %s", async (decision, by, told) => {
  await using server = startAsking()
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("go\r")
  await chat.shows(/\[n\]o: $/)
  server.publish("approval.resolved", { approval_id: "a1", decision, by })
  await chat.shows(new RegExp(told))
  // What is typed now answers nothing: it is what is said next, and asked about anew.
  chat.type("y\r")
  server.finishTurn()
  await chat.shows(/Well then\.[\s\S]*› y[\s\S]*\[n\]o: $/)
  expect(server.answers()).toEqual([])
})

test.each([
  ["not_found", "too late"],
  ["conflict", "not what was shown any more"],
])("an answer that is refused as %s is told, and the chat goes on", async (code, told) => {
  await using server = startAsking()
  server.hooks.onRequest = ({ id, method }, socket) => {
    if (method !== "approval.resolve") return undefined
    socket.send(
      JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32004, message: "No.", data: { code } } }),
    )
    server.finishTurn()
    return "ignore"
  }
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("go\r")
  await chat.shows(/\[n\]o: $/)
  chat.type("y\r")
  expect(await chat.shows(/Well then\.[\s\S]*› $/)).toContain(told)
})

test("Ctrl-C is a no and stops the turn", async () => {
  await using server = startAsking()
  server.methods.set("approval.resolve", () => ({ approval_id: "a1", decision: "deny" }))
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("go\r")
  await chat.shows(/\[n\]o: $/)
  chat.type("\u0003")
  await chat.shows(/stopped[\s\S]*› $/)
  expect(server.answers()).toEqual([answer("a1", "deny")])
  expect(server.seen.map(({ method }) => method)).toContain("chat.abort")
})

test("with a token that may not approve a chat asks nothing, and says who has to answer", async () => {
  await using server = startAsking({ scopes: ["read", "chat"] })
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("go\r")
  expect(await chat.shows(/notes\.txt a1/)).toContain("Somebody who may approve has to answer")
  expect(server.seen.map(({ method }) => method)).not.toContain("event.subscribe")
  server.finishTurn()
  await chat.shows(/Well then\.[\s\S]*› $/)
})

test.each([
  ["y", "allow"],
  ["", "deny"],
])("weft agent asks in a terminal, and %j is the answer %s", async (typed, decision) => {
  await using server = startAsking()
  await using agent = weftInTerminal(["agent", "-m", "go", ...to(server)])
  const shown = await agent.shows(/\[n\]o: $/)
  for (const row of summary.split("\n")) expect(shown).toContain(`│ ${row}`)
  agent.type(`${typed}\r`)
  await agent.shows(/Well then\./)
  expect(await agent.exited).toBe(0)
  expect(server.answers()).toEqual([answer("a1", decision)])
})

test("weft agent at a terminal is told when somebody else answers, and Ctrl-C is a no", async () => {
  await using server = startAsking()
  await using agent = weftInTerminal(["agent", "-m", "go", ...to(server)])
  await agent.shows(/\[n\]o: $/)
  server.publish("approval.resolved", { approval_id: "a1", decision: "allow", by: "alice" })
  await agent.shows(/allowed by alice/)
  server.finishTurn()
  expect(await agent.exited).toBe(0)
  await using stopped = weftInTerminal(["agent", "-m", "go", ...to(server)])
  await stopped.shows(/\[n\]o: $/)
  stopped.type("\u0003")
  expect(await stopped.exited).not.toBe(0)
  expect(server.answers()).toEqual([answer("a1", "deny")])
})

test("without a terminal nobody is asked, and what was denied is said with how to allow it", async () => {
  await using server = startAsking()
  server.methods.set("started", ({ turn_id }) => {
    const content = "Denied: It needs a person's approval, and nobody is there to give it."
    server.emit(String(turn_id), started, { ...result, is_error: true, content }, text("I may not."))
    server.finish(String(turn_id))
  })
  for (const args of [["agent", "-m", "go"], ["chat"]]) {
    const { stdout, stderr, exit } = await weft([...args, ...to(server), "--home", home], { stdin: "go\n" })
    expect({ stdout, exit }).toEqual({ stdout: "I may not.\n", exit: 0 })
    expect(stderr).toContain("[exec] Denied: It needs a person's approval")
    expect(stderr).toContain("[agent.permissions]")
  }
  expect(server.seen.map(({ method }) => method)).not.toContain("event.subscribe")
})
