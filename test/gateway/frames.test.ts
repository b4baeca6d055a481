/** Frames that nobody wrote: each is answered once, or not at all, and nothing stops. */
import { afterAll, expect, test } from "bun:test"
import fc from "fast-check"
import { methods } from "../../src/registry.ts"
import { type Frame, openSocket, type RawClient, startGateway } from "../harness.ts"
import { checkReply } from "./client.ts"

const gateway = await startGateway()
afterAll(() => gateway[Symbol.asyncDispose]())

/** How many answers the specification asks for, and with what id; undefined where a batch has several. */
const frameOf = (text: string): { replies: 0 | 1; id: unknown } => {
  const isId = (id: unknown) => id === null || typeof id === "string" || Number.isSafeInteger(id)
  const isRequest = (value: unknown): value is { id?: unknown } => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false
    const { jsonrpc, id, method, params } = value as Record<string, unknown>
    const structured = params === undefined || (typeof params === "object" && params !== null)
    return jsonrpc === "2.0" && typeof method === "string" && structured && (id === undefined || isId(id))
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SyntaxError)
    return { replies: 1, id: null }
  }
  if (Array.isArray(value)) {
    const silent = value.length > 0 && value.every((entry) => isRequest(entry) && entry.id === undefined)
    return { replies: silent && value.length <= 64 ? 0 : 1, id: undefined }
  }
  if (isRequest(value) && value.id === undefined) return { replies: 0, id: undefined }
  const { id } = (value ?? {}) as { id?: unknown }
  return { replies: 1, id: isId(id) ? id : null }
}

/** Sends the frame and a ping and answers what came for the frame. */
async function replyTo(socket: RawClient, frame: string): Promise<unknown[]> {
  const { replies } = frameOf(frame)
  const mark = `after ${crypto.randomUUID()}`
  socket.send(frame)
  socket.send({ jsonrpc: "2.0", id: mark, method: "ping" })
  const seen: unknown[] = []
  for (let marked = false; !marked || seen.length < replies; ) {
    const got = JSON.parse(await socket.next()) as Frame
    if (got.id === mark) marked = true
    else if (got.method === undefined) seen.push(got)
  }
  return seen
}

function checkAnswered(frame: string, seen: unknown[]): void {
  const { replies, id } = frameOf(frame)
  expect(seen).toBeArrayOfSize(replies)
  if (replies === 0) return
  checkReply(seen[0])
  if (id !== undefined) expect((seen[0] as Frame).id as unknown).toEqual(id)
}

test("any JSON value as a frame gets exactly one well-formed answer, or none", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const value = fc.oneof(
    fc.jsonValue(),
    fc.array(fc.jsonValue()),
    fc.record(
      { jsonrpc: fc.constant("2.0"), id: fc.jsonValue(), method: fc.string(), params: fc.jsonValue() },
      { requiredKeys: [] },
    ),
  )
  await fc.assert(
    fc.asyncProperty(value, async (value) => {
      const frame = JSON.stringify(value)
      checkAnswered(frame, await replyTo(socket, frame))
    }),
    { numRuns: 300 },
  )
})

const samples: Record<string, unknown> = {
  "chat.send": { content: "hi", agent: "default", attachments: ["x"], metadata: { a: 1 } },
  "chat.abort": { session_key: "default:ws:default:main" },
  "chat.attach": { turn_id: "x", after_seq: 3 },
  "session.list": { cursor: "1.1", limit: 2 },
  "token.create": { name: "x", scope: "chat", agents: [], expires_ms: 1 },
  "event.subscribe": { topics: ["turn.*"] },
  "tool.call": { name: "current_time", input: { time_zone: "UTC" } },
  "session.search": { query: "x" },
  "usage.get": { by: "day" },
}
const own = methods
  .filter(({ name }) => !["connect", "token.exchange"].includes(name))
  .map(({ name }) => ({
    jsonrpc: "2.0",
    id: 1,
    method: name,
    params: samples[name] ?? { session_key: "default:ws:default:main" },
  }))

/** The value with one place of it replaced. */
function mutate(value: unknown, seed: number, by: unknown): unknown {
  const places: [Record<string, unknown>, string][] = []
  const copy = { root: structuredClone(value) } as Record<string, unknown>
  const walk = (holder: Record<string, unknown>) => {
    for (const key of Object.keys(holder)) {
      places.push([holder, key])
      const inner = holder[key]
      if (typeof inner === "object" && inner !== null) walk(inner as Record<string, unknown>)
    }
  }
  walk(copy)
  const [holder, key] = places[seed % places.length]!
  if (by === undefined) delete holder[key]
  else holder[key] = by
  return copy.root ?? null
}

test("frames of every method with one place spoilt are answered once and stop nothing", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const spoilt = fc
    .tuple(fc.constantFrom(...own), fc.nat(), fc.option(fc.jsonValue(), { nil: undefined }), fc.boolean())
    .map(([frame, seed, by, in_batch]) =>
      JSON.stringify(in_batch ? [mutate(frame, seed, by)] : mutate(frame, seed, by)),
    )
  await fc.assert(
    fc.asyncProperty(spoilt, async (frame) => checkAnswered(frame, await replyTo(socket, frame))),
    { numRuns: 500 },
  )
})

test("frames with bytes cut, doubled or changed are answered once", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  const text = fc
    .tuple(fc.constantFrom(...own), fc.nat(), fc.string({ maxLength: 3 }), fc.nat({ max: 4 }))
    .map(([frame, at, by, cut]) => {
      const whole = JSON.stringify(frame)
      const i = at % whole.length
      return whole.slice(0, i) + by + whole.slice(i + cut)
    })
  await fc.assert(
    fc.asyncProperty(text, async (frame) => checkAnswered(frame, await replyTo(socket, frame))),
    { numRuns: 300 },
  )
})
