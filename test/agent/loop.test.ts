import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { type LoopEvent, runTask, type Task } from "../../src/agent/loop.ts"
import { AppError } from "../../src/base/errors.ts"
import { type AnyTool, defineTool } from "../../src/tools/tool.ts"
import { startModel } from "../harness.ts"
import { chain, done, failure, scripted, task, text, untilAborted, use } from "./scripted.ts"

type Finished = Extract<LoopEvent, { type: "finished" }>

async function run(one: Task): Promise<{ events: LoopEvent[]; end: Finished; told: string[] }> {
  const events = await Array.fromAsync(runTask(one))
  const end = events.pop() as Finished
  expect(end.type).toBe("finished")
  return { events, end, told: events.filter(({ type }) => type !== "usage").map(toWords) }
}

/** An event in one line, for comparing whole conversations. */
function toWords(event: LoopEvent): string {
  if (event.type === "text" || event.type === "reasoning") return `${event.type} ${event.text}`
  if (event.type === "tool_use") return `use ${event.name}`
  if (event.type === "tool_result") return `${event.is_error ? "error" : "result"} ${event.content}`
  return event.type
}

const tool = (name: string, run: AnyTool["run"], params = Type.Object({})): AnyTool =>
  defineTool({ name, description: name, effect: "none", params, run })

test("an answer is streamed, counted and handed over whole", async () => {
  const models = scripted(function* () {
    yield { type: "reasoning", text: "hm", metadata: { p: { s: 1 } } }
    yield text("Hel")
    yield text("lo")
    yield done()
  })
  const { events, end } = await run(task(models))
  expect(events).toEqual([
    { type: "reasoning", text: "hm" },
    { type: "text", text: "Hel" },
    { type: "text", text: "lo" },
    {
      type: "usage",
      ...{
        input_tokens: 10,
        output_tokens: 5,
        cached_tokens: 1,
        cost_usd: 0.01,
        provider: "one",
        model: "a",
      },
    },
  ])
  expect(end).toEqual({
    type: "finished",
    stop_reason: "end",
    parts: [
      { type: "reasoning", text: "hm", metadata: { p: { s: 1 } } },
      { type: "text", text: "Hello" },
    ],
    provider: "one",
  })
  expect(models.asked).toEqual([
    {
      ...{ provider: "one", model: "a", system: "be kind", tools: [], tokens_max: 100 },
      messages: [{ role: "user", parts: [{ type: "text", text: "hello" }] }],
    },
  ])
})

test("tools of one answer run together and their results come in the order of the calls", async () => {
  const slow = Promise.withResolvers<string>()
  const tools = [
    tool("slow", () => slow.promise),
    tool("fast", () => {
      // Only if both run at once does the slow one ever end.
      slow.resolve("slow is done")
      return "fast is done"
    }),
  ]
  const models = scripted(function* (_asked, call) {
    if (call > 0) return yield* [text("both"), done()]
    yield* [text("let me see"), use("slow"), use("fast"), done("tool_use")]
  })
  const { told, end } = await run(task(models, { tools }))
  expect(told).toEqual([
    ...[
      "text let me see",
      "use slow",
      "use fast",
      "result slow is done",
      "result fast is done",
      "round",
      "text both",
    ],
  ])
  expect(end.parts).toEqual([{ type: "text", text: "both" }])
  expect(models.asked[1]!.messages.slice(1)).toEqual([
    {
      role: "assistant",
      parts: [
        { type: "text", text: "let me see" },
        { type: "tool_use", id: "slow", name: "slow", input: {} },
        { type: "tool_use", id: "fast", name: "fast", input: {} },
      ],
      provider: "one",
    },
    {
      role: "tool",
      parts: [
        { type: "tool_result", id: "slow", name: "slow", content: "slow is done", is_error: false },
        { type: "tool_result", id: "fast", name: "fast", content: "fast is done", is_error: false },
      ],
    },
  ])
})

