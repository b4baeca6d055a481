/** Deliveries over the time that they are known, with adapters that do as they are told. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { AppError } from "../../src/base/errors.ts"
import { parser } from "../../src/base/schema.ts"
import { type Channel, openChannels } from "../../src/channels/channel.ts"
import type { App } from "../../src/gateway/app.ts"
import { openHub } from "../../src/gateway/hub.ts"
import { openMetrics } from "../../src/gateway/metrics.ts"
import { openWebhooks, type Webhooks } from "../../src/gateway/webhooks.ts"
import { PluginFailed } from "../../src/plugins/module.ts"
import type { Formatted, Incoming, PluginAdapter } from "../../src/plugins/plugin.ts"
import { retentionSection } from "../../src/store/config.ts"
import { purge } from "../../src/store/retention.ts"
import {
  done,
  gate,
  type House,
  type HouseOptions,
  openHouse,
  text,
  untilAborted,
} from "../agent/scripted.ts"
import { temporaryFolder } from "../harness.ts"

const day_ms = 24 * 3_600_000
const retention = parser(retentionSection.schema)({})

const message = (more: object = {}): Incoming => ({
  ...{ type: "message", parts: [{ type: "text", text: "hi" }], account: "webhook", peer: "ann" },
  ...more,
})
const bytes = (value: string) => new TextEncoder().encode(value)

type Options = HouseOptions & {
  acknowledge?: "at_once" | "when_done"
  parse?(payload: Uint8Array): Incoming | Promise<Incoming>
  format?(content: string, signal: AbortSignal): Formatted | Promise<Formatted>
}

type Desk = AsyncDisposable & {
  house: House
  webhooks: Webhooks
  parsed: number
  /** What was published: topic and outcome. */
  told: string[]
  take(hash?: string, body?: string): ReturnType<Webhooks["take"]>
}

/** Everything between a right signature and the answer, over a real store and real turns. */
async function openDesk({
  acknowledge = "when_done",
  parse,
  format,
  ...options
}: Options = {}): Promise<Desk> {
  const house = await openHouse(options)
  const channel: Channel = openChannels({
    talk: { plugin: "talk", signature: "github", secret: "any word", acknowledge },
  }).get("talk")!
  const desk = { house, parsed: 0, told: [] as string[] }
  const adapter: PluginAdapter = {
    ...{ plugin: "talk", channel: "talk", capabilities: [] },
    async parseIncoming(payload) {
      desk.parsed++
      return parse?.(payload) ?? message()
    },
    formatOutgoing: async ({ content }, signal) =>
      format?.(content, signal) ?? { type: "bytes", bytes: bytes(content) },
  }
  const hub = openHub()
  const hears = () => true
  hub.subscribe({
    hears,
    tell: ({ topic, data }) => void desk.told.push(`${topic} ${data.outcome ?? ""}`.trim()),
  })
  const { agent } = house.request("")
  const note = (...line: unknown[]) => void house.logged.push(line)
  const log = { debug: note, info: note, warn: note, error: note }
  const app = {
    ...{ store: house.store, turns: house.turns, hub, log, metrics: openMetrics() },
    now_ms: () => house.clock.now_ms,
    plugins: { adapter: () => adapter, list: () => [] },
    live: () => ({
      agents: new Map([[agent.id, agent]]),
      channels: new Map([[channel.id, channel]]),
      route: () => ({ agent: agent.id, matched_by: "default" }),
      findSecret: () => undefined,
    }),
  } as unknown as App
  const webhooks = openWebhooks(() => app, { body_ms: 1000, farewell_ms: 1000 })
  return Object.assign(desk, {
    webhooks,
    take: (hash = "a", body = "{}") => webhooks.take({ channel, adapter, hash, body: bytes(body) }),
    async [Symbol.asyncDispose]() {
      await house.turns.drain(0)
      await webhooks[Symbol.asyncDispose]()
      await house[Symbol.asyncDispose]()
    },
  })
}

const outcomes = async (answers: ReturnType<Webhooks["take"]>[]) =>
  (await Promise.all(answers)).map(({ outcome }) => outcome)

