/** Who may do what: every method and endpoint by every kind of token, from the table of methods itself. */
import { afterAll, expect, test } from "bun:test"
import { methods } from "../../src/registry.ts"
import { checked, openSocket, startGateway, startModel } from "../harness.ts"
import { ask, call, type Made, makeToken, post, request } from "./client.ts"

const config = `
[agent]
provider = "script"
model = "scripted"
[[agents]]
id = "work"
provider = "script"
model = "scripted"
`
const model = startModel(() => ["fine"])
// What a method does is another test's business: here it says that it was reached.
const reached = methods.map((method) =>
  method.before_connect || method.name === "token.create" || method.name === "token.revoke"
    ? checked(method)
    : { ...method, parse: (params: unknown) => params, run: () => "reached" },
)
const gateway = await startGateway({ config, model, methods: reached })
const real = await startGateway({ config, model })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await real[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

const [read, chat, approve, both, admin, revoked, expired, restricted, nobody] = await Promise.all([
  makeToken(gateway, { scopes: ["read"] }),
  makeToken(gateway, { scopes: ["chat"] }),
  makeToken(gateway, { scopes: ["approve"] }),
  makeToken(gateway, { scopes: ["chat", "approve"] }),
  makeToken(gateway, { scopes: ["admin"] }),
  makeToken(gateway, { scopes: ["admin"] }),
  makeToken(gateway, { scopes: ["admin"], expires_ms: 1 }),
  makeToken(gateway, { scopes: ["chat"], agents: ["work"] }),
  makeToken(gateway, { scopes: ["read"], agents: [] }),
])
await ask(gateway, "token.revoke", { token_id: revoked.token_id })

/** What a token of each kind may do. Written out here once more, on purpose. */
const allowed: Record<string, string[]> = {
  read: ["none", "read"],
  chat: ["none", "read", "chat"],
  approve: ["none", "approve"],
  "chat approve": ["none", "read", "chat", "approve"],
  admin: ["none", "read", "chat", "approve", "admin"],
}
const tokens: [who: string, token: string | undefined, scope: string | undefined][] = [
  ["no token", undefined, undefined],
  ["a wrong token", `weft_${"x".repeat(43)}`, undefined],
  ["a revoked token", revoked.token, undefined],
  ["an expired token", expired.token, undefined],
  ["a token to read", read.token, "read"],
  ["a token to read that reaches no agent", nobody.token, "read"],
  ["a token to chat", chat.token, "chat"],
  ["a token to chat with one agent", restricted.token, "chat"],
  ["a token to approve", approve.token, "approve"],
  ["a token to chat and to approve", both.token, "chat approve"],
  ["an admin's token", admin.token, "admin"],
  ["the operator's token", gateway.token, "admin"],
]

const checkedMethods = methods.filter(
  ({ before_connect, name }) => !before_connect && !name.startsWith("token.c") && name !== "token.revoke",
)
const others = methods.filter((method) => !checkedMethods.includes(method))

/** What a method must answer to a token of that scope: a result, or the code of the error. */
function expectedOf(name: string, scope: string | undefined): unknown {
  if (scope === undefined) return { error: { code: -32001, data: { code: "unauthorized" } } }
  const needed = methods.find((method) => method.name === name)!.scope
  return allowed[scope]!.includes(needed)
    ? { result: "reached" }
    : { error: { code: -32002, data: { code: "forbidden", scope: needed } } }
}

// Each wrong token counts against the address, so those run within a minute's ten.
test.each(tokens)("every method over a socket: %s", async (_who, token, scope) => {
  if (scope === undefined) {
    for (const { name } of methods.filter((method) => !method.before_connect)) {
      await using socket = await openSocket(gateway.ws)
      expect(await socket.call(name, { scopes: ["admin"], scope: "admin" })).toMatchObject(
        expectedOf(name, undefined) as object,
      )
      expect(await socket.closed).toMatchObject({ code: 4001 })
    }
    return
  }
  await using socket = await openSocket(gateway.ws, { token: token! })
  for (const { name } of checkedMethods) {
    expect([name, await socket.call(name)]).toMatchObject([name, expectedOf(name, scope) as object])
  }
})

test.each(tokens)("every method over HTTP: %s", async (_who, token, scope) => {
  if (scope === undefined) {
    // One request tells, since the token is looked at before the method; a batch without one tells for each method.
    const entries = checkedMethods.map(({ name }, id) => request(name, {}, id))
    const response = await post(gateway, token === undefined ? entries : entries[0], token)
    const answers = [await response.json()].flat() as object[]
    expect(answers).toBeArrayOfSize(token === undefined ? entries.length : 1)
    for (const answer of answers) expect(answer).toMatchObject({ error: { code: -32001 } })
    return
  }
  for (const { name } of checkedMethods) {
    expect([name, await call(gateway, name, {}, token)]).toMatchObject([
      name,
      expectedOf(name, scope) as object,
    ])
  }
})

test("the methods that the matrix calls for real are declared for admin, or come before connect", () => {
  expect(others.map(({ name, scope }) => [name, scope])).toEqual([
    ["connect", "none"],
    ["token.create", "admin"],
    ["token.revoke", "admin"],
    ["token.code", "admin"],
    ["token.exchange", "none"],
  ])
})

test.each(["token.create", "token.revoke", "token.code"])("%s takes an admin", async (name) => {
  for (const { token } of [read, chat, restricted, approve, both]) {
    expect(await call(gateway, name, { name: "x", token_id: chat.token_id }, token)).toMatchObject({
      error: { data: { code: "forbidden", scope: "admin" } },
    })
  }
})

test.each(["revoked", "expired", "wrong"])("a %s token does not connect", async (which) => {
  const token = { revoked, expired, wrong: { token: "wrong" } }[which]!.token
  await using socket = await openSocket(gateway.ws)
  expect(await socket.call("connect", { token })).toMatchObject({ error: { code: -32001 } })
  expect(await socket.closed).toMatchObject({ code: 4001 })
})

test("what a client says of its own scopes has no effect", async () => {
  await using socket = await openSocket(gateway.ws)
  const said = { token: read.token, scopes: ["admin"] }
  expect(await socket.call("connect", said)).toMatchObject({ error: { code: -32602 } })
  await using polite = await openSocket(gateway.ws, { headers: { "x-weft-scopes": "admin" } })
  const { result } = await polite.call("connect", {
    token: read.token,
    client: { name: "admin", version: "admin" },
  })
  expect(result).toMatchObject({ scopes: ["read"], agents: null })
  expect(await polite.call("config.get")).toMatchObject({ error: { data: { code: "forbidden" } } })
})

test.each([
  ["read", ["read"], "read", ["read"]],
  ["chat", ["chat"], "chat", ["read", "chat"]],
  ["approve", ["approve"], "approve", ["approve"]],
  ["chat and approve", ["chat", "approve"], "chat approve", ["read", "chat", "approve"]],
  ["read and chat", ["read", "chat"], "chat", ["read", "chat"]],
  ["admin", ["admin"], "admin", ["read", "chat", "approve", "admin"]],
  ["approve and admin", ["approve", "admin"], "admin", ["read", "chat", "approve", "admin"]],
] as const)("connect tells a token to %s what it may do", async (_name, given, scope, scopes) => {
  const made = await ask(gateway, "token.create", { name: "x", scope: given })
  expect(made).toMatchObject({ scope })
  await using socket = await openSocket(gateway.ws)
  const { result } = await socket.call("connect", { token: made.token })
  expect(result).toMatchObject({ protocol: 1, server: { name: "weft" }, scopes: [...scopes] })
})

test.each([[[]], [["chat", "root"]], ["chat approve"], [["chat", "chat", "chat", "chat", "chat"]], [{}]])(
  "a token cannot have the scope %j",
  async (scope) => {
    const refused = await call(gateway, "token.create", { name: "x", scope })
    expect(refused).toMatchObject({ error: { data: { code: "invalid_params" } } })
  },
)

test("a browser's token of a code has the scopes of the code's maker and no others", async () => {
  const maker = await makeToken(real, { scopes: ["admin", "approve"], agents: ["work"] })
  const { code } = await ask<{ code: string }>(real, "token.code", {}, maker.token)
  const { token } = await ask<{ token: string }>(real, "token.exchange", { code })
  await using socket = await openSocket(real.ws)
  expect((await socket.call("connect", { token })).result).toMatchObject({
    scopes: ["read", "chat", "approve", "admin"],
    agents: ["work"],
  })
})

/** Things of the agent "default", and the calls that would reach them. */
async function ofDefault(peer: string) {
  const { turn_id, session_key } = await ask(real, "chat.send", {
    content: "the word is marzipan",
    agent: "default",
    peer,
  })
  const { messages } = await ask<{ messages: unknown[] }>(real, "chat.history", { session_key })
  expect(messages).toBeArrayOfSize(2)
  return { turn_id, session_key } as { turn_id: string; session_key: string }
}

test("a token for one agent finds another agent's things as little as what is not there", async () => {
  const { turn_id, session_key } = await ofDefault("hidden")
  const { token } = await makeToken(real, { scopes: ["chat"], agents: ["work"] })
  const calls: [method: string, params: Record<string, unknown>, absent: Record<string, unknown>][] = [
    ["chat.history", { session_key }, { session_key: "default:ws:default:nobody" }],
    ["session.get", { session_key }, { session_key: "default:ws:default:nobody" }],
    ["session.reset", { session_key }, { session_key: "default:ws:default:nobody" }],
    ["session.delete", { session_key }, { session_key: "default:ws:default:nobody" }],
    ["session.export", { session_key }, { session_key: "default:ws:default:nobody" }],
    [
      "session.patch",
      { session_key, title: "mine" },
      { session_key: "default:ws:default:nobody", title: "mine" },
    ],
    ["chat.abort", { session_key }, { session_key: "default:ws:default:nobody" }],
    ["chat.abort", { turn_id }, { turn_id: "nothing" }],
    ["chat.attach", { turn_id }, { turn_id: "nothing" }],
    ["turn.rate", { turn_id, rating: 1 }, { turn_id: "nothing", rating: 1 }],
    ["agent.get", { id: "default" }, { id: "nobody" }],
    ["chat.send", { content: "x", agent: "default" }, { content: "x", agent: "nobody" }],
  ]
  /** The answer with the asked-for names taken out, which it may repeat. */
  const blank = (answer: object, params: object) =>
    Object.values(params).reduce(
      (text, value) => text.replaceAll(JSON.stringify(value), "…"),
      JSON.stringify(answer),
    )
  for (const [method, params, absent] of calls) {
    const hidden = await call(real, method, params, token)
    expect([method, hidden.error?.data.code]).toEqual([
      method,
      method === "chat.send" ? "forbidden" : "not_found",
    ])
    expect(blank(hidden, params)).toBe(blank(await call(real, method, absent, token), absent))
  }
})

test("lists and searches leave out what the token does not reach", async () => {
  const { session_key } = await ofDefault("listed")
  const hears = async (token: string) => ({
    sessions: (await ask<{ sessions: object[] }>(real, "session.list", {}, token)).sessions.length,
    asked: (await ask<{ sessions: object[] }>(real, "session.list", { agent: "default" }, token)).sessions
      .length,
    hits:
      (await ask<{ hits: object[] }>(real, "session.search", { query: "marzipan" }, token)).hits.length > 0,
    usage: (await ask<{ groups: object[] }>(real, "usage.get", {}, token)).groups.length,
    spent: (await ask<{ groups: object[] }>(real, "usage.get", { session_key }, token)).groups.length,
    agents: (await ask<{ agents: { id: string }[] }>(real, "agent.list", {}, token)).agents.map(
      ({ id }) => id,
    ),
    tools: (await ask<{ tools: { agents: string[] }[] }>(real, "tool.list", {}, token)).tools[0]?.agents,
    status: await ask(real, "status", {}, token).then(({ agents, sessions }) => ({ agents, sessions })),
  })
  const one = await makeToken(real, { scopes: ["read"], agents: ["work"] })
  const none = await makeToken(real, { scopes: ["read"], agents: [] })
  const nothing = { sessions: 0, asked: 0, hits: false, usage: 0, spent: 0 }
  expect(await hears(one.token)).toEqual({
    ...nothing,
    agents: ["work"],
    tools: ["work"],
    status: { agents: 1, sessions: 0 },
  })
  expect(await hears(none.token)).toEqual({
    ...nothing,
    agents: [],
    tools: [],
    status: { agents: 0, sessions: 0 },
  })
  expect(await hears(real.token)).toMatchObject({
    sessions: expect.any(Number),
    asked: expect.any(Number),
    hits: true,
    usage: 1,
    agents: ["default", "work"],
  })
})

test("an admin of one agent makes and sees no token that reaches further", async () => {
  const { token } = await makeToken(real, { scopes: ["admin"], agents: ["work"] })
  const create = (agents?: string[]) =>
    call(real, "token.create", { name: "x", ...(agents && { agents }) }, token)
  expect(await create(["default"])).toMatchObject({ error: { data: { code: "forbidden" } } })
  expect(await create(["work", "default"])).toMatchObject({ error: { data: { code: "forbidden" } } })
  expect(await create()).toMatchObject({ result: { agents: ["work"] } })
  const { tokens } = await ask<{ tokens: { agents: string[] | null }[] }>(real, "token.list", {}, token)
  expect(tokens.every(({ agents }) => agents?.every((agent) => agent === "work"))).toBe(true)
  const all = await ask<{ tokens: { token_id: string; agents: null }[] }>(real, "token.list", {})
  const operator = all.tokens.find(({ agents }) => agents === null)!
  const revoking = await call(real, "token.revoke", { token_id: operator.token_id }, token)
  expect(revoking).toMatchObject({ error: { data: { code: "not_found" } } })
})

test("a token ends no later than the one that made it", async () => {
  const expires_ms = Date.now() + 60_000
  const { token } = await makeToken(real, { scopes: ["admin"], expires_ms })
  const ends = async (wanted?: number) =>
    (await ask(real, "token.create", { name: "x", ...(wanted && { expires_ms: wanted }) }, token)).expires_ms
  expect([await ends(), await ends(expires_ms + 1), await ends(expires_ms - 1)]).toEqual([
    expires_ms,
    expires_ms,
    expires_ms - 1,
  ])
})

test("a token to chat cannot pass for somebody on another channel", async () => {
  const { token } = await makeToken(real, { scopes: ["chat"] })
  for (const address of [{ channel: "telegram" }, { account: "other" }]) {
    const refused = await call(real, "chat.send", { content: "x", ...address }, token)
    expect(refused).toMatchObject({ error: { data: { code: "forbidden", scope: "admin" } } })
  }
  for (const address of [{ channel: "telegram" }, { account: "other" }]) {
    const { session_key, turn_id } = await ask(real, "chat.send", { content: "x", ...address, peer: "7" })
    const writing = ["session.reset", "session.delete", "session.patch", "chat.abort"]
    const calls = [
      ...writing.map((method) => call(real, method, { session_key }, token)),
      call(real, "chat.abort", { turn_id }, token),
      call(real, "turn.rate", { turn_id, rating: 1 }, token),
    ]
    const codes = (await Promise.all(calls)).map(({ error }) => error?.data.code)
    expect(codes).toEqual(calls.map(() => "forbidden"))
    expect(await call(real, "session.get", { session_key }, token)).toMatchObject({ result: { session_key } })
  }
})

const endpoints: [method: string, path: string, scope: string][] = [
  ["POST", "/files", "chat"],
  ["POST", "/v1/chat/completions", "chat"],
  ["GET", "/v1/models", "read"],
  ["GET", "/ready", "read"],
  ["GET", "/metrics", "read"],
  ["GET", "/health", "none"],
  ["GET", "/openrpc.json", "none"],
  ["GET", "/", "none"],
  ["GET", "/client.js", "none"],
]

test.each(endpoints)("%s %s takes the scope %s", async (method, path, scope) => {
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${real.url}${path}`, { method, headers, ...(method === "POST" && { body: "{}" }) })).status
  const bearer = ({ token }: Pick<Made, "token">) => ({ authorization: `Bearer ${token}` })
  const held = await Promise.all(
    (["read", "chat", "approve", "admin"] as const).map((one) => makeToken(real, { scopes: [one] })),
  )
  const let_in = await Promise.all(
    held.map(async (token) => ![401, 403].includes(await status(bearer(token)))),
  )
  expect(let_in).toEqual(["read", "chat", "approve", "admin"].map((one) => allowed[one]!.includes(scope)))
  const open = scope === "none"
  expect(await status({})).toBe(open ? 200 : 401)
  // What needs no token does not look at one: a proxy's own credentials are no wrong guess.
  expect(await status({ authorization: "Basic Zm9vOmJhcg==" })).toBe(open ? 200 : 401)
  if (open) expect(await status({ authorization: "Bearer wrong" })).toBe(200)
})