test.each([
  [
    "a field that the schema does not allow",
    use("count", { to: "three" }),
    "error The input does not match the tool's schema at /to: Expected number. Correct it and call again.",
  ],
  [
    "what is no JSON",
    use("count", '{"to": 3'),
    "error The input does not match the tool's schema at /: Expected object. Correct it and call again.",
  ],
  ["an unknown tool", use("fly"), 'error There is no tool "fly". The tools are: count, break.'],
  ["a tool that throws", use("break"), "error the handle came off"],
  ["a tool that throws what is no error", use("break", { how: "odd" }), "error odd"],
])("%s goes back to the model as a result", async (_what, call, told_result) => {
  const tools = [
    tool("count", ({ to }) => String(to), Type.Object({ to: Type.Number() }) as never),
    tool(
      "break",
      ({ how }) => {
        if (how) throw how
        throw new Error("the handle came off")
      },
      Type.Object({ how: Type.Optional(Type.String()) }) as never,
    ),
  ]
  const models = scripted((_asked, n) => (n === 0 ? [call, done("tool_use")] : [text("I see"), done()]))
  const { told, end } = await run(task(models, { tools }))
  expect(told.slice(1)).toEqual([told_result, "round", "text I see"])
  expect(end.stop_reason).toBe("end")
  expect(models.asked[1]!.messages.at(-1)).toMatchObject({ role: "tool", parts: [{ is_error: true }] })
})

test("defaults are filled in for the tool and not into what the model said", async () => {
  const ran: unknown[] = []
  const params = Type.Object({ zone: Type.String({ default: "UTC" }) }) as never
  const clock = tool("clock", (input) => String(ran.push(input)), params)
  const models = scripted((_asked, n) => (n === 0 ? [use("clock"), done("tool_use")] : [done()]))
  const { events } = await run(task(models, { tools: [clock] }))
  expect(ran).toEqual([{ zone: "UTC" }])
  expect(events[1]).toEqual({ type: "tool_use", id: "clock", name: "clock", input: {} })
  expect(models.asked[1]!.messages[1]!.parts).toEqual([
    { type: "tool_use", id: "clock", name: "clock", input: {} },
  ])
})

test("a model that only ever calls tools is stopped after its rounds", async () => {
  const models = scripted(() => [use("again"), done("tool_use")])
  const { end, told } = await run(task(models, { tools: [tool("again", () => "once more")] }))
  expect(models.asked).toHaveLength(20)
  expect(told.filter((one) => one === "round")).toHaveLength(20)
  expect(end).toMatchObject({ stop_reason: "iterations", parts: [] })
})

test("a call of the client's own tool ends the task, and none of ours runs beside it", async () => {
  let ran = false
  const ours = tool("ours", () => {
    ran = true
    return ""
  })
  const theirs = { name: "theirs", description: "", input_schema: Type.Object({}) }
  const models = scripted(() => [text("ask them"), use("ours"), use("theirs", { a: 1 }), done("tool_use")])
  const { end, told } = await run(task(models, { tools: [ours], client_tools: [theirs] }))
  expect([told, ran]).toEqual([["text ask them", "use ours", "use theirs"], false])
  expect(end).toMatchObject({
    stop_reason: "end",
    parts: [{}, { name: "ours" }, { name: "theirs", input: { a: 1 } }],
  })
  expect(models.asked[0]!.tools.map(({ name }) => name)).toEqual(["ours", "theirs"])
})

test("a client's tool takes the place of ours of the same name", async () => {
  const ours = tool("look", () => "ours")
  const theirs = { name: "look", description: "theirs", input_schema: Type.Object({}) }
  const models = scripted(() => [use("look"), done("tool_use")])
  const { told } = await run(task(models, { tools: [ours], client_tools: [theirs] }))
  expect(models.asked[0]!.tools.map(({ description }) => description)).toEqual(["theirs"])
  expect(told).toEqual(["use look"])
})

test.each([
  ["length", [text("half a sent"), done("length")], "length", "half a sent"],
  ["a refusal in words", [text("I will not."), done("refused")], "end", "I will not."],
] as const)("%s ends the task with what was said", async (_what, chunks, stop_reason, said) => {
  const { end } = await run(task(scripted(() => chunks)))
  expect(end).toMatchObject({ stop_reason, parts: [{ type: "text", text: said }] })
})

test("a refusal without a word is an error, and is paid for", async () => {
  const { end, events } = await run(task(scripted(() => [done("refused")])))
  expect(end).toMatchObject({
    stop_reason: "error",
    error: { code: "provider_failed", data: { retryable: false } },
  })
  expect(events).toMatchObject([{ type: "usage" }])
})