test("a delivery is known for a day, whether or not what is over has been deleted", async () => {
  await using desk = await openDesk()
  const { house } = desk
  const clean = () => house.store.commit((db) => purge(db, retention, house.clock.now_ms))
  expect(await outcomes([desk.take()])).toEqual(["answered"])
  house.clock.now_ms += day_ms
  await clean()
  expect(await outcomes([desk.take()])).toEqual(["duplicate"])
  house.clock.now_ms += 1
  // Not deleted yet, and over all the same; from here on it is known for another day.
  expect(await outcomes([desk.take()])).toEqual(["answered"])
  expect(await outcomes([desk.take()])).toEqual(["duplicate"])
  house.clock.now_ms += day_ms + 1
  await clean()
  expect(house.store.db.query("SELECT count(*) AS n FROM webhook_delivery").get()).toEqual({ n: 0 })
  // A clock that is set back does not make what is known unknown.
  expect(await outcomes([desk.take("b")])).toEqual(["answered"])
  house.clock.now_ms -= 10 * day_ms
  expect(await outcomes([desk.take("b")])).toEqual(["duplicate"])
  expect(house.models.asked).toHaveLength(3)
})

test("the delivery is on the disk before a model is asked", async () => {
  const held = gate()
  await using desk = await openDesk({ script: held.script })
  const answer = desk.take()
  while (desk.house.models.asked.length === 0) await Promise.resolve().then(() => new Promise(setImmediate))
  const rows = desk.house.store.db.query("SELECT channel, hash, is_done, turn_id FROM webhook_delivery").all()
  const turn = desk.house.store.db.query("SELECT id FROM turn").get() as { id: string }
  expect(rows).toEqual([{ channel: "talk", hash: "a", is_done: 0, turn_id: turn.id }])
  held.open(0)
  expect((await answer).outcome).toBe("answered")
  expect(desk.house.store.db.query("SELECT is_done FROM webhook_delivery").all()).toEqual([{ is_done: 1 }])
})

test("what a crash left undone is done when it comes again", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  {
    // It hears of its end and nothing else: what is in the store is what a kill leaves there.
    await using desk = await openDesk({ path, script: (_asked, _call, signal) => stall(signal) })
    void desk.take()
    while (desk.house.models.asked.length === 0) await new Promise(setImmediate)
  }
  await using desk = await openDesk({ path })
  expect(await outcomes([desk.take(), desk.take()])).toEqual(["answered", "duplicate"])
  expect(await outcomes([desk.take()])).toEqual(["duplicate"])
})

async function* stall(signal: AbortSignal) {
  yield text("begun")
  await untilAborted(signal)
}

test("what comes while the first one is worked on shares its failure, so that it is sent again", async () => {
  const script = (_asked: unknown, call: number) => {
    if (call === 0) throw new AppError("provider_failed", { provider: "one", retryable: false })
    return [text("ok"), done()]
  }
  await using desk = await openDesk({ script })
  const answers = await Promise.all([desk.take(), desk.take(), desk.take()])
  expect(answers.map(({ status }) => status)).toEqual([500, 500, 500])
  expect(await outcomes([desk.take(), desk.take()])).toEqual(["answered", "duplicate"])
  expect(desk.told).toEqual([
    "channel.received",
    "channel.failed failed",
    "channel.received",
    "channel.sent answered",
  ])
})

test("what was denied is not tried again, as it would be denied again", async () => {
  const format = (): Formatted => ({
    type: "request",
    url: "https://example.com/",
    method: "POST",
    headers: {},
    body: "",
  })
  await using desk = await openDesk({ format })
  expect(await outcomes([desk.take()])).toEqual(["denied"])
  expect(await outcomes([desk.take()])).toEqual(["duplicate"])
})

test.each([
  ["trap", 400],
  ["output", 400],
  ["aborted", 503],
  ["crash", 503],
  ["time", 503],
] as const)("an adapter that fails to read by %s answers %i", async (kind, status) => {
  let calls = 0
  const parse = () => {
    if (calls++ === 0) throw new PluginFailed(kind, "it failed")
    return message()
  }
  await using desk = await openDesk({ parse })
  expect((await desk.take()).status).toBe(status)
  expect(await outcomes([desk.take()])).toEqual(["answered"])
})

