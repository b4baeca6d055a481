import { afterAll, expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import fc from "fast-check"
import { type ErrorCode, errors } from "../../src/base/errors.ts"
import { type AnyMethod, defineMethod } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { checked, type Frame, openSocket, type RawClient, startGateway } from "../harness.ts"
import { post } from "./client.ts"

const open = { scope: "none", summary: "For a test.", result: Type.Unknown() } as const
const one = <P extends ReturnType<typeof Type.Unknown>>(
  name: string,
  params: P,
  run: (given: never) => unknown,
) => defineMethod({ ...open, name, params, run: run as never })

/** The methods that the examples of the JSON-RPC 2.0 specification call. */
const examples: AnyMethod[] = [
  one("subtract", Type.Unknown(), (given: number[] | { minuend: number; subtrahend: number }) => {
    const [minuend, subtrahend] = Array.isArray(given) ? given : [given.minuend, given.subtrahend]
    return minuend! - subtrahend!
  }),
  one("sum", Type.Unknown(), (given: number[]) => given.reduce((sum, value) => sum + value, 0)),
  one("get_data", Type.Unknown(), () => ["hello", 5]),
  one("update", Type.Unknown(), () => null),
  one("notify_hello", Type.Unknown(), () => null),
  one("notify_sum", Type.Unknown(), () => null),
  one("later", Type.Unknown(), async (given: unknown) => given),
]

const v = `"jsonrpc":"2.0"`
const fails = (code: number, id: unknown = null) => ({ jsonrpc: "2.0", id, error: { code } })
const gives = (result: unknown, id: unknown) => ({ jsonrpc: "2.0", id, result })

const examples_of_the_specification: [what: string, frame: string, answer: unknown][] = [
  ["positional parameters", `{${v},"method":"subtract","params":[42,23],"id":1}`, gives(19, 1)],
  ["positional, swapped", `{${v},"method":"subtract","params":[23,42],"id":2}`, gives(-19, 2)],
  ["named", `{${v},"method":"subtract","params":{"subtrahend":23,"minuend":42},"id":3}`, gives(19, 3)],
  [
    "named, swapped",
    `{${v},"method":"subtract","params":{"minuend":42,"subtrahend":23},"id":4}`,
    gives(19, 4),
  ],
  ["a notification", `{${v},"method":"update","params":[1,2,3,4,5]}`, undefined],
  ["a notification of no method", `{${v},"method":"foobar"}`, undefined],
  ["no such method", `{${v},"method":"foobar","id":"1"}`, fails(-32601, "1")],
  ["invalid JSON", `{${v},"method":"foobar, "params":"bar","baz]`, fails(-32700)],
  ["an invalid request", `{${v},"method":1,"params":"bar"}`, fails(-32600)],
  [
    "a batch of invalid JSON",
    `[{${v},"method":"sum","params":[1,2,4],"id":"1"},{${v},"method"`,
    fails(-32700),
  ],
  ["an empty batch", "[]", fails(-32600)],
  ["an invalid batch", "[1]", [fails(-32600)]],
  ["an invalid batch of three", "[1,2,3]", [fails(-32600), fails(-32600), fails(-32600)]],
  [
    "a mixed batch",
    `[{${v},"method":"sum","params":[1,2,4],"id":"1"},{${v},"method":"notify_hello","params":[7]},
      {${v},"method":"subtract","params":[42,23],"id":"2"},{"foo":"boo"},
      {${v},"method":"foo.get","params":{"name":"myself"},"id":"5"},{${v},"method":"get_data","id":"9"}]`,
    [gives(7, "1"), gives(19, "2"), fails(-32600), fails(-32601, "5"), gives(["hello", 5], "9")],
  ],
  [
    "a batch of notifications",
    `[{${v},"method":"notify_sum","params":[1,2,4]},{${v},"method":"notify_hello","params":[7]}]`,
    undefined,
  ],
]

/** What go-ethereum's rpc/testdata and the corners of JSON ask beyond the examples. */
const malformed: typeof examples_of_the_specification = [
  ["an array as id", `{${v},"id":[],"method":"get_data"}`, fails(-32600)],
  ["an object as id", `{${v},"id":{},"method":"get_data"}`, fails(-32600)],
  ["a boolean as id", `{${v},"id":true,"method":"get_data"}`, fails(-32600)],
  ["a fraction as id", `{${v},"id":1.5,"method":"get_data"}`, fails(-32600)],
  ["2^53 as id", `{${v},"id":9007199254740992,"method":"get_data"}`, fails(-32600)],
  ["-2^53 as id", `{${v},"id":-9007199254740992,"method":"get_data"}`, fails(-32600)],
  ["2^53+1 as id", `{${v},"id":9007199254740993,"method":"get_data"}`, fails(-32600)],
  ["1e400 as id", `{${v},"id":1e400,"method":"get_data"}`, fails(-32600)],
  ["2^53-1 as id", `{${v},"id":9007199254740991,"method":"get_data"}`, gives(["hello", 5], 2 ** 53 - 1)],
  ["1-2^53 as id", `{${v},"id":-9007199254740991,"method":"get_data"}`, gives(["hello", 5], 1 - 2 ** 53)],
  ["zero as id", `{${v},"id":0,"method":"get_data"}`, gives(["hello", 5], 0)],
  ["the empty string as id", `{${v},"id":"","method":"get_data"}`, gives(["hello", 5], "")],
  [
    "a strange string as id",
    `{${v},"id":"\\u0000\\ud83d\\ude00\\"","method":"get_data"}`,
    gives(["hello", 5], '\0😀"'),
  ],
  ["null as id", `{${v},"id":null,"method":"get_data"}`, gives(["hello", 5], null)],
  ["no version", `{"id":7,"method":"get_data"}`, fails(-32600, 7)],
  ["version 1.0", `{"jsonrpc":"1.0","id":7,"method":"get_data"}`, fails(-32600, 7)],
  ["a number as version", `{"jsonrpc":2.0,"id":7,"method":"get_data"}`, fails(-32600, 7)],
  ["no method", `{${v},"id":7}`, fails(-32600, 7)],
  ["null as method", `{${v},"id":7,"method":null}`, fails(-32600, 7)],
  ["a string as params", `{${v},"id":7,"method":"get_data","params":"x"}`, fails(-32600, 7)],
  ["null as params", `{${v},"id":7,"method":"get_data","params":null}`, fails(-32600, 7)],
  ["an answer", `{${v},"id":7,"result":1}`, fails(-32600, 7)],
  ["a number", "5", fails(-32600)],
  ["a string", '"get_data"', fails(-32600)],
  ["null", "null", fails(-32600)],
  ["nothing", "", fails(-32700)],
  ["white space", " \n\t ", fails(-32700)],
  ["a byte order mark", `\ufeff{${v},"id":7,"method":"get_data"}`, fails(-32700)],
  ["two values", `{${v},"id":7,"method":"get_data"} 1`, fails(-32700)],
  ["NaN", `{${v},"id":NaN,"method":"get_data"}`, fails(-32700)],
  ["a batch in a batch", `[[{${v},"id":7,"method":"get_data"}]]`, [fails(-32600)]],
  [
    "64 levels",
    `{${v},"id":7,"method":"later","params":${"[".repeat(63)}${"]".repeat(63)}}`,
    gives(JSON.parse(`${"[".repeat(63)}${"]".repeat(63)}`), 7),
  ],
  ["65 levels", `{${v},"id":7,"method":"later","params":${"[".repeat(64)}${"]".repeat(64)}}`, fails(-32600)],
  ["65 levels of objects", `${'{"a":'.repeat(65)}1${"}".repeat(65)}`, fails(-32600)],
  [
    "brackets in a string",
    `{${v},"id":7,"method":"later","params":["${"[".repeat(500)}\\"${"{".repeat(500)}"]}`,
    gives([`${"[".repeat(500)}"${"{".repeat(500)}`], 7),
  ],
  ["half a million levels", "[".repeat(500_000), fails(-32600)],
  [
    "a batch of 65",
    JSON.stringify(Array.from({ length: 65 }, (_, id) => ({ jsonrpc: "2.0", id, method: "get_data" }))),
    fails(-32011),
  ],
  [
    "a batch of 64",
    JSON.stringify(Array.from({ length: 64 }, (_, id) => ({ jsonrpc: "2.0", id, method: "get_data" }))),
    Array.from({ length: 64 }, (_, id) => gives(["hello", 5], id)),
  ],
  ["__proto__ as method", `{${v},"id":7,"method":"__proto__"}`, fails(-32601, 7)],
  ["constructor as method", `{${v},"id":7,"method":"constructor"}`, fails(-32601, 7)],
  ["toString as method", `{${v},"id":7,"method":"toString"}`, fails(-32601, 7)],
  ["the empty method", `{${v},"id":7,"method":""}`, fails(-32601, 7)],
  ["__proto__ in the frame", `{${v},"id":7,"method":"ping","__proto__":{"params":[1]}}`, gives("pong", 7)],
  ["a method by __proto__", `{${v},"id":7,"__proto__":{"method":"ping"}}`, fails(-32600, 7)],
  [
    "__proto__ as a parameter",
    `{${v},"id":7,"method":"agent.get","params":{"__proto__":{"id":"default"}}}`,
    fails(-32602, 7),
  ],
  [
    "__proto__ beside one",
    `{${v},"id":7,"method":"agent.get","params":{"id":"default","__proto__":{}}}`,
    fails(-32602, 7),
  ],
  [
    "constructor as a parameter",
    `{${v},"id":7,"method":"agent.get","params":{"id":"default","constructor":{}}}`,
    fails(-32602, 7),
  ],
  [
    "a list as parameters of ours",
    `{${v},"id":7,"method":"agent.get","params":["default"]}`,
    fails(-32602, 7),
  ],
  ["the same key twice", `{${v},"id":7,"id":8,"method":"foo","method":"ping"}`, gives("pong", 8)],
  [
    "a batch that names no text",
    `[{${v},"id":7,"method":"chat.send","params":{"content":"x","agent":5}}]`,
    [fails(-32602, 7)],
  ],
]

const gateway = await startGateway({ methods: [...methods.map(checked), ...examples] })
afterAll(() => gateway[Symbol.asyncDispose]())

const byId = (answer: unknown) =>
  Array.isArray(answer)
    ? answer.toSorted((a, b) => JSON.stringify(a.id).localeCompare(JSON.stringify(b.id)))
    : answer

/** Whether it is an answer that the specification allows, with an error that our table has. */
function checkReply(reply: unknown): void {
  for (const one of Array.isArray(reply) ? reply : [reply]) {
    const { error, ...rest } = one as Frame
    if (!error) {
      expect(Object.keys(rest).toSorted()).toEqual(["id", "jsonrpc", "result"])
      continue
    }
    expect(Object.keys(rest).toSorted()).toEqual(["id", "jsonrpc"])
    // A bug would show as "internal".
    expect(error.data.code).not.toBe("internal")
    const declared = errors[error.data.code as ErrorCode]
    expect([error.code, error.message]).toEqual([declared.rpc, declared.message])
  }
}

test.each([...examples_of_the_specification, ...malformed])(
  "over a socket: %s",
  async (_what, frame, expected) => {
    await using socket = await openSocket(gateway.ws, { token: gateway.token })
    socket.send(frame)
    socket.send({ jsonrpc: "2.0", id: "after", method: "ping" })
    const frames = [JSON.parse(await socket.next())]
    if (expected !== undefined) frames.push(JSON.parse(await socket.next()))
    const answers = frames.filter(({ id }) => id !== "after")
    for (const answer of answers) checkReply(answer)
    expect(answers.map(byId)).toMatchObject(expected === undefined ? [] : [byId(expected) as object])
  },
)

test.each([...examples_of_the_specification, ...malformed])(
  "over HTTP: %s",
  async (what, frame, expected) => {
    const response = await post(gateway, frame, gateway.token)
    if (expected === undefined) {
      expect([response.status, await response.text()]).toEqual([204, ""])
      return
    }
    // Reading a body as text may leave a byte order mark out.
    if (what === "a byte order mark") return
    const answer = await response.json()
    checkReply(answer)
    expect(byId(answer)).toMatchObject(byId(expected) as object)
  },
)

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

test("a binary frame is an invalid request, and the socket goes on", async () => {
  await using socket = await openSocket(gateway.ws, { token: gateway.token })
  socket.socket.send(new TextEncoder().encode(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
  expect(await socket.read()).toMatchObject({ id: null, error: { code: -32600 } })
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
})

test("bytes that are not UTF-8 are a parse error over HTTP", async () => {
  const bytes = new Uint8Array([
    ...new TextEncoder().encode(`{"jsonrpc":"2.0","id":1,"method":"`),
    0xff,
    0x22,
    0x7d,
  ])
  expect(await (await post(gateway, bytes, gateway.token)).json()).toMatchObject({
    id: null,
    error: { code: -32700 },
  })
})

test("a method without a scope is no method", () => {
  const missing = {
    name: "x",
    summary: "x",
    params: Type.Object({}),
    result: Type.Unknown(),
    run: () => null,
  }
  // @ts-expect-error: the scope is missing, which the compiler must not accept.
  expect(defineMethod(missing).scope as unknown).toBeUndefined()
  expect(methods.map(({ scope }) => ["none", "read", "chat", "admin"].includes(scope))).not.toContain(false)
})

test("only connect and token.exchange are for clients without a token", () => {
  expect(methods.filter((method: AnyMethod) => method.before_connect).map(({ name }) => name)).toEqual([
    "connect",
    "token.exchange",
  ])
})
