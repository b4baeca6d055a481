/** Each word of the protocol's table of errors that can arise over the wire, from its real cause. */
import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { errors } from "../../src/base/errors.ts"
import { type AnyMethod, defineMethod } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { checked, type Frame, openSocket, type Said, startGateway, startModel } from "../harness.ts"
import { call, post, request } from "./client.ts"

const wire = (word: keyof typeof errors, data: Record<string, unknown> = {}) => ({
  code: errors[word].rpc,
  message: errors[word].message,
  data: { ...data, code: word },
})

test("a bug is answered with an incident id and nothing of its cause", async () => {
  const broken: AnyMethod = defineMethod({
    name: "test.bug",
    summary: "Fails.",
    scope: "none",
    params: Type.Object({}),
    result: Type.Null(),
    run() {
      throw new TypeError("canary of the cause")
    },
  })
  const late: AnyMethod = {
    ...broken,
    name: "test.late",
    run: () => Promise.reject(new Error("canary of the cause")),
  }
  await using gateway = await startGateway({
    methods: [...methods.map(checked), broken, late],
    log_level: "error",
  })
  for (const name of ["test.bug", "test.late"]) {
    const response = await post(gateway, request(name), gateway.token)
    const text = await response.text()
    expect((JSON.parse(text) as Frame).error).toEqual(
      wire("internal", { incident: expect.stringMatching(/^[0-9a-f-]{36}$/) }),
    )
    expect(text).not.toContain("canary")
  }
})

/** A gateway whose model says what the user's message asks for. */
async function start(config = "") {
  const held = Promise.withResolvers<void>()
  const model = startModel((asked): Said[] => {
    const said = String(asked.messages.at(-1)!.content)
    if (said === "fail") return [{ status: 400 }]
    if (said === "hold") return ["begun", { until: held.promise }]
    return ["fine"]
  })
  const gateway = await startGateway({ model, config })
  return {
    gateway,
    release: held.resolve,
    async [Symbol.asyncDispose]() {
      held.resolve()
      await gateway[Symbol.asyncDispose]()
      await model[Symbol.asyncDispose]()
    },
  }
}

const send = (content: string, more: object = {}) => ["chat.send", { content, ...more }] as const

test("provider_failed names the provider, the status and the turn", async () => {
  await using one = await start()
  const { error } = await call(one.gateway, ...send("fail"))
  const data = {
    provider: "script",
    status: 400,
    retryable: false,
    reason: expect.any(String),
    turn_id: expect.any(String),
  }
  expect(error).toEqual(wire("provider_failed", data))
  await using socket = await openSocket(one.gateway.ws, { token: one.gateway.token })
  const events: Frame[] = []
  const answer = await socket.call(...send("fail", { peer: "another" }), events)
  const [told, last] = events.slice(-2).map(({ params }) => params!)
  expect(told).toMatchObject({
    type: "error",
    code: "provider_failed",
    message: errors.provider_failed.message,
  })
  expect(last).toMatchObject({ type: "done", stop_reason: "error" })
  expect((answer.error!.data as { turn_id: string }).turn_id).toBe(told!.turn_id as string)
})

test("provider_timeout names the provider and its patience", async () => {
  const never = Promise.withResolvers<void>()
  await using model = startModel(() => [{ until: never.promise }] as Said[])
  const config = `[agent]\nprovider = "slow"\nmodel = "m"\n[providers.slow]\nkind = "openai-compatible"\nbase_url = "${model.url}"\ntimeout_ms = 1000\n`
  await using gateway = await startGateway({ config })
  // A silent provider is asked again, which takes longer than a test may: the event tells of it.
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  socket.send(request(...send("hi")))
  let frame = await socket.read()
  while (frame.params?.type !== "retry") frame = await socket.read()
  expect(frame.params).toMatchObject({ attempt: 1, wait_ms: expect.any(Number), reason: expect.any(String) })
  never.resolve()
})

test("aborted: as a result for a turn that ran, as an error for one that waited", async () => {
  await using one = await start()
  await using socket = await openSocket(one.gateway.ws, { token: one.gateway.token })
  socket.send(request(...send("hold"), 1))
  while ((await socket.read()).params?.type !== "text");
  socket.send(request(...send("later"), 2))
  socket.send(request("chat.abort", { session_key: "default:ws:default:main" }, 3))
  const answers = new Map<unknown, Frame>()
  while (answers.size < 3) {
    const frame = await socket.read()
    if (frame.method === undefined) answers.set(frame.id, frame)
  }
  expect(answers.get(3)!.result).toEqual({ aborted: 2 })
  expect(answers.get(1)!.result).toMatchObject({ stop_reason: "aborted", text: "begun" })
  expect(answers.get(2)!.error).toEqual(wire("aborted", { turn_id: expect.any(String) }))
})