test("a failure that may pass is tried again, and what was said before it is void", async () => {
  const models = scripted(function* (_asked, call) {
    if (call === 0) {
      yield text("lost")
      throw failure({ retryable: true, status: 503 })
    }
    yield* [text("kept"), done()]
  })
  const { events, end } = await run(task(models))
  expect(events.slice(0, 3)).toEqual([
    { type: "text", text: "lost" },
    { type: "retry", attempt: 1, wait_ms: expect.any(Number), reason: "provider_failed: 503: scripted" },
    { type: "text", text: "kept" },
  ])
  expect(end).toMatchObject({ stop_reason: "end", parts: [{ type: "text", text: "kept" }], provider: "one" })
})

test("one that does not pass goes to the next model, which stays for the rest of the turn", async () => {
  const models = scripted(function* ({ provider }, call) {
    if (provider === "one") {
      yield* [text("lost"), use("look")]
      throw failure()
    }
    yield* call === 1 ? [use("look"), done("tool_use")] : [text("kept"), done()]
  })
  const { events, end } = await run(task(models, { chain, tools: [tool("look", () => "seen")] }))
  expect(events[1]).toEqual({
    type: "failover",
    ...{ from: "one/a", to: "two/b", reason: "provider_failed: scripted" },
  })
  expect(models.asked.map(({ provider, tokens_max }) => [provider, tokens_max])).toEqual([
    ["one", 100],
    ["two", 50],
    ["two", 50],
  ])
  expect(events.filter(({ type }) => type === "usage")).toMatchObject([{ cost_usd: null }, { model: "b" }])
  expect(end).toMatchObject({ provider: "two", parts: [{ text: "kept" }] })
})

test("a provider that asks for more patience than anybody has is left at once", async () => {
  const models = scripted(function* ({ provider }) {
    if (provider === "one") throw failure({ retryable: true, retry_after_ms: 60_000 })
    yield* [text("here"), done()]
  })
  const { told } = await run(task(models, { chain }))
  expect(told).toEqual(["failover", "text here"])
})

test.each([
  ["after text", true],
  ["before any", false],
])("text that cannot be taken back is never voided: a failure %s", async (_when, has_text) => {
  const models = scripted(function* ({ provider }) {
    if (provider === "two") return yield* [text("two"), done()]
    if (has_text) yield text("one")
    throw failure({ retryable: has_text })
  })
  const { told, end } = await run(task(models, { chain, revocable: false }))
  expect(told).toEqual(has_text ? ["text one"] : ["failover", "text two"])
  expect(end.stop_reason).toBe(has_text ? "error" : "end")
})

test("what had no text yet has not been told, and may fail over", async () => {
  const models = scripted(function* ({ provider }) {
    if (provider === "two") return yield* [text("two"), done()]
    yield { type: "reasoning", text: "", metadata: { p: { id: "1" } } }
    throw failure()
  })
  const { told, end } = await run(task(models, { chain, revocable: false }))
  expect([told, end.stop_reason]).toEqual([["failover", "text two"], "end"])
})

test("the last model's failure ends the task, and nothing of the answer is kept", async () => {
  const models = scripted(function* () {
    yield text("never mind")
    throw failure({ status: 400 })
  })
  const { end, told } = await run(task(models, { chain }))
  expect(told).toEqual(["text never mind", "failover", "text never mind"])
  expect(end).toMatchObject({
    stop_reason: "error",
    parts: [],
    error: { code: "provider_failed", data: { status: 400 } },
  })
})

test("a bug in a provider is neither tried again nor told", async () => {
  const bug = new TypeError("undefined is not a function")
  const models = scripted(function* (): Generator<never> {
    yield* []
    throw bug
  })
  const { end } = await run(task(models, { chain }))
  expect([models.asked.length, end.error?.code, end.error?.cause]).toEqual([1, "internal", bug])
  expect(end.error?.data).toEqual({ incident: expect.any(String) })
})

