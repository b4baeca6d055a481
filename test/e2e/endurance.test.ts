/** What takes long, side by side: two hundred crashes, and three clients of a model that is silent for a minute. */
import { expect, test } from "bun:test"
import { type Part, textOf } from "../../src/base/parts.ts"
import { type Frame, questionOf, type Script, startModel, temporaryFolder } from "../harness.ts"
import { configFor, openHomeStore, type Running, startWeft } from "./weft.ts"
import { findHalves } from "./whole.ts"

const crashes = 200
const clients = 4
const sessions_each = 8
/** Acknowledgements before a crash: from none at all to well into the work. */
const acknowledged_max = 120
const restart_ms_max = 1000

/** Every fourth turn calls a tool first, so that there are turns that can be cut between their rounds. */
const answering: Script = function* ({ messages }) {
  const asked = questionOf({ messages })
  if (asked.endsWith("with a tool") && messages.at(-1)?.role !== "tool")
    yield { tool: "current_time", input: {} }
  else yield* ["the answer ", `to ${asked}`]
}

/** What a client was told, and so may rely on. */
type Told = { session_key: string; asked: string; turn_id: string; answered: boolean }

test.concurrent(`${crashes} crashes under load lose nothing acknowledged and leave no half turn`, async () => {
  await using folder = await temporaryFolder()
  await using model = startModel(answering)
  const restarts: number[] = []
  const counts = { turns: 0, answers: 0 }
  let told: Told[] = []
  for (let crash = 0; crash <= crashes; crash++) {
    await using gateway = await startWeft({ home: folder.path, config: configFor(model) })
    restarts.push(gateway.started_in_ms)
    expect(await findLost(gateway, told)).toEqual([])
    counts.turns += told.length
    counts.answers += told.filter(({ answered }) => answered).length
    if (crash === crashes) gateway.kill("SIGTERM")
    else told = await loadAndKill(gateway, crash)
    model.asked.length = 0
    await gateway.exited
  }
  using store = openHomeStore(folder.path)
  expect(findHalves(store)).toEqual([])
  const states = store.query("SELECT state, count(*) AS n FROM turn GROUP BY state ORDER BY state").all()
  const { tools } = store.query("SELECT count(*) AS tools FROM message WHERE role = 'tool'").get() as {
    tools: number
  }
  restarts.sort((left, right) => left - right)
  const [p50, p99] = [0.5, 0.99].map((share) => restarts[Math.floor((restarts.length - 1) * share)]!)
  console.log(`${crashes} crashes: acknowledged ${JSON.stringify(counts)}, stored ${JSON.stringify(states)}`)
  console.log(`restart p50 ${p50!.toFixed(0)} ms, p99 ${p99!.toFixed(0)} ms`)
  expect(p99!).toBeLessThan(restart_ms_max)
  expect(Math.min(counts.answers, tools)).toBeGreaterThan(crashes)
  expect(states).toContainEqual({ state: "interrupted", n: expect.any(Number) })
}, 900_000)

/** Keeps all sessions busy and kills the gateway after so many acknowledgements. Answers what was acknowledged. */
async function loadAndKill(gateway: Running, crash: number): Promise<Told[]> {
  const told = new Map<string, Told>()
  const refused: Frame[] = []
  let left = (crash * 37) % acknowledged_max
  const acknowledged = () => {
    if (left-- === 0) gateway.kill("SIGKILL")
  }
  const opened = await Promise.all(Array.from({ length: clients }, () => gateway.client()))
  for (const [index, client] of opened.entries()) {
    let turns = 0
    const say = (peer: string) => {
      const asked = `${peer}, turn ${turns}${turns % 4 === 3 ? " with a tool" : ""}`
      turns++
      const request = { jsonrpc: "2.0", id: asked, method: "chat.send", params: { content: asked, peer } }
      if (client.socket.readyState === WebSocket.OPEN) client.send(request)
    }
    client.socket.addEventListener("message", ({ data }) => {
      const { id, params: event, result, error } = JSON.parse(String(data)) as Frame
      const turn_id = (event ?? (result as Frame["params"]))?.turn_id as string
      const known = told.get(turn_id)
      if (error) refused.push({ error })
      if (event?.type === "started") {
        const session_key = event.session_key as string
        told.set(turn_id, { session_key, asked: String(event.request_id), turn_id, answered: false })
      }
      if (known && (event?.type === "done" || result)) known.answered = true
      if (event?.type === "started" || event?.type === "done" || result) acknowledged()
      if (result) say(String(id).split(",")[0]!)
    })
    for (let session = 0; session < sessions_each; session++) say(`${crash}-${index}-${session}`)
  }
  acknowledged()
  await Promise.all(opened.map(({ closed }) => closed))
  expect(refused).toEqual([])
  return [...told.values()]
}

