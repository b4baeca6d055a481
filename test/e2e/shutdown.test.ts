import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Frame, type RawClient, startModel, temporaryFolder } from "../harness.ts"
import { configFor, openHomeStore, type Running, startWeft } from "./weft.ts"
import { findHalves } from "./whole.ts"

const sockets = 30
const event_streams = 10
const posts = 10
const exit_ms_max = 10_000
const second_exit_ms_max = 2000

/** Says a word, and the rest when it is let go. */
function startWaiting() {
  const released = Promise.withResolvers<void>()
  const model = startModel(function* () {
    yield "Well, "
    yield { until: released.promise }
    yield "yes."
  })
  return { model, release: released.resolve, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() }
}

/** A turn that a socket follows: all of its frames up to the answer, and how the socket was closed. */
async function openTurn(gateway: Running, peer: string) {
  const client = await gateway.client()
  client.send({ jsonrpc: "2.0", id: 1, method: "chat.send", params: { content: "hello?", peer } })
  for (let frame = await client.read(); frame.params?.type !== "text"; ) frame = await client.read()
  return { client, ended: readToAnswer(client) }
}

async function readToAnswer(client: RawClient): Promise<{ events: Frame["params"][]; answer: Frame }> {
  const events: Frame["params"][] = []
  for (;;) {
    const frame = await client.read()
    if (frame.id === 1) return { events, answer: frame }
    events.push(frame.params)
  }
}

const post = (gateway: Running, peer: string) => {
  const params = { content: "hello?", peer }
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "chat.send", params })
  return gateway.fetch("/rpc", { method: "POST", body })
}

/** An event stream that has begun; answers all of its text. */
async function openEvents(gateway: Running, user: string) {
  const messages = [{ role: "user", content: "hello?" }]
  const body = JSON.stringify({ model: "weft/default", stream: true, user, messages })
  const response = await gateway.fetch("/v1/chat/completions", { method: "POST", body })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  while (!text.includes("Well, ")) text += (await reader.read()).value
  const rest = async () => {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return text
      text += value
    }
  }
  return { ended: rest() }
}

async function openStreams(gateway: Running) {
  const names = (count: number, kind: string) =>
    Array.from({ length: count }, (_, index) => `${kind} ${index}`)
  const turns = await Promise.all(names(sockets, "socket").map((peer) => openTurn(gateway, peer)))
  const events = await Promise.all(names(event_streams, "stream").map((peer) => openEvents(gateway, peer)))
  const posted = names(posts, "post").map((peer) => post(gateway, peer))
  await until(async () => (await count(gateway, "running")) === sockets + event_streams + posts)
  return { turns, events, posted }
}

async function count(gateway: Running, what: "running" | "waiting"): Promise<number> {
  const text = await (await gateway.fetch("/metrics")).text()
  return Number(new RegExp(`^weft_turns_${what} (\\d+)$`, "m").exec(text)?.[1])
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

const isDraining = async (gateway: Running) =>
  ((await (await gateway.fetch("/ready")).json()) as { failing: string[] }).failing.includes("draining")

function expectInterrupted(home: string, count: number): void {
  using store = openHomeStore(home)
  expect(findHalves(store)).toEqual([])
  const states = store.query("SELECT state, stop_reason, count(*) AS n FROM turn GROUP BY 1, 2").all()
  expect(states).toEqual([{ state: "interrupted", stop_reason: "interrupted", n: count }])
}

const shutting_down = expect.objectContaining({ data: expect.objectContaining({ code: "shutting_down" }) })

test("SIGTERM with fifty open streams: each is told, nothing is half, and the gateway is gone in time", async () => {
  await using folder = await temporaryFolder()
  await using waiting = startWaiting()
  const config = configFor(waiting.model, "[gateway]\ndrain_ms = 500")
  await using gateway = await startWeft({ home: folder.path, config })
  const { turns, events, posted } = await openStreams(gateway)
  await using bystander = await gateway.client()
  const queued = post(gateway, "socket 0")
  await until(async () => (await count(gateway, "waiting")) === 1)

  const signalled = performance.now()
  gateway.kill("SIGTERM")
  await until(() => isDraining(gateway))
  expect((await bystander.call("chat.send", { content: "still there?" })).error).toEqual(shutting_down)
  expect((await bystander.call("ping")).result).toBe("pong")
  expect((await post(gateway, "late")).status).toBe(503)
  expect((await queued).status).toBe(503)

  for (const { client, ended } of turns) {
    const { events, answer } = await ended
    expect(events.map((event) => event?.type)).toEqual(["error", "done"])
    expect(events).toMatchObject([{ code: "shutting_down" }, { stop_reason: "interrupted" }])
    expect(answer.error).toEqual(shutting_down)
    expect((await client.closed).code).toBe(1001)
  }
  for (const { ended } of events) expect(await ended).toContain('"code":"shutting_down"')
  for (const response of await Promise.all(posted)) {
    expect(response.status).toBe(503)
    expect(((await response.json()) as Frame).error).toEqual(shutting_down)
  }
  expect((await bystander.closed).code).toBe(1001)
  expect(await gateway.exited).toBe(0)
  expect(performance.now() - signalled).toBeLessThan(exit_ms_max)
  expectInterrupted(folder.path, sockets + event_streams + posts)
  expect(existsSync(join(folder.path, "gateway.json"))).toBe(false)
})

test("SIGTERM lets running turns end, and ends with the last of them", async () => {
  await using folder = await temporaryFolder()
  await using waiting = startWaiting()
  await using gateway = await startWeft({ home: folder.path, config: configFor(waiting.model) })
  const { turns, events, posted } = await openStreams(gateway)
  gateway.kill("SIGTERM")
  await until(() => isDraining(gateway))
  waiting.release()
  for (const { client, ended } of turns) {
    expect((await ended).answer.result).toMatchObject({ text: "Well, yes.", stop_reason: "end" })
    expect((await client.closed).code).toBe(1001)
  }
  for (const { ended } of events) expect(await ended).toEndWith("data: [DONE]\n\n")
  for (const response of await Promise.all(posted)) {
    expect(await response.json()).toMatchObject({ result: { text: "Well, yes." } })
  }
  expect(await gateway.exited).toBe(0)
  using store = openHomeStore(folder.path)
  expect(findHalves(store)).toEqual([])
  expect(store.query("SELECT DISTINCT state FROM turn").all()).toEqual([{ state: "done" }])
})

test("a second SIGTERM does not wait for running turns", async () => {
  await using folder = await temporaryFolder()
  await using waiting = startWaiting()
  await using gateway = await startWeft({ home: folder.path, config: configFor(waiting.model) })
  const { turns, events, posted } = await openStreams(gateway)
  gateway.kill("SIGTERM")
  await until(() => isDraining(gateway))
  const signalled = performance.now()
  gateway.kill("SIGTERM")
  for (const { ended } of turns) expect((await ended).answer.error).toEqual(shutting_down)
  for (const { ended } of events) expect(await ended).toContain('"code":"shutting_down"')
  for (const response of await Promise.all(posted)) expect(response.status).toBe(503)
  expect(await gateway.exited).toBe(0)
  expect(performance.now() - signalled).toBeLessThan(second_exit_ms_max)
  expectInterrupted(folder.path, sockets + event_streams + posts)
})