test("conflict: the same idempotency key with other content; with the same it is the same turn", async () => {
  await using one = await start()
  const first = await call(one.gateway, ...send("once", { idempotency_key: "k" }))
  expect(await call(one.gateway, ...send("once", { idempotency_key: "k" }))).toEqual(first)
  const { error } = await call(one.gateway, ...send("other", { idempotency_key: "k" }))
  expect(error).toEqual(wire("conflict", { idempotency_key: "k" }))
  expect(await call(one.gateway, ...send("once", { idempotency_key: "k", peer: "another" }))).not.toEqual(
    first,
  )
})

test("shutting_down: for what runs when its time is over, what waits, and what comes", async () => {
  await using one = await start("[gateway]\ndrain_ms = 50\n")
  await using socket = await openSocket(one.gateway.ws, { token: one.gateway.token })
  socket.send(request(...send("hold"), 1))
  while ((await socket.read()).params?.type !== "text");
  socket.send(request(...send("later"), 2))
  await socket.call("ping")
  const stopped = one.gateway.stop("drain")
  socket.send(request(...send("new"), 3))
  const ready = await fetch(`${one.gateway.url}/ready`, {
    headers: { authorization: `Bearer ${one.gateway.token}` },
  })
  expect([ready.status, await ready.json()]).toEqual([503, { ready: false, failing: ["draining"] }])
  const answers = new Map<unknown, Frame>()
  while (answers.size < 3) {
    const frame = await socket.read()
    if (frame.method === undefined) answers.set(frame.id, frame)
  }
  for (const id of [1, 2])
    expect(answers.get(id)!.error).toEqual(wire("shutting_down", { turn_id: expect.any(String) }))
  expect(answers.get(3)!.error).toEqual(wire("shutting_down"))
  expect(await socket.closed).toMatchObject({ code: 1001 })
  await stopped
})

test("who waits for a turn over HTTP is told as well that the gateway stops", async () => {
  await using one = await start("[gateway]\ndrain_ms = 50\n")
  await using socket = await openSocket(one.gateway.ws, { token: one.gateway.token })
  await socket.call("event.subscribe", { topics: ["turn.started"] })
  const answer = post(one.gateway, request(...send("hold")), one.gateway.token)
  await socket.read()
  await one.gateway.stop("drain")
  const response = await answer
  expect([response.status, ((await response.json()) as Frame).error]).toEqual([
    503,
    wire("shutting_down", { turn_id: expect.any(String) }),
  ])
})

test("not_found says what is not there", async () => {
  await using one = await start()
  const cases: [method: string, params: Record<string, unknown>, data: Record<string, unknown>][] = [
    [
      "session.get",
      { session_key: "default:ws:default:x" },
      { what: "session", session_key: "default:ws:default:x" },
    ],
    ["session.get", { session_key: "no key" }, { what: "session", session_key: "no key" }],
    ["chat.attach", { turn_id: "x" }, { what: "turn", turn_id: "x" }],
    ["agent.get", { id: "x" }, { what: "agent", agent: "x" }],
    ["token.revoke", { token_id: "x" }, { what: "token", token_id: "x" }],
    ["chat.send", { content: "x", agent: "x" }, { what: "agent", agent: "x" }],
    ["chat.send", { content: "x", attachments: ["x"] }, { what: "file", file_id: "x" }],
  ]
  for (const [method, params, data] of cases) {
    expect([method, (await call(one.gateway, method, params)).error]).toEqual([
      method,
      wire("not_found", data),
    ])
  }
})

test("every number and word of the protocol is in the table", () => {
  const protocol: Record<string, number> = {
    parse_error: -32700,
    invalid_request: -32600,
    method_not_found: -32601,
    invalid_params: -32602,
    internal: -32603,
    unauthorized: -32001,
    forbidden: -32002,
    rate_limited: -32003,
    not_found: -32004,
    session_busy: -32005,
    budget_exceeded: -32006,
    provider_failed: -32007,
    provider_timeout: -32008,
    tool_denied: -32009,
    aborted: -32010,
    too_large: -32011,
    shutting_down: -32012,
    unreachable: -32013,
    conflict: -32014,
    no_agent: -32015,
  }
  const declared = Object.fromEntries(
    Object.keys(protocol).map((word) => [word, errors[word as keyof typeof errors].rpc as number]),
  )
  expect(declared).toEqual(protocol)
})
