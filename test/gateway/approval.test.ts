/** Who may let a call run, and what an answer is bound to. */
import { afterAll, expect, test } from "bun:test"
import type { Approval, Decided } from "../../src/agent/approvals.ts"
import { in_flight_max } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { checked, type Frame, openSocket, startGateway } from "../harness.ts"
import { askOne } from "./ask-one.ts"
import { ask, call, makeToken } from "./client.ts"

const config = '[[agents]]\nid = "work"\n'
const options = { config, methods: [...methods.map(checked), askOne] }
const gateway = await startGateway(options)
afterAll(() => gateway[Symbol.asyncDispose]())

type Shown = { approvals: Approval[]; grants: { grant_id: string; session_key: string | null }[] }

const list = (token?: string) => ask<Shown>(gateway, "approval.list", {}, token)

/** An operator who listens, and the calls that he is told of. */
async function listen(token = gateway.token, own = gateway) {
  const socket = await openSocket(own.ws, { token })
  await socket.call("event.subscribe", { topics: ["approval.*"] })
  const next = async (topic: string) => {
    for (;;) {
      const { params } = await socket.read()
      if (params?.topic === topic)
        return params.data as Approval & { decision: string; by: string; lasts: string }
    }
  }
  return { ...socket, requested: () => next("approval.requested"), resolved: () => next("approval.resolved") }
}

const start = (params: object = {}) => ask<Decided>(gateway, "test.ask", params)
const resolve = ({ approval_id, hash }: Approval, answer: object = {}, token = gateway.token) =>
  call(gateway, "approval.resolve", { approval_id, hash, decision: "allow", ...answer }, token)
const codeOf = ({ error }: Frame) => error?.data.code ?? "ok"

test("where nobody listens who may answer, the answer is no, at once", async () => {
  expect(await start()).toMatchObject({ decision: "deny", by: "nobody" })
  const { token } = await makeToken(gateway, { scopes: ["chat"] })
  await using chatting = await openSocket(gateway.ws, { token })
  await chatting.call("event.subscribe", { topics: ["*"] })
  expect(await start()).toMatchObject({ decision: "deny", by: "nobody" })
  const elsewhere = await makeToken(gateway, { scopes: ["approve"], agents: ["work"] })
  await using other = await openSocket(gateway.ws, { token: elsewhere.token })
  await other.call("event.subscribe", { topics: ["*"] })
  expect(await start()).toMatchObject({ decision: "deny", by: "nobody" })
  expect(await list()).toEqual({ approvals: [], grants: [] })
})

test("who listens is shown the whole call, and his answer is in his token's name", async () => {
  const { token } = await makeToken(gateway, { scopes: ["approve"] })
  await using operator = await listen(token)
  const text = `rm ${"very ".repeat(20_000)}long\u001b[2K\u202etxt`
  const decided = start({ text })
  const shown = await operator.requested()
  expect(shown.summary).toContain("very ".repeat(20_000))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none.
  expect(shown.summary).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
  expect((await list(token)).approvals).toMatchObject([{ hash: shown.hash, summary: shown.summary }])
  expect(codeOf(await resolve(shown, { by: "somebody else" }, token))).toBe("invalid_params")
  expect(await resolve(shown, {}, token)).toMatchObject({
    result: { approval_id: shown.approval_id, decision: "allow" },
  })
  expect(await decided).toMatchObject({ decision: "allow", by: "test" })
  const told = { approval_id: shown.approval_id, decision: "allow", by: "test", lasts: "once", tool: "exec" }
  expect(await operator.resolved()).toMatchObject(told)
})

test("an answer to something else than was shown is refused, and the call goes on waiting", async () => {
  await using operator = await listen()
  const first = start({ text: "ls" })
  const harmless = await operator.requested()
  await resolve(harmless, { decision: "deny" })
  expect(await first).toMatchObject({ decision: "deny", by: "operator" })
  const second = start({ text: "rm -r ." })
  const harmful = await operator.requested()
  expect(harmful.hash).not.toBe(harmless.hash)
  expect(codeOf(await resolve({ ...harmful, hash: harmless.hash }))).toBe("conflict")
  expect((await list()).approvals).toMatchObject([{ approval_id: harmful.approval_id }])
  expect(codeOf(await resolve(harmful, { decision: "deny" }))).toBe("ok")
  expect(await second).toMatchObject({ decision: "deny" })
})

test("of two operators who answer at once exactly one is heard", async () => {
  await using operator = await listen()
  const other = await makeToken(gateway, { scopes: ["approve"] })
  for (const lasts of ["once", "session", "always"]) {
    const decided = start({ text: `twice ${lasts}` })
    const shown = await operator.requested()
    const codes = await Promise.all([
      resolve(shown, { lasts }).then(codeOf),
      resolve(shown, { decision: "deny" }, other.token).then(codeOf),
    ])
    expect(codes.toSorted()).toEqual(["not_found", "ok"])
    expect(await decided).toMatchObject({ decision: codes[0] === "ok" ? "allow" : "deny" })
  }
  for (const { grant_id } of (await list()).grants) await ask(gateway, "approval.revoke", { grant_id })
})

