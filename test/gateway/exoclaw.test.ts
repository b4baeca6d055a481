/** The subprotocol "exoclaw", frame by frame as its specification has it. */
import { afterAll, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import { type AnyMethod, defineMethod } from "../../src/gateway/rpc.ts"
import { methods } from "../../src/registry.ts"
import { checked, openSocket, type Said, startGateway, startModel, temporaryFolder } from "../harness.ts"
import { make } from "../plugins/made.ts"
import { makeToken } from "./client.ts"

const script = (text: string): Said[] => {
  if (text.startsWith("fail")) return [{ status: 400 }]
  if (text.startsWith("time")) return [{ tool: "current_time", input: { time_zone: "UTC" }, id: "call-1" }]
  if (text.startsWith("cut")) return ["Hel", { cut: true }]
  if (text.startsWith("loop")) return [{ tool: "current_time", input: {}, id: "call-1" }]
  return ["Hel", "lo"]
}
const model = startModel((asked) => {
  const last = asked.messages.at(-1)!
  const first = String(asked.messages.findLast(({ role }) => role === "user")!.content)
  return last.role === "tool" && !first.startsWith("loop") ? ["It is late."] : script(first)
})
const released = Promise.withResolvers<void>()
const hold: AnyMethod = defineMethod({
  name: "plugin.list",
  summary: "Answers later.",
  scope: "read",
  params: Type.Object({}),
  result: Type.Unknown(),
  run: () => released.promise.then(() => ({ plugins: [] })),
})
const gateway = await startGateway({ model, log_level: "error" })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

const protocols = ["exoclaw"]
async function open(token = gateway.token) {
  const socket = await openSocket(gateway.ws, { protocols })
  socket.send({ token })
  expect(await socket.read()).toEqual({ ok: true, version: expect.any(String) } as never)
  return socket
}
const address = { channel: "ws", account: "default" }
const read = async (socket: Awaited<ReturnType<typeof open>>, count: number) => {
  const frames: unknown[] = []
  while (frames.length < count) frames.push(await socket.read())
  return frames
}

test.each([
  ["a wrong token", { token: "wrong" }],
  ["a token that is no text", { token: 5 }],
  ["another frame", { id: "1", method: "ping" }],
  ["null", null],
  ["no JSON", "{"],
])("%s first is auth_failed, and the socket is closed with 4001", async (_what, frame) => {
  await using socket = await openSocket(gateway.ws, { protocols })
  socket.send(frame === null ? "null" : frame)
  expect(await socket.read()).toEqual({ error: "auth_failed", code: 4001 } as never)
  expect(await socket.closed).toMatchObject({ code: 4001 })
})

test("the hello comes at once where there is no token to present", async () => {
  await using loopback = await startGateway({ config: '[gateway]\nauth = "none"\n' })
  await using socket = await openSocket(loopback.ws, { protocols })
  expect(await socket.read()).toEqual({ ok: true, version: expect.any(String) } as never)
  socket.send({ id: "1", method: "ping" })
  expect(await socket.read()).toEqual({ id: "1", result: "pong" })
})

const unary: [what: string, frame: unknown, answer: unknown][] = [
  ["ping", { id: "1", method: "ping" }, { id: "1", result: "pong" }],
  ["a number as id comes back as text", { id: 7, method: "ping", params: {} }, { id: "7", result: "pong" }],
  ["params may be null", { id: "1", method: "ping", params: null }, { id: "1", result: "pong" }],
  [
    "members that it does not know are ignored",
    { id: "1", method: "ping", params: { x: 1 }, y: 2 },
    { id: "1", result: "pong" },
  ],
  [
    "status",
    { id: "2", method: "status" },
    { id: "2", result: { version: expect.any(String), plugins: 0, sessions: expect.any(Number) } },
  ],
  ["plugin.list", { id: "3", method: "plugin.list" }, { id: "3", result: [] }],
  ["an unknown method", { id: "4", method: "no.such" }, { id: "4", error: "unknown method: no.such" }],
  [
    "a method of ours that it does not have",
    { id: "4", method: "session.list" },
    { id: "4", error: "unknown method: session.list" },
  ],
  [
    "connect, which it does not have",
    { id: "4", method: "connect" },
    { id: "4", error: "unknown method: connect" },
  ],
  [
    "a method of every object",
    { id: "4", method: "constructor" },
    { id: "4", error: "unknown method: constructor" },
  ],
  ["no JSON", "{", { id: "0", error: expect.stringMatching(/^parse error: ./) }],
  ["no id", { method: "ping" }, { id: "0", error: expect.stringMatching(/^parse error: ./) }],
  ["no method", { id: "1" }, { id: "0", error: expect.stringMatching(/^parse error: ./) }],
  ["a list", [1], { id: "0", error: expect.stringMatching(/^parse error: ./) }],
  ["nesting without end", "[".repeat(1000), { id: "0", error: expect.stringMatching(/^parse error: ./) }],
  [
    "chat.send without content",
    { id: "5", method: "chat.send", params: address },
    { id: "5", error: expect.stringMatching(/^invalid chat\.send params: .*content/) },
  ],
  [
    "chat.send without channel",
    { id: "5", method: "chat.send", params: { account: "a", content: "x" } },
    { id: "5", error: expect.stringMatching(/^invalid chat\.send params: .*channel/) },
  ],
  [
    "chat.send without account",
    { id: "5", method: "chat.send", params: { channel: "ws", content: "x" } },
    { id: "5", error: expect.stringMatching(/^invalid chat\.send params: .*account/) },
  ],
  [
    "chat.send without anything",
    { id: "5", method: "chat.send" },
    { id: "5", error: expect.stringMatching(/^invalid chat\.send params: ./) },
  ],
  [
    "chat.send with a list",
    { id: "5", method: "chat.send", params: [1] },
    { id: "5", error: expect.stringMatching(/^invalid chat\.send params: ./) },
  ],
]

test.each(unary)("%s", async (_what, frame, answer) => {
  await using socket = await open()
  socket.send(frame)
  expect(await socket.read()).toEqual(answer as never)
})

test("chat.send streams text, usage and done, and no result", async () => {
  await using socket = await open()
  socket.send({
    id: "a",
    method: "chat.send",
    params: { ...address, content: "hi", peer: null, guild: null, extra: true },
  })
  expect(await read(socket, 4)).toEqual([
    { id: "a", event: "text", data: "Hel" },
    { id: "a", event: "text", data: "lo" },
    { id: "a", event: "usage", data: { input_tokens: 10, output_tokens: 5 } },
    { id: "a", event: "done" },
  ])
  socket.send({ id: "b", method: "ping" })
  expect(await socket.read()).toEqual({ id: "b", result: "pong" })
})

test("a tool's call and result are told by its names", async () => {
  await using socket = await open()
  socket.send({ id: "a", method: "chat.send", params: { ...address, content: "time", peer: "t" } })
  expect(await read(socket, 6)).toEqual([
    { id: "a", event: "usage", data: expect.anything() },
    { id: "a", event: "tool_use", data: { id: "call-1", name: "current_time", input: { time_zone: "UTC" } } },
    {
      id: "a",
      event: "tool_result",
      data: { tool_use_id: "call-1", content: expect.any(String), is_error: false },
    },
    { id: "a", event: "text", data: "It is late." },
    { id: "a", event: "usage", data: expect.anything() },
    { id: "a", event: "done" },
  ])
})

test("a provider's failure is an error event with its sentence, followed by done", async () => {
  await using socket = await open()
  socket.send({ id: "a", method: "chat.send", params: { ...address, content: "fail", peer: "f" } })
  expect(await read(socket, 2)).toEqual([
    { id: "a", event: "error", data: expect.stringMatching(/^provider error: ./) },
    { id: "a", event: "done" },
  ])
  socket.send({ id: "b", method: "ping" })
  expect(await socket.read()).toEqual({ id: "b", result: "pong" })
})

test("text that was sent is not taken back: a provider that fails after it is not asked again", async () => {
  await using socket = await open()
  const before = model.asked.length
  socket.send({ id: "a", method: "chat.send", params: { ...address, content: "cut", peer: "c" } })
  expect(await read(socket, 3)).toEqual([
    { id: "a", event: "text", data: "Hel" },
    { id: "a", event: "error", data: expect.stringMatching(/^provider error: ./) },
    { id: "a", event: "done" },
  ])
  expect(model.asked.length).toBe(before + 1)
})

test("a loop of tools without end is an error with its sentence", async () => {
  await using socket = await open()
  socket.send({ id: "a", method: "chat.send", params: { ...address, content: "loop", peer: "l" } })
  const frames: { event?: string; data?: unknown }[] = []
  do frames.push((await socket.read()) as object)
  while (frames.at(-1)!.event !== "done")
  expect(frames.at(-2)).toEqual({
    id: "a",
    event: "error",
    data: "tool-use loop exceeded max iterations",
  } as never)
  expect(frames.filter(({ event }) => event === "done")).toBeArrayOfSize(1)
})

test("a channel that the token may not speak for is an error with a sentence", async () => {
  const { token } = await makeToken(gateway, { scopes: ["chat"] })
  await using socket = await open(token)
  socket.send({ id: "a", method: "chat.send", params: { channel: "telegram", account: "bot", content: "x" } })
  expect(await socket.read()).toEqual({ id: "a", error: "forbidden" } as never)
})

test("what is in flight has the same bound as elsewhere", async () => {
  await using held = await startGateway({
    methods: [...methods.filter(({ name }) => name !== "plugin.list").map(checked), hold],
  })
  await using socket = await openSocket(held.ws, { protocols })
  socket.send({ token: held.token })
  await socket.read()
  for (let id = 0; id < 65; id++) socket.send({ id: `${id}`, method: "plugin.list" })
  expect(await socket.read()).toEqual({ id: "64", error: "rate limited" } as never)
  released.resolve()
  expect(await socket.read()).toEqual({ id: "0", result: [] })
})

test("both dialects speak to the same conversation", async () => {
  await using old = await open()
  old.send({ id: "a", method: "chat.send", params: { ...address, content: "hi", peer: "shared" } })
  await read(old, 4)
  await using ours = await openSocket(gateway.ws, { token: gateway.token })
  const { result } = await ours.call("chat.history", { session_key: "default:ws:default:shared" })
  expect((result as { messages: unknown[] }).messages).toBeArrayOfSize(2)
})

test("a revoked token closes the older dialect's socket as well", async () => {
  const { token, token_id } = await makeToken(gateway, { scopes: ["read"] })
  await using socket = await open(token)
  await using ours = await openSocket(gateway.ws, { token: gateway.token })
  await ours.call("token.revoke", { token_id })
  expect(await socket.closed).toMatchObject({ code: 4003 })
})

test("plugins are counted and listed as far as they run, by name alone", async () => {
  await using folder = await temporaryFolder()
  writeFileSync(join(folder.path, "echo.wasm"), make())
  const config = ["echo", "gone"].map((name) => `[[plugins]]\nname = "${name}"\npath = "${name}.wasm"\n`)
  const home = folder.path
  await using own = await startGateway({ home, config: config.join(""), log_level: "error" })
  await using socket = await openSocket(own.ws, { protocols })
  socket.send({ token: own.token })
  await socket.read()
  socket.send({ id: "1", method: "plugin.list" })
  expect(await socket.read()).toEqual({ id: "1", result: [{ name: "echo" }] })
  socket.send({ id: "2", method: "status" })
  expect(await socket.read()).toMatchObject({ result: { plugins: 1 } })
})