test("a store that cannot be written acknowledges nothing", async () => {
  await using desk = await openDesk({ acknowledge: "at_once" })
  desk.house.store.db.run("PRAGMA query_only = 1")
  const { status } = await desk.take()
  expect(status).toBe(500)
  desk.house.store.db.run("PRAGMA query_only = 0")
  expect(await outcomes([desk.take()])).toEqual(["accepted"])
})

test("what was acknowledged at once and not brought to its end is taken up again, once", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  const bodies: string[] = []
  const parse = (payload: Uint8Array) => {
    bodies.push(new TextDecoder().decode(payload))
    return message()
  }
  {
    const script = (_asked: unknown, _call: number, signal: AbortSignal) => stall(signal)
    await using desk = await openDesk({ path, parse, acknowledge: "at_once", script })
    expect(await outcomes([desk.take("a", "the body"), desk.take("a", "the body")])).toEqual([
      "accepted",
      "duplicate",
    ])
  }
  {
    await using desk = await openDesk({ path, parse, acknowledge: "at_once" })
    desk.webhooks.resume()
    // Sent again by its platform in the meantime.
    expect(await outcomes([desk.take("a", "the body")])).toEqual(["duplicate"])
    while (!desk.told.includes("channel.failed failed")) await new Promise(setImmediate)
  }
  await using desk = await openDesk({ path, parse, acknowledge: "at_once" })
  desk.webhooks.resume()
  expect(await outcomes([desk.take("a", "the body")])).toEqual(["duplicate"])
  expect(bodies).toEqual(["the body", "the body"])
  expect(desk.house.store.db.query("SELECT is_done, body FROM webhook_delivery").all()).toEqual([
    { is_done: 1, body: null },
  ])
})

test("an abort is an end: the platform is told nothing, and what it repeats is not begun again", async () => {
  const held = gate()
  await using desk = await openDesk({ script: held.script })
  const answer = desk.take()
  while (desk.house.models.asked.length === 0) await new Promise(setImmediate)
  desk.house.turns.abort({ session_key: "default:talk:webhook:ann" })
  expect(await answer).toMatchObject({ status: 200, body: '{"status":"no_answer"}' })
  expect(await outcomes([desk.take()])).toEqual(["duplicate"])
})

test("an abort of what still waits is an end, too", async () => {
  const held = gate()
  await using desk = await openDesk({ script: held.script })
  const first = desk.take("a")
  while (desk.house.models.asked.length === 0) await new Promise(setImmediate)
  const second = desk.take("b")
  while (desk.told.length < 2) await new Promise(setImmediate)
  desk.house.turns.abort({ session_key: "default:talk:webhook:ann" })
  expect((await first).body).toBe('{"status":"no_answer"}')
  expect((await second).body).toBe('{"status":"no_answer"}')
  expect(await outcomes([desk.take("a"), desk.take("b")])).toEqual(["duplicate", "duplicate"])
})

test("a day later a delivery is a new one, and one that fails may come again", async () => {
  const script = (_asked: unknown, call: number) => {
    if (call === 1) throw new AppError("provider_failed", { provider: "one", retryable: false })
    return [text("ok"), done()]
  }
  await using desk = await openDesk({ script })
  expect(await outcomes([desk.take()])).toEqual(["answered"])
  desk.house.clock.now_ms += day_ms + 1
  expect(await outcomes([desk.take()])).toEqual(["failed"])
  expect(await outcomes([desk.take()])).toEqual(["answered"])
})

test("an answer that is on its way when the gateway stops is given the time to get out", async () => {
  const [formatting, ready] = [Promise.withResolvers<void>(), Promise.withResolvers<Formatted>()]
  const format = (_content: string, signal: AbortSignal) => {
    signal.addEventListener("abort", () => ready.reject(signal.reason))
    formatting.resolve()
    return ready.promise
  }
  await using desk = await openDesk({ format })
  const answer = desk.take()
  await formatting.promise
  const gone = desk.webhooks[Symbol.asyncDispose]()
  ready.resolve({ type: "bytes", bytes: bytes("just in time") })
  await gone
  expect((await answer).outcome).toBe("answered")
})

