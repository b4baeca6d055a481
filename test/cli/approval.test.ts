import { expect, test } from "bun:test"
import { startServer } from "../client/server.ts"
import { to, weft, weftInTerminal } from "./weft.ts"

const summary = `exec of the agent "default" would\n- execute /usr/bin/make ${"all ".repeat(100)}end`
const approval = {
  approval_id: "a1",
  hash: "h1",
  agent: "default",
  session_key: null,
  turn_id: "t",
  tool: "exec",
  summary,
  targets: [],
  input: {},
  created_ms: 0,
  expires_ms: 2 ** 42,
}
const grant = {
  grant_id: "g1",
  agent: "default",
  session_key: null,
  tool: "exec",
  summary: "what was allowed",
  given_by: "alice",
  created_ms: 0,
}

function startWaiting() {
  const server = startServer({ scopes: ["read", "approve"] })
  server.methods.set("approval.list", () => ({ approvals: [approval], grants: [grant] }))
  server.methods.set("approval.resolve", ({ approval_id, decision }) => ({ approval_id, decision }))
  server.methods.set("approval.revoke", () => grant)
  const answers = () =>
    server.seen.filter(({ method }) => method.startsWith("approval.r")).map(({ params }) => params)
  return { ...server, answers }
}

/** What is framed, without its frame and the line ends that the width of the terminal made. */
const unframed = (text: string) =>
  text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("│ "))
    .map((line) => line.slice(2))
    .join("")

test("approval list shows the whole of what waits, and what was given", async () => {
  await using server = startWaiting()
  const { stdout, exit } = await weft(["approval", "list", ...to(server)])
  expect(exit).toBe(0)
  expect(unframed(stdout)).toBe(`${summary.replaceAll("\n", "")}what was allowed`)
  for (const word of ["a1", "g1", "alice", "every session"]) expect(stdout).toContain(word)
  const json = await weft(["approval", "list", "--json", ...to(server)])
  expect(JSON.parse(json.stdout)).toEqual({ approvals: [approval], grants: [grant] })
})

test("approval allow shows what it allows, and binds the answer to it", async () => {
  await using server = startWaiting()
  const allowed = await weft(["approval", "allow", "a1", "--yes", "--lasts", "session", ...to(server)])
  expect(unframed(allowed.stdout)).toBe(summary.replaceAll("\n", ""))
  expect(allowed.stdout).toEndWith("\nAllowed.\n")
  const json = await weft(["approval", "allow", "a1", "--yes", "--json", ...to(server)])
  expect(JSON.parse(json.stdout)).toEqual({ approval_id: "a1", decision: "allow" })
  const bound = { approval_id: "a1", hash: "h1", decision: "allow" }
  expect(server.answers()).toEqual([
    { ...bound, lasts: "session" },
    { ...bound, lasts: "once" },
  ])
})

test.each([
  [["allow", "a1"], 2, "--yes is needed"],
  [["allow", "a1", "--json"], 2, "--yes is needed"],
  [["allow", "a2", "--yes"], 1, "Nothing waits under this id."],
  [["deny", "a2"], 1, "Nothing waits under this id."],
  [["allow", "a1", "--yes", "--lasts", "ever"], 2, "once"],
])("approval %j answers nothing and says why", async (args, exit, told) => {
  await using server = startWaiting()
  const ran = await weft(["approval", ...args, ...to(server)])
  expect(ran.stderr).toContain(told)
  expect(ran.exit === 0).toBe(false)
  if (exit === 2) expect(ran.exit).toBe(2)
  expect(server.answers()).toEqual([])
})

test.each([
  ["y", 1],
  ["yes", 1],
  ["", 0],
  ["n", 0],
])("approval allow asks in a terminal, and %j answers %d time", async (typed, count) => {
  await using server = startWaiting()
  await using terminal = weftInTerminal(["approval", "allow", "a1", ...to(server)])
  await terminal.shows(/all end[\s\S]*\[y\/N\] $/)
  expect(server.answers()).toEqual([])
  terminal.type(`${typed}\r`)
  expect(await terminal.exited).toBe(0)
  expect(server.answers()).toBeArrayOfSize(count)
})

test("approval deny and revoke say what they did", async () => {
  await using server = startWaiting()
  expect((await weft(["approval", "deny", "a1", ...to(server)])).stdout).toBe("Denied.\n")
  expect((await weft(["approval", "revoke", "g1", ...to(server)])).stdout).toContain("asks again")
  expect(server.answers()).toEqual([{ approval_id: "a1", hash: "h1", decision: "deny" }, { grant_id: "g1" }])
})

const other = { ...approval, approval_id: "a2", hash: "h2", summary: "exec of another agent" }

function startWatched() {
  const server = startWaiting()
  server.methods.set("event.subscribe", ({ topics }) => ({ topics }))
  server.methods.set("approval.resolve", ({ approval_id, decision }) => {
    server.publish("approval.resolved", { approval_id, decision, by: "operator" })
    return { approval_id, decision }
  })
  return server
}

test("approval watch asks about what waits and about what comes, each once", async () => {
  await using server = startWatched()
  await using terminal = weftInTerminal(["approval", "watch", ...to(server)])
  const first = await terminal.shows(/\[n\]o: $/)
  expect(unframed(first)).toBe(summary.replaceAll("\n", ""))
  for (const again of [approval, other]) server.publish("approval.requested", again)
  terminal.type("y\r")
  expect(unframed(await terminal.shows(/\[n\]o: $/))).toBe(other.summary)
  terminal.type("a\r")
  await terminal.shows(/allowed always/)
  terminal.type("\u0003")
  expect(await terminal.exited).toBe(0)
  expect(server.answers()).toEqual([
    { approval_id: "a1", hash: "h1", decision: "allow", lasts: "once" },
    { approval_id: "a2", hash: "h2", decision: "allow", lasts: "always" },
  ])
})

test.each([["\u0003"], ["\u0004"]])("who leaves approval watch by %j answers nothing", async (key) => {
  await using server = startWatched()
  await using terminal = weftInTerminal(["approval", "watch", ...to(server)])
  await terminal.shows(/\[n\]o: $/)
  terminal.type(key)
  await terminal.shows(/it goes on waiting/)
  expect(await terminal.exited).toBe(0)
  expect(server.answers()).toEqual([])
})

test("approval watch says when somebody else was faster, and what came while the connection was lost", async () => {
  await using server = startWatched()
  await using terminal = weftInTerminal(["approval", "watch", ...to(server)])
  await terminal.shows(/\[n\]o: $/)
  server.publish("approval.resolved", { approval_id: "a1", decision: "deny", by: "bob" })
  await terminal.shows(/denied by bob/)
  server.methods.set("approval.list", () => ({ approvals: [approval, other], grants: [] }))
  server.cut()
  expect(unframed(await terminal.shows(/\[n\]o: $/))).toBe(other.summary)
})

test("approval watch needs a terminal, and a token that may approve", async () => {
  await using server = startServer({ scopes: ["read"] })
  const ran = await weft(["approval", "watch", ...to(server)])
  expect({ exit: ran.exit, stdout: ran.stdout }).toEqual({ exit: 2, stdout: "" })
  await using terminal = weftInTerminal(["approval", "watch", ...to(server)])
  expect(await terminal.exited).toBe(77)
})

test("without a gateway nothing waits, and none is started to answer", async () => {
  const ran = await weft(["approval", "deny", "a1", "--home", "/nonexistent/weft"])
  expect(ran.exit).toBe(69)
})