test("a late answer is refused", async () => {
  await using operator = await listen()
  const decided = start()
  const shown = await operator.requested()
  await resolve(shown, { decision: "deny" })
  expect(await decided).toMatchObject({ decision: "deny" })
  expect(codeOf(await resolve(shown))).toBe("not_found")
})

test("what nobody answers is denied when its time is over, and an answer after that is late", async () => {
  await using own = await startGateway({ ...options, config: "[tools]\napproval_timeout_ms = 1000\n" })
  await using operator = await listen(own.token, own)
  const decided = ask<Decided>(own, "test.ask")
  const { approval_id, hash } = await operator.requested()
  expect(await decided).toMatchObject({ decision: "deny", by: "time" })
  expect(await operator.resolved()).toMatchObject({ approval_id, decision: "deny", by: "time" })
  const late = await call(own, "approval.resolve", { approval_id, hash, decision: "allow" })
  expect(codeOf(late)).toBe("not_found")
})

test("a token without the scope, or without the agent, neither sees nor answers", async () => {
  await using operator = await listen()
  const decided = start()
  const shown = await operator.requested()
  for (const scope of ["read", "chat"] as const) {
    const { token } = await makeToken(gateway, { scopes: [scope] })
    expect(codeOf(await resolve(shown, {}, token))).toBe("forbidden")
    expect(codeOf(await call(gateway, "approval.list", {}, token))).toBe("forbidden")
  }
  for (const scope of ["approve", "admin"] as const) {
    const { token } = await makeToken(gateway, { scopes: [scope], agents: ["work"] })
    expect(await list(token)).toEqual({ approvals: [], grants: [] })
    // With what is not there, word for word.
    const refused = await resolve(shown, {}, token)
    const absent = await resolve({ ...shown, approval_id: "nothing" }, {}, token)
    expect(refused.error).toEqual({
      ...absent.error!,
      data: { ...absent.error!.data, approval_id: shown.approval_id },
    })
  }
  await resolve(shown, { decision: "deny" })
  expect(await decided).toMatchObject({ decision: "deny", by: "operator" })
})

test("a token that is revoked while a call waits answers it no more", async () => {
  const { token, token_id } = await makeToken(gateway, { scopes: ["approve"] })
  await using operator = await listen()
  await using leaving = await listen(token)
  const decided = start()
  const shown = await leaving.requested()
  await ask(gateway, "token.revoke", { token_id })
  const { approval_id, hash } = shown
  leaving.send({
    jsonrpc: "2.0",
    id: 1,
    method: "approval.resolve",
    params: { approval_id, hash, decision: "allow" },
  })
  expect(await leaving.closed).toMatchObject({ code: 4003 })
  expect(codeOf(await resolve(shown, {}, token))).toBe("unauthorized")
  expect((await list()).approvals).toMatchObject([{ approval_id }])
  await resolve(await operator.requested(), { decision: "deny" })
  expect(await decided).toMatchObject({ decision: "deny", by: "operator" })
})

test("what was allowed for longer holds for the same call only, until it is revoked", async () => {
  await using operator = await listen()
  const { token } = await makeToken(gateway, { scopes: ["approve"], agents: ["work"] })
  for (const lasts of ["session", "always"]) {
    const decided = start({ text: `make ${lasts}` })
    await resolve(await operator.requested(), { lasts })
    expect(await decided).toMatchObject({ decision: "allow" })
    const { grants } = await list()
    const grant = grants.at(-1)!
    expect(grant).toMatchObject({
      agent: "default",
      tool: "exec",
      given_by: "operator",
      session_key: lasts === "always" ? null : "default:ws:default:main",
    })
    expect(await start({ text: `make ${lasts}` })).toMatchObject({ grant_id: grant.grant_id })
    const other = start({ text: `make ${lasts} install` })
    await resolve(await operator.requested(), { decision: "deny" })
    expect(await other).toMatchObject({ decision: "deny" })
    expect((await list(token)).grants).toEqual([])
    const { grant_id } = grant
    expect(codeOf(await call(gateway, "approval.revoke", { grant_id }, token))).toBe("not_found")
    expect(codeOf(await call(gateway, "approval.revoke", { grant_id }))).toBe("ok")
    const again = start({ text: `make ${lasts}` })
    await resolve(await operator.requested(), { decision: "deny" })
    expect(await again).toMatchObject({ decision: "deny" })
  }
})

test("whoever waits for as many calls as he may can still answer them", async () => {
  await using operator = await listen()
  const calls: Approval[] = []
  for (let id = 0; id < in_flight_max; id++) {
    operator.send({ jsonrpc: "2.0", id, method: "test.ask", params: { text: `busy ${id}` } })
    calls.push(await operator.requested())
  }
  for (const { approval_id, hash } of calls) {
    const params = { approval_id, hash, decision: "deny" }
    operator.send({ jsonrpc: "2.0", id: "answer", method: "approval.resolve", params })
    expect(await operator.resolved()).toMatchObject({ approval_id, decision: "deny" })
  }
})