test("of one channel there are never more at work than 256, and who is turned away may come again", async () => {
  const gate = Promise.withResolvers<void>()
  const parse = async (payload: Uint8Array) => {
    await gate.promise
    return message({ peer: new TextDecoder().decode(payload) })
  }
  await using desk = await openDesk({ parse })
  const taken = Array.from({ length: 256 }, (_, n) => desk.take(`${n}`, `peer ${n}`))
  const busy = await desk.take("one more", "a peer")
  expect([busy.status, busy.retry_after_s]).toEqual([503, 1])
  const again = desk.take("0", "peer 0")
  gate.resolve()
  expect(new Set(await outcomes(taken))).toEqual(new Set(["answered"]))
  expect(await outcomes([again, desk.take("one more", "a peer")])).toEqual(["duplicate", "answered"])
})

test("what brings each gateway to its end is not taken up for ever", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  const script = (_asked: unknown, _call: number, signal: AbortSignal) => stall(signal)
  const open = () => openDesk({ path, acknowledge: "at_once", script })
  for (let start = 0; start < 5; start++) {
    await using desk = await open()
    if (start === 0) await desk.take()
    else desk.webhooks.resume()
    while (desk.house.models.asked.length === 0) await new Promise(setImmediate)
  }
  await using desk = await open()
  desk.webhooks.resume()
  const rows = () => desk.house.store.db.query("SELECT is_done, body FROM webhook_delivery").all()
  while (desk.house.logged.length === 0) await new Promise(setImmediate)
  expect(desk.house.logged.join()).toContain("given up")
  await desk.house.store.commit(() => undefined)
  expect(rows()).toEqual([{ is_done: 1, body: null }])
  expect(desk.house.models.asked).toEqual([])
})

test("what was acknowledged waits where its adapter cannot be asked, and is not asked of the agent again", async () => {
  let calls = 0
  const format = (): Formatted => {
    if (calls++ === 0) throw new PluginFailed("time", "no process was free")
    return { type: "bytes", bytes: bytes("too late for the response") }
  }
  await using desk = await openDesk({ format, acknowledge: "at_once" })
  const { db } = desk.house.store
  expect((await desk.take()).outcome).toBe("accepted")
  while (desk.told.length < 2) await new Promise(setImmediate)
  expect(desk.told.at(-1)).toBe("channel.failed unavailable")
  expect(db.query("SELECT is_done FROM webhook_delivery").all()).toEqual([{ is_done: 0 }])
  desk.webhooks.resume()
  // Shares the end of what was taken up.
  await desk.take()
  expect(desk.told.at(-1)).toBe("channel.failed failed")
  expect(JSON.stringify(desk.house.logged)).toContain("the adapter made no request of the answer")
  expect(db.query("SELECT is_done, body FROM webhook_delivery").all()).toEqual([{ is_done: 1, body: null }])
  expect(desk.house.models.asked).toHaveLength(1)
})

test("what was acknowledged is not given up because its session has others waiting", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "weft.db")
  {
    const script = (_asked: unknown, _call: number, signal: AbortSignal) => stall(signal)
    await using desk = await openDesk({ path, acknowledge: "at_once", script })
    expect(await outcomes([desk.take("a"), desk.take("b")])).toEqual(["accepted", "accepted"])
  }
  const held = gate()
  await using desk = await openDesk({ path, acknowledge: "at_once", script: held.script, queue_max: 0 })
  desk.webhooks.resume()
  while (!desk.told.includes("channel.failed busy")) await new Promise(setImmediate)
  await desk.house.store.commit(() => undefined)
  const left = () => desk.house.store.db.query("SELECT is_done FROM webhook_delivery").values().flat()
  expect(left()).toEqual([0, 0])
  held.open(0)
  while (!left().includes(1)) await new Promise(setImmediate)
  desk.webhooks.resume()
  held.open(1)
  while (left().includes(0)) await new Promise(setImmediate)
})