type Listed = { id: string; result?: { messages: { turn_id: string; role: string; parts: Part[] }[] } }

/** Which of the acknowledged messages and answers are not in the history, word for word. */
async function findLost(gateway: Running, told: Told[]): Promise<string[]> {
  if (told.length === 0) return []
  const batch = [...new Set(told.map(({ session_key }) => session_key))].map((session_key) => ({
    jsonrpc: "2.0",
    id: session_key,
    method: "chat.history",
    params: { session_key, limit: 500 },
  }))
  const response = await gateway.fetch("/rpc", { method: "POST", body: JSON.stringify(batch) })
  const kept = new Set<string>()
  for (const { result } of (await response.json()) as Listed[]) {
    for (const { turn_id, role, parts } of result?.messages ?? [])
      kept.add(`${turn_id} ${role} ${textOf(parts)}`)
  }
  return told
    .flatMap(({ turn_id, asked, answered }) => [
      `${turn_id} user ${asked}`,
      ...(answered ? [`${turn_id} assistant the answer to ${asked}`] : []),
    ])
    .filter((line) => !kept.has(line))
}

const silent_ms = 61_000
const silence_ms_max = 90_000

/** A gateway whose model begins an answer, and goes on with it after more than a minute. */
async function startSilent() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const model = stack.use(
    startModel(function* () {
      yield "Well, "
      yield { until: Bun.sleep(silent_ms) }
      yield "that took a minute."
    }),
  )
  const gateway = stack.use(await startWeft({ home: folder.path, config: configFor(model) }))
  const kept = stack.move()
  return { gateway, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** For the client's own patience, which is not what is tested. */
const unlimited = { timeout: false } as RequestInit
const whole = "Well, that took a minute."

test.concurrent(
  "a model that is silent for a minute is waited for on the socket",
  async () => {
    await using silent = await startSilent()
    await using client = await silent.gateway.client()
    const { result } = await client.call("chat.send", { content: "hello" })
    expect(result).toMatchObject({ text: whole, stop_reason: "end" })
  },
  silence_ms_max,
)

test.concurrent(
  "a model that is silent for a minute is waited for on POST /rpc",
  async () => {
    await using silent = await startSilent()
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "chat.send", params: { content: "hello" } })
    const response = await silent.gateway.fetch("/rpc", { method: "POST", body, ...unlimited })
    expect(await response.json()).toMatchObject({ id: 1, result: { text: whole, stop_reason: "end" } })
  },
  silence_ms_max,
)

test.concurrent(
  "a model that is silent for a minute is waited for on the event stream",
  async () => {
    await using silent = await startSilent()
    const body = JSON.stringify({
      model: "weft/default",
      stream: true,
      messages: [{ role: "user", content: "hello" }],
    })
    const response = await silent.gateway.fetch("/v1/chat/completions", {
      method: "POST",
      body,
      ...unlimited,
    })
    const text = await response.text()
    expect(text).toContain('{"content":"that took a minute."}')
    expect(text).toEndWith("data: [DONE]\n\n")
  },
  silence_ms_max,
)
