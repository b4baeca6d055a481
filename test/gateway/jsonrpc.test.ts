import { afterAll, expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { scopes } from "../../src/gateway/auth.ts"
import { type AnyMethod, defineMethod } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { checked, openSocket, startGateway } from "../harness.ts"
import { checkReply, post } from "./client.ts"

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
  const known: string[] = ["none", ...scopes]
  expect(methods.map(({ scope }) => known.includes(scope))).not.toContain(false)
})

test("only connect and token.exchange are for clients without a token", () => {
  expect(methods.filter((method: AnyMethod) => method.before_connect).map(({ name }) => name)).toEqual([
    "connect",
    "token.exchange",
  ])
})
