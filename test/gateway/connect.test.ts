import { afterAll, expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { type AnyMethod, defineMethod } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { openSocket, startGateway } from "../harness.ts"
import { ask, call, makeToken, post, request } from "./client.ts"

const gateway = await startGateway()
afterAll(() => gateway[Symbol.asyncDispose]())

const unauthorized = { error: { code: -32001, data: { code: "unauthorized" } } }

test.each([
  ["ping", request("ping")],
  ["another method", request("status")],
  ["a method that is not there", request("no.such")],
  ["a notification", { jsonrpc: "2.0", method: "ping" }],
  ["connect without a token", request("connect")],
  ["connect with a wrong one", request("connect", { token: "wrong" })],
  ["connect with strange parameters", request("connect", { token: gateway.token, admin: true })],
  ["no JSON", "{"],
  ["no request", "[1]"],
  ["a batch", [request("ping"), request("status")]],
  [
    "a batch that begins with something else",
    [request("ping"), request("connect", { token: gateway.token })],
  ],
])("%s instead of connect closes the socket with 4001", async (_what, frame) => {
  await using socket = await openSocket(gateway.ws)
  socket.send(frame)
  expect(await socket.closed).toMatchObject({ code: 4001 })
})

test("before connect each request is answered unauthorized, and then nothing is answered any more", async () => {
  await using socket = await openSocket(gateway.ws)
  socket.send([request("ping", {}, 1), request("status", {}, 2), { jsonrpc: "2.0", method: "ping" }])
  expect(JSON.parse(await socket.next())).toMatchObject([
    { id: 1, ...unauthorized },
    { id: 2, ...unauthorized },
  ])
  expect(await socket.closed).toMatchObject({ code: 4001 })
})

test("a binary frame before connect closes the socket with 4001", async () => {
  await using socket = await openSocket(gateway.ws)
  socket.socket.send(new Uint8Array([1, 2, 3]))
  expect(await socket.read()).toMatchObject({ id: null, error: { code: -32600 } })
  expect(await socket.closed).toMatchObject({ code: 4001 })
})

test("a batch may begin with connect", async () => {
  await using socket = await openSocket(gateway.ws)
  socket.send([request("connect", { token: gateway.token }, 1), request("ping", {}, 2)])
  expect(JSON.parse(await socket.next())).toMatchObject([{ id: 1 }, { id: 2, result: "pong" }])
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
})

test("connect answers who serves, what it takes and what there is", async () => {
  await using socket = await openSocket(gateway.ws)
  const { result } = await socket.call("connect", { token: gateway.token, protocol: { min: 1, max: 3 } })
  expect(result).toMatchObject({
    protocol: 1,
    server: { name: "weft", version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    connection_id: expect.any(String),
    scopes: ["read", "chat", "approve", "admin"],
    agents: null,
    limits: { payload_bytes_max: 1_048_576, batch_max: 64, in_flight_max: 64 },
    methods: expect.arrayContaining(["chat.send", "ping"]),
  })
})

test("a client of another protocol version only is told so", async () => {
  await using socket = await openSocket(gateway.ws)
  const answer = await socket.call("connect", { token: gateway.token, protocol: { min: 2, max: 3 } })
  expect(answer).toMatchObject({ error: { data: { code: "invalid_params", path: "/protocol" } } })
})

test("a token in the upgrade makes connect optional, and a wrong one makes no socket", async () => {
  await using socket = await openSocket(gateway.ws, { headers: { authorization: `Bearer ${gateway.token}` } })
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
  expect(await socket.call("connect")).toMatchObject({
    result: { scopes: ["read", "chat", "approve", "admin"] },
  })
  await expect(openSocket(gateway.ws, { headers: { authorization: "Bearer wrong" } })).rejects.toThrow()
})

test("a socket that presents no token in time is closed with 4001", async () => {
  await using quick = await startGateway({ limits: { connect_ms: 30 } })
  const headers = { authorization: `Bearer ${quick.token}` }
  await using connected = await openSocket(quick.ws, { headers })
  await using socket = await openSocket(quick.ws)
  expect(await socket.closed).toMatchObject({ code: 4001 })
  expect(await connected.call("ping")).toMatchObject({ result: "pong" })
})

test("the time to connect is five seconds", async () => {
  const { limits } = await import("../../src/gateway/limits.ts")
  expect(limits.connect_ms).toBe(5000)
})

test("a code becomes a token of its maker's rights, once, before connect", async () => {
  const { code, expires_ms } = await ask<{ code: string; expires_ms: number }>(gateway, "token.code")
  expect(expires_ms - Date.now()).toBeWithin(50_000, 60_001)
  await using socket = await openSocket(gateway.ws)
  const { result } = await socket.call("token.exchange", { code })
  const { token } = result as { token: string }
  expect(await socket.call("connect", { token })).toMatchObject({
    result: { scopes: ["read", "chat", "approve", "admin"] },
  })
  expect(await call(gateway, "token.exchange", { code })).toMatchObject(unauthorized)
})

test("the same code twice at once is one token", async () => {
  const { code } = await ask(gateway, "token.code")
  const answers = await Promise.all([1, 2, 3].map(() => post(gateway, request("token.exchange", { code }))))
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as { result?: object }[]
  expect(bodies.filter(({ result }) => result)).toBeArrayOfSize(1)
})

test("a code of a token that was revoked since is worth nothing", async () => {
  const maker = await makeToken(gateway, { scopes: ["admin"] })
  const { code } = await ask(gateway, "token.code", {}, maker.token)
  await ask(gateway, "token.revoke", { token_id: maker.token_id })
  expect(await (await post(gateway, request("token.exchange", { code }))).json()).toMatchObject(unauthorized)
})

test("a revoked token closes its own sockets with 4003 and no others", async () => {
  const { token, token_id } = await makeToken(gateway, { scopes: ["read"] })
  await using first = await openSocket(gateway.ws, { token })
  await using second = await openSocket(gateway.ws, { headers: { authorization: `Bearer ${token}` } })
  await using other = await openSocket(gateway.ws, { token: gateway.token })
  const started = performance.now()
  await ask(gateway, "token.revoke", { token_id })
  expect(await first.closed).toMatchObject({ code: 4003 })
  expect(await second.closed).toMatchObject({ code: 4003 })
  expect(performance.now() - started).toBeLessThan(1000)
  expect(await other.call("ping")).toMatchObject({ result: "pong" })
})

test("a token that expires closes its sockets with 4003", async () => {
  const expires_ms = Date.now() + 250
  const { token } = await makeToken(gateway, { scopes: ["read"], expires_ms })
  await using socket = await openSocket(gateway.ws, { token })
  expect(await socket.closed).toMatchObject({ code: 4003 })
  expect(Date.now() - expires_ms).toBeWithin(0, 1000)
})

test("what runs when the token expires ends, and nothing begins after it", async () => {
  const expires_ms = Date.now() + 250
  const busy: AnyMethod = defineMethod({
    name: "test.busy",
    summary: "Leaves no time to anything else until the token has expired.",
    scope: "read",
    params: Type.Object({}),
    result: Type.Null(),
    run() {
      while (Date.now() <= expires_ms);
      return null
    },
  })
  await using own = await startGateway({ methods: [...methods, busy] })
  const { token } = await makeToken(own, { scopes: ["read"], expires_ms })
  const answers = await (
    await post(own, [request("test.busy", {}, 1), request("status", {}, 2)], token)
  ).json()
  expect(answers).toMatchObject([
    { id: 1, result: null },
    { id: 2, ...unauthorized },
  ])
})

test("a token that ends beyond the longest timer does not close its socket at once", async () => {
  const { token } = await makeToken(gateway, { scopes: ["read"], expires_ms: Date.now() + 2 ** 40 })
  await using socket = await openSocket(gateway.ws, { token })
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
})

test("strangers' sockets have a bound of their own, and one that left or connected makes room", async () => {
  await using small = await startGateway({ config: "[gateway]\nunauthenticated_max = 2\n" })
  await using connected = await openSocket(small.ws, { token: small.token })
  await using _first = await openSocket(small.ws)
  {
    await using _second = await openSocket(small.ws)
    await expect(openSocket(small.ws)).rejects.toThrow()
    await using _known = await openSocket(small.ws, { headers: { authorization: `Bearer ${small.token}` } })
  }
  expect(await connected.call("ping")).toMatchObject({ result: "pong" })
  await using third = await openSocket(small.ws)
  await third.call("connect", { token: small.token })
  await using _fourth = await openSocket(small.ws)
  await expect(openSocket(small.ws)).rejects.toThrow()
})

test("all sockets together have a bound, also for who has a token", async () => {
  await using small = await startGateway({ config: "[gateway]\nconnections_max = 2\n" })
  await using _first = await openSocket(small.ws, { token: small.token })
  const headers = { authorization: `Bearer ${small.token}` }
  {
    await using _second = await openSocket(small.ws, { headers })
    await expect(openSocket(small.ws, { headers })).rejects.toThrow()
    expect((await fetch(`${small.url}/ws`, { headers: { ...headers, upgrade: "websocket" } })).status).toBe(
      429,
    )
  }
  await using _third = await openSocket(small.ws, { headers })
})

test("a gateway that stops says so to its sockets", async () => {
  await using stopping = await startGateway()
  await using socket = await openSocket(stopping.ws, { token: stopping.token })
  await stopping.stop("now")
  expect(await socket.closed).toMatchObject({ code: 1001 })
})

test("without tokens everybody on this machine is the operator, and connect is optional", async () => {
  await using open = await startGateway({ config: '[gateway]\nauth = "none"\n' })
  await using socket = await openSocket(open.ws)
  expect(await socket.call("config.get")).toMatchObject({ result: { config: {} } })
  expect(await socket.call("connect")).toMatchObject({
    result: { scopes: ["read", "chat", "approve", "admin"] },
  })
  expect(await (await post(open, request("status"))).json()).toMatchObject({ result: { agents: 1 } })
})

test.each(["0.0.0.0", "::", "192.0.2.1", "gateway.example.com"])(
  "a gateway without tokens does not listen on %s",
  async (bind) => {
    const config = `[gateway]\nauth = "none"\nbind = "${bind}"\n`
    await expect(startGateway({ config })).rejects.toMatchObject({ code: "invalid_config" })
  },
)

test("subprotocols: ours, the older one, none, and nothing else", async () => {
  for (const protocols of [["weft.v1"], ["other", "weft.v1"], ["exoclaw"]]) {
    await using socket = await openSocket(gateway.ws, {
      protocols,
      headers: { authorization: `Bearer ${gateway.token}` },
    })
    expect(socket.socket.protocol).toBe(protocols.at(-1)!)
  }
  await using plain = await openSocket(gateway.ws)
  expect(plain.socket.protocol).toBe("")
  await expect(openSocket(gateway.ws, { protocols: ["graphql-ws"] })).rejects.toThrow()
})