test.each([
  ["aborted", "aborted"],
  ["shutting_down", "interrupted"],
] as const)("a task that is %s before it begins asks nobody", async (code, stop_reason) => {
  const models = scripted(() => [text("no"), done()])
  const { end } = await run(task(models, { signal: AbortSignal.abort(new AppError(code)) }))
  expect([models.asked.length, end.stop_reason, end.parts]).toEqual([0, stop_reason, []])
})

/** Aborts when the first event of that kind comes. */
async function abortAt(type: LoopEvent["type"], one: (signal: AbortSignal) => Task): Promise<LoopEvent[]> {
  const stop = new AbortController()
  const events: LoopEvent[] = []
  for await (const event of runTask(one(stop.signal))) {
    events.push(event)
    if (event.type === type) stop.abort(new AppError("aborted"))
  }
  return events
}

test("an abort in the middle of an answer keeps the text that was said, and reaches the provider", async () => {
  let reached = false
  const models = scripted(async function* (_asked, _call, signal) {
    yield { type: "reasoning", text: "hm" }
    yield text("so f")
    await untilAborted(signal).finally(() => {
      reached = signal.aborted
    })
  })
  const events = await abortAt("text", (signal) => task(models, { signal, chain }))
  expect(events.at(-1)).toMatchObject({ stop_reason: "aborted", parts: [{ type: "text", text: "so f" }] })
  expect([reached, models.asked.length]).toEqual([true, 1])
})

test("an abort while a tool ignores it does not wait for the tool", async () => {
  const signals: AbortSignal[] = []
  const deaf = tool("deaf", () => new Promise<string>(() => undefined))
  const hearing = tool("hearing", (_params, { signal }) => {
    signals.push(signal)
    return "done"
  })
  const models = scripted(() => [use("hearing"), use("deaf"), done("tool_use")])
  const events = await abortAt("tool_result", (signal) => task(models, { signal, tools: [deaf, hearing] }))
  expect(events.slice(3).map(toWords)).toEqual([
    ...["result done", "error Stopped: the turn was aborted.", "round", "finished"],
  ])
  expect(events.at(-1)).toMatchObject({ stop_reason: "aborted", parts: [] })
  expect([models.asked.length, signals.length]).toEqual([1, 1])
})

test("an abort before the tools runs none of them", async () => {
  let ran = 0
  const count = tool("count", () => String(ran++))
  const models = scripted(() => [use("count"), done("tool_use")])
  const events = await abortAt("tool_use", (signal) => task(models, { signal, tools: [count] }))
  expect([ran, events.at(-1)]).toEqual([0, expect.objectContaining({ stop_reason: "aborted" })])
})

test("an abort ends the wait before another try", async () => {
  const models = scripted(function* (): Generator<never> {
    yield* []
    throw failure({ retryable: true, retry_after_ms: 14_000 })
  })
  const events = await abortAt("retry", (signal) => task(models, { signal }))
  expect(events.map(toWords)).toEqual(["retry", "finished"])
  expect(models.asked).toHaveLength(1)
})

test.each([
  ["within its input", '{"path": "a'],
  ["before the answer's end", '{"path": "a"}'],
])("a tool call of a real provider's stream that is cut %s is never run", async (_where, input) => {
  await using model = startModel(() => [{ tool: "write", input }, { cut: true }])
  const { openProviders } = await import("../../src/providers/providers.ts")
  const { openaiCompatible } = await import("../../src/providers/openai-compatible.ts")
  const config = {
    kind: "openai-compatible" as const,
    base_url: model.url,
    headers: {},
    timeout_ms: 5000,
    idle_timeout_ms: 5000,
  }
  const models = await openProviders({
    providers: { one: config },
    declarations: [openaiCompatible],
    findKey: () => undefined,
  })
  let ran = 0
  const write = tool("write", () => String(ran++), Type.Object({}, { additionalProperties: true }) as never)
  const stop = new AbortController()
  const events: LoopEvent[] = []
  for await (const event of runTask(
    task(models, { tools: [write], signal: stop.signal, revocable: false }),
  )) {
    events.push(event)
    // A cut may pass, so it is tried again; once is enough to see.
    if (event.type === "retry") stop.abort(new AppError("aborted"))
  }
  expect(ran).toBe(0)
  expect(events.map(({ type }) => type)).toEqual(["retry", "finished"])
})
