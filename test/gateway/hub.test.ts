/** Whether anybody would be told of something, exactly: who asks a person must know at once that there is none. */
import { afterAll, expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import type { App } from "../../src/gateway/app.ts"
import type { Caller } from "../../src/gateway/auth.ts"
import { type HubEvent, openHub } from "../../src/gateway/hub.ts"
import { limits } from "../../src/gateway/limits.ts"
import { defineMethod, openDispatcher, Params } from "../../src/gateway/rpc.ts"
import { openSockets } from "../../src/gateway/sockets.ts"
import { methods } from "../../src/registry.ts"
import { openSocket, startGateway } from "../harness.ts"
import { ask, makeToken, request } from "./client.ts"

const config = '[[agents]]\nid = "work"\n'
/** The gateway's own answer to whether an approval of that agent would be heard. */
const isHeard = defineMethod({
  name: "test.heard",
  summary: "For this test.",
  scope: "admin",
  params: Params({ agent: Type.String(), topic: Type.String({ default: "approval.requested" }) }),
  result: Type.Boolean(),
  run: ({ agent, topic }, { app }) => app.hub.isHeard({ topic, agent, data: {}, scope: "approve" }),
})
const publish = defineMethod({
  name: "test.publish",
  summary: "For this test.",
  scope: "admin",
  params: Params({ agent: Type.String(), topic: Type.String(), scope: Type.String() }),
  result: Type.Null(),
  run(event, { app }) {
    app.hub.publish({ ...event, data: {} } as HubEvent)
    return null
  },
})
let inside: App
const look = defineMethod({
  name: "test.look",
  summary: "For this test.",
  scope: "admin",
  params: Params({}),
  result: Type.Null(),
  run(_params, { app }) {
    inside = app
    return null
  },
})
const gateway = await startGateway({ config, methods: [...methods, isHeard, publish, look] })
afterAll(() => gateway[Symbol.asyncDispose]())

const heard = async (agent = "default") => ask<unknown>(gateway, "test.heard", { agent })

test("nobody hears before somebody listens, and a listener that left hears nothing", () => {
  const hub = openHub()
  const event = { topic: "approval.requested", data: {} }
  const told: HubEvent[] = []
  expect(hub.isHeard(event)).toBe(false)
  const listener = {
    hears: ({ topic }: HubEvent) => topic === event.topic,
    tell: told.push.bind(told) as never,
  }
  const listening = hub.subscribe(listener)
  expect([hub.isHeard(event), hub.isHeard({ ...event, topic: "turn.done" })]).toEqual([true, false])
  hub.publish(event)
  hub.publish({ ...event, topic: "turn.done" })
  expect(told).toEqual([event])
  listening[Symbol.dispose]()
  expect(hub.isHeard(event)).toBe(false)
})

test.each([
  [["approve"], ["approval.*"], true],
  [["approve"], ["*"], true],
  [["approve"], ["approval.requested"], true],
  [["approve"], ["approval.resolved"], false],
  [["approve"], ["turn.*"], false],
  [["admin"], ["approval.*"], true],
  [["chat", "approve"], ["approval.*"], true],
  [["chat"], ["*"], false],
  [["read"], ["*"], false],
] as const)("a token to %j that listens to %j hears of an approval: %p", async (scopes, topics, expected) => {
  const { token } = await makeToken(gateway, { scopes: [...scopes] })
  await using socket = await openSocket(gateway.ws, { token })
  expect(await heard()).toBe(false)
  await socket.call("event.subscribe", { topics: [...topics] })
  expect(await heard()).toBe(expected)
  await socket.call("event.unsubscribe", { topics: [...topics] })
  expect(await heard()).toBe(false)
})

test("a token that does not reach the agent is nobody to ask", async () => {
  const { token } = await makeToken(gateway, { scopes: ["approve"], agents: ["work"] })
  await using socket = await openSocket(gateway.ws, { token })
  await socket.call("event.subscribe", { topics: ["approval.*"] })
  expect([await heard("default"), await heard("work")]).toEqual([false, true])
})

test("who leaves is nobody to ask from that moment on, nor is a revoked or an expired token", async () => {
  const listen = async (token: string) => {
    const socket = await openSocket(gateway.ws, { token })
    await socket.call("event.subscribe", { topics: ["approval.*"] })
    expect(await heard()).toBe(true)
    return socket
  }
  const leaving = await listen(gateway.token)
  await leaving[Symbol.asyncDispose]()
  expect(await heard()).toBe(false)

  const { token, token_id } = await makeToken(gateway, { scopes: ["approve"] })
  await using revoked = await listen(token)
  await ask(gateway, "token.revoke", { token_id })
  expect(await heard()).toBe(false)
  expect(await revoked.closed).toMatchObject({ code: 4003 })

  const short = await makeToken(gateway, { scopes: ["approve"], expires_ms: Date.now() + 1500 })
  await using expired = await listen(short.token)
  expect(await expired.closed).toMatchObject({ code: 4003 })
  expect(await heard()).toBe(false)
})

test("a token to approve is told of nothing but approvals", async () => {
  const { token } = await makeToken(gateway, { scopes: ["approve"] })
  await using socket = await openSocket(gateway.ws, { token })
  await socket.call("event.subscribe", { topics: ["*"] })
  for (const [topic, scope] of [
    ["turn.started", "read"],
    ["config.rejected", "admin"],
    ["session.reset", "chat"],
    ["approval.resolved", "approve"],
  ]) {
    await ask(gateway, "test.publish", { topic, scope, agent: "default" })
  }
  expect(await socket.read()).toMatchObject({ params: { topic: "approval.resolved", seq: 0 } })
})

test("a socket whose end is not acknowledged yet is nobody to ask, nor is one whose token's time is up", async () => {
  await ask(gateway, "test.look")
  const clock = { now_ms: 1000 }
  const app: App = { ...inside, hub: openHub(), now_ms: () => clock.now_ms }
  const sockets = openSockets(app, openDispatcher(methods, app), limits)
  const event = { topic: "approval.requested", agent: "default", data: {}, scope: "approve" as const }
  const caller: Caller = { token_id: "t", name: "t", scopes: ["approve"], agents: null, expires_ms: 2 ** 40 }
  const expire = () => {
    clock.now_ms = 2 ** 40
  }
  for (const end of [() => sockets.revoke("t"), expire]) {
    const admission = sockets.admit(new Headers(), "127.0.0.1", caller)
    if ("refused" in admission) throw new Error("refused")
    const ws = { sendText: () => 1, getBufferedAmount: () => 0, close: () => undefined }
    const { handlers } = admission
    handlers.open(ws)
    handlers.message(ws, JSON.stringify(request("event.subscribe", { topics: ["approval.*"] })))
    expect(app.hub.isHeard(event)).toBe(true)
    end()
    expect(app.hub.isHeard(event)).toBe(false)
    handlers.close(ws)
  }
})
