/** The official client as the judge of our OpenAI-compatible endpoints. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import OpenAI from "openai"
import { scopes } from "../../src/gateway/auth.ts"
import { postChatCompletion } from "../../src/gateway/http/openai.ts"
import { type Model, type Script, type Started, startGateway, startModel } from "../harness.ts"

const client = ({ url, token }: Started, apiKey = token) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })

type House = AsyncDisposable & { gateway: Started; model: Model; openai: OpenAI }

async function start(script: Script, config?: string): Promise<House> {
  await using stack = new AsyncDisposableStack()
  const model = stack.use(startModel(script))
  const gateway = stack.use(await startGateway({ model, ...(config !== undefined && { config }) }))
  const kept = stack.move()
  return { gateway, model, openai: client(gateway), [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function rpc<T>({ url, token }: Started, method: string, params: object = {}): Promise<T> {
  const headers = { authorization: `Bearer ${token}` }
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
  const answer = (await (await fetch(`${url}/rpc`, { method: "POST", headers, body })).json()) as {
    result: T
  }
  return answer.result
}

const keysOf = async (gateway: Started) => {
  const { sessions } = await rpc<{ sessions: { session_key: string }[] }>(gateway, "session.list")
  return sessions.map(({ session_key }) => session_key)
}

/** The client's promises are lazy, which `expect` does not know. */
const thrownBy = (promise: PromiseLike<unknown>): PromiseLike<unknown> =>
  promise.then(
    () => undefined,
    (thrown) => thrown,
  )

const hello = [{ role: "user" as const, content: "hello" }]
const weather = {
  type: "function" as const,
  function: {
    name: "weather",
    description: "The weather in a town.",
    parameters: { type: "object", properties: { town: { type: "string" } }, required: ["town"] },
  },
}

test("an answer comes whole, with its usage, and a request without a user leaves no session", async () => {
  await using house = await start(() => ["Hel", "lo."])
  const answer = await house.openai.chat.completions.create({ model: "weft", messages: hello })
  expect(answer).toEqual({
    id: expect.stringMatching(/^chatcmpl-/),
    object: "chat.completion",
    created: expect.any(Number),
    model: "weft",
    choices: [
      { index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" },
    ] as never,
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  })
  expect(house.model.asked[0]!.messages).toEqual([{ role: "user", content: "hello" }])
  expect(await keysOf(house.gateway)).toEqual([])
})

test.each([
  [undefined, false],
  [{ include_usage: true }, true],
  [{ include_usage: false }, false],
])("an answer is streamed as it comes; usage with stream_options %p", async (stream_options, has_usage) => {
  await using house = await start(() => ["Hel", "lo", "."])
  const stream = await house.openai.chat.completions.create({
    ...{ model: "weft", messages: hello, stream: true },
    ...(stream_options && { stream_options }),
  })
  const chunks = await Array.fromAsync(stream)
  const deltas = chunks.flatMap(({ choices }) =>
    choices.map(({ delta, finish_reason }) => [delta, finish_reason]),
  )
  expect(deltas[0]).toEqual([{ role: "assistant", content: "" }, null])
  expect(deltas.at(-1)).toEqual([{}, "stop"])
  expect(deltas.map(([delta]) => (delta as { content?: string }).content ?? "").join("")).toBe("Hello.")
  expect(new Set(chunks.map(({ id, object, model }) => `${id} ${object} ${model}`)).size).toBe(1)
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  expect(chunks.flatMap((chunk) => chunk.usage ?? [])).toEqual(has_usage ? [usage] : [])
  // As OpenAI has it: where usage was asked for, every chunk has the member.
  expect(chunks.every((chunk) => "usage" in chunk)).toBe(has_usage)
  expect(chunks.at(-1)!.choices).toHaveLength(has_usage ? 0 : 1)
})

test("the client's own helper puts a stream together", async () => {
  await using house = await start((_asked, call) =>
    call === 0 ? ["Let me look. ", { tool: "weather", input: { town: "Bonn" }, id: "w1" }] : ["Rain."],
  )
  const stream = house.openai.chat.completions.stream({ model: "weft", messages: hello, tools: [weather] })
  const { choices } = await stream.finalChatCompletion()
  expect(choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: {
      content: "Let me look. ",
      tool_calls: [
        { id: "w1", type: "function", function: { name: "weather", arguments: '{"town":"Bonn"}' } },
      ],
    },
  })
})

test("a round of the client's tools without a session: all of the conversation comes with each request", async () => {
  await using house = await start((_asked, call) =>
    call === 0
      ? [
          { tool: "weather", input: { town: "Bonn" }, id: "w1" },
          { tool: "weather", input: { town: "Ulm" }, id: "w2" },
        ]
      : ["Rain and sun."],
  )
  const ask = (messages: OpenAI.ChatCompletionMessageParam[]) =>
    house.openai.chat.completions.create({ model: "weft", messages, tools: [weather] })
  const system = { role: "system" as const, content: "Be brief." }
  const first = await ask([system, ...hello])
  const { message, finish_reason } = first.choices[0]!
  expect([finish_reason, message.content, message.tool_calls?.map(({ id }) => id)]).toEqual([
    "tool_calls",
    null,
    ["w1", "w2"],
  ])
  expect(house.model.asked[0]!.tools?.map((tool) => tool.function.name)).toContain("weather")
  const results = [
    { role: "tool" as const, tool_call_id: "w1", content: "rain" },
    { role: "tool" as const, tool_call_id: "w2", content: [{ type: "text" as const, text: "sun" }] },
  ]
  const second = await ask([system, ...hello, message, ...results])
  expect(second.choices[0]!.message.content).toBe("Rain and sun.")
  const { messages } = house.model.asked[1]!
  expect(messages.map(({ role, content, tool_call_id }) => [role, content, tool_call_id])).toMatchObject([
    ["system", "Be brief.", undefined],
    ["user", "hello", undefined],
    ["assistant", null, undefined],
    ["tool", "rain", "w1"],
    ["tool", "sun", "w2"],
  ])
  expect(await keysOf(house.gateway)).toEqual([])
})

test("with a user the session has the conversation: only what is new is sent, a tool's result too", async () => {
  await using house = await start((_asked, call) =>
    call === 1
      ? [
          { tool: "weather", input: { town: "Bonn" }, id: "w1" },
          { tool: "weather", input: { town: "Ulm" }, id: "w2" },
        ]
      : [`answer ${call}`],
  )
  const ask = (messages: OpenAI.ChatCompletionMessageParam[]) =>
    house.openai.chat.completions.create({ model: "weft", messages, tools: [weather], user: "ann" })
  await ask(hello)
  // What the client repeats of the past is not said twice.
  await ask([...hello, { role: "assistant", content: "made up" }, { role: "user", content: "weather?" }])
  const last = await ask([
    { role: "tool", tool_call_id: "w1", content: "rain" },
    { role: "tool", tool_call_id: "w2", content: "sun" },
  ])
  expect(last.choices[0]!.message.content).toBe("answer 2")
  expect(house.model.asked[2]!.messages.map(({ role, content }) => [role, content])).toMatchObject([
    ["user", "hello"],
    ["assistant", "answer 0"],
    ["user", "weather?"],
    ["assistant", null],
    ["tool", "rain"],
    ["tool", "sun"],
  ])
  expect(await keysOf(house.gateway)).toEqual(["default:api:default:ann"])
})

test("results of calls that the session does not wait for are refused, those of a failed try are taken again", async () => {
  await using house = await start((_asked, call) => {
    if (call === 0) return [{ tool: "weather", input: { town: "Bonn" }, id: "w1" }]
    return call === 1 ? [{ status: 400 }] : ["Rain."]
  })
  const ask = (message: OpenAI.ChatCompletionMessageParam) =>
    house.openai.chat.completions.create({
      model: "weft",
      messages: [message],
      tools: [weather],
      user: "ann",
    })
  const result = (tool_call_id: string) => ask({ role: "tool", tool_call_id, content: "rain" })
  expect(await thrownBy(result("w1"))).toMatchObject({
    status: 400,
    code: "invalid_params",
    param: "/messages",
  })
  expect(await keysOf(house.gateway)).toEqual([])
  await ask(hello[0]!)
  expect(await thrownBy(result("w2"))).toMatchObject({ status: 400, code: "invalid_params" })
  expect(await thrownBy(result("w1"))).toMatchObject({ status: 502 })
  expect((await result("w1")).choices[0]!.message.content).toBe("Rain.")
  expect(house.model.asked[2]!.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"])
  await rpc(house.gateway, "session.reset", { session_key: "default:api:default:ann" })
  expect(await thrownBy(result("w1"))).toMatchObject({ status: 400 })
})

test("with tool_choice none the model is not told of the client's tools", async () => {
  await using house = await start(() => ["ok"])
  await house.openai.chat.completions.create({
    model: "weft",
    messages: hello,
    tools: [weather],
    tool_choice: "none",
  })
  const told = house.model.asked[0]!.tools?.map((tool) => tool.function.name)
  expect(told).toEqual([
    "read_file",
    "list_dir",
    "search_files",
    "current_time",
    "session_search",
    "memory_search",
    "use_tools",
  ])
})

test("a model cannot be made to call a tool, and who asks for that is told", async () => {
  await using house = await start(() => ["ok"])
  const ask = { model: "weft", messages: hello, tools: [weather], tool_choice: "required" as const }
  expect(await thrownBy(house.openai.chat.completions.create(ask))).toMatchObject({
    status: 400,
    param: "/tool_choice",
    message: expect.stringContaining('one of "auto", "none", null'),
  })
  expect(house.model.asked).toEqual([])
})

test("the agent's own tools run here, and the client sees only the answer", async () => {
  await using house = await start((_asked, call) =>
    call === 0 ? [{ tool: "current_time", input: {} }] : ["It is late."],
  )
  const ask = { model: "weft", messages: hello, tools: [weather] }
  const whole = await house.openai.chat.completions.create(ask)
  expect(whole.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "It is late." } })
  expect(whole.choices[0]!.message.tool_calls).toBeUndefined()
  expect(whole.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 10 })
})

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").toString("base64")

test("an image comes as a data URL and reaches the model", async () => {
  await using house = await start(() => ["A dot."])
  const url = `data:image/png;base64,${png}`
  const content = [
    { type: "text" as const, text: "what is it?" },
    { type: "image_url" as const, image_url: { url } },
  ]
  await house.openai.chat.completions.create({ model: "weft", messages: [{ role: "user", content }] })
  expect(house.model.asked[0]!.messages[0]!.content).toEqual([
    { type: "text", text: "what is it?" },
    { type: "image_url", image_url: { url } },
  ])
})

test.each([
  ["an address", "https://example.com/a.png", "messages/0/content"],
  ["what is no image", `data:image/png;base64,${Buffer.from("text").toString("base64")}`, "/messages"],
])("an image that is %s is refused", async (_what, url, path) => {
  await using house = await start(() => ["no"])
  const content = [{ type: "image_url" as const, image_url: { url } }]
  const asked = house.openai.chat.completions.create({ model: "weft", messages: [{ role: "user", content }] })
  expect(await thrownBy(asked)).toMatchObject({
    status: 400,
    code: "invalid_params",
    param: expect.stringContaining(path),
  })
  expect(house.model.asked).toEqual([])
})

const two_agents = `
[agent]
provider = "script"
model = "scripted"
models = ["other"]
system_prompt = "I am the first."
[[agents]]
id = "work"
provider = "script"
model = "at-work"
system_prompt = "I am the second."
[[bindings]]
agent_id = "work"
peer_id = "boss"
`

test.each([
  ["weft", undefined, "scripted", "I am the first."],
  ["weft/default", undefined, "scripted", "I am the first."],
  ["weft/work", undefined, "at-work", "I am the second."],
  ["other", undefined, "other", "I am the first."],
  ["script/other", undefined, "other", "I am the first."],
  ["scripted", undefined, "scripted", "I am the first."],
  // The user is the peer that the bindings are asked for.
  ["weft", "boss", "at-work", "I am the second."],
])("model %p with user %p is answered by %p", async (model, user, used, system) => {
  await using house = await start(() => ["ok"], two_agents)
  const answer = await house.openai.chat.completions.create({ model, messages: hello, ...(user && { user }) })
  expect(answer.model).toBe(model)
  expect(house.model.asked[0]).toMatchObject({ model: used })
  expect(house.model.asked[0]!.messages[0]).toMatchObject({ role: "system", content: system })
})

test("the agents and the default one's models are listed, to each token those that it reaches", async () => {
  await using house = await start(() => ["ok"], two_agents)
  const { data } = await house.openai.models.list()
  expect(data.map(({ id }) => id)).toEqual(["weft/default", "weft/work", "script/scripted", "script/other"])
  expect(data[0]).toMatchObject({ object: "model", owned_by: "weft", created: expect.any(Number) })
  for (const { id } of data) {
    const answer = await house.openai.chat.completions.create({ model: id, messages: hello })
    expect(answer.choices[0]!.message.content).toBe("ok")
  }
  const { token } = await rpc<{ token: string }>(house.gateway, "token.create", {
    ...{ name: "worker", scope: "chat", agents: ["work"] },
  })
  const worker = client(house.gateway, token)
  expect((await worker.models.list()).data.map(({ id }) => id)).toEqual(["weft/work"])
  const forbidden = worker.chat.completions.create({ model: "weft/default", messages: hello })
  expect(await thrownBy(forbidden)).toMatchObject({ status: 403, code: "forbidden" })
})

test.each([
  ["a model that there is not", { model: "gpt-9" }, 404, "not_found"],
  ["an agent that there is not", { model: "weft/nobody" }, 404, "not_found"],
  ["no messages", { messages: [] }, 400, "invalid_params"],
  [
    "an assistant's message at the end",
    { messages: [{ role: "assistant", content: "me" }] },
    400,
    "invalid_params",
  ],
  ["an empty message at the end", { messages: [{ role: "user", content: "" }] }, 400, "invalid_params"],
  ["a temperature beyond the scale", { temperature: 3 }, 400, "invalid_params"],
])("%s is refused in OpenAI's form", async (_what, more, status, code) => {
  await using house = await start(() => ["ok"])
  const asked = house.openai.chat.completions.create({ model: "weft", messages: hello, ...(more as object) })
  const error = await thrownBy(asked)
  expect(error).toBeInstanceOf(OpenAI.APIError)
  expect(error).toMatchObject({
    status,
    code,
    type: expect.any(String),
    error: { message: expect.any(String) },
  })
  expect(house.model.asked).toEqual([])
})

test("a wrong key is an AuthenticationError", async () => {
  await using house = await start(() => ["ok"])
  const asked = client(house.gateway, "wrong").chat.completions.create({ model: "weft", messages: hello })
  expect(await thrownBy(asked)).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(await thrownBy(client(house.gateway, "wrong").models.list())).toMatchObject({
    status: 401,
    code: "unauthorized",
  })
})

test("a provider's failure is a 502, and within a stream an error of the stream", async () => {
  await using house = await start(function* (_asked, call) {
    if (call === 0) yield { status: 400 }
    yield "half"
    yield { cut: true }
  })
  const whole = house.openai.chat.completions.create({ model: "weft", messages: hello })
  expect(await thrownBy(whole)).toMatchObject({ status: 502, code: "provider_failed" })
  const stream = await house.openai.chat.completions.create({ model: "weft", messages: hello, stream: true })
  let said = ""
  const reading = (async () => {
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? ""
  })()
  expect(await thrownBy(reading)).toMatchObject({ code: "provider_failed" })
  // What was streamed cannot be taken back, so it was not asked again.
  expect([said, house.model.asked.length]).toEqual(["half", 2])
})

test("an answer that was cut by its limit says so", async () => {
  await using house = await start(() => ["too lo", { finish: "length" }])
  const answer = await house.openai.chat.completions.create({
    ...{ model: "weft", messages: hello, max_tokens: 3, temperature: 0.25 },
  })
  expect(answer.choices[0]).toMatchObject({ finish_reason: "length", message: { content: "too lo" } })
  expect(house.model.asked[0]).toMatchObject({ max_tokens: 3, temperature: 0.25 })
})

/** A model that speaks, then waits until its client is gone. */
function silent() {
  const asked = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const script: Script = (_asked, _call, signal) => {
    signal.addEventListener("abort", () => gone.resolve())
    asked.resolve()
    return ["Hel", { until: gone.promise }]
  }
  return { asked: asked.promise, gone: gone.promise, script }
}

test("a session whose queue is full is a RateLimitError", async () => {
  const { asked, script } = silent()
  await using house = await start(script, "[gateway]\nqueue_max = 0\n")
  const ask = (signal?: AbortSignal) =>
    house.openai.chat.completions.create(
      { model: "weft", messages: hello, user: "ann" },
      { ...(signal && { signal }) },
    )
  const stop = new AbortController()
  const first = ask(stop.signal)
  await asked
  expect(await thrownBy(ask())).toMatchObject({ status: 429, code: "session_busy" })
  expect(await thrownBy(ask())).toBeInstanceOf(OpenAI.RateLimitError)
  stop.abort()
  expect(await thrownBy(first)).toBeInstanceOf(OpenAI.APIUserAbortError)
})

test.each([true, false])("a client that goes away stops the model's request (stream: %p)", async (stream) => {
  const { asked, gone, script } = silent()
  await using house = await start(script)
  const stop = new AbortController()
  const answer = house.openai.chat.completions.create(
    { model: "weft", messages: hello, stream },
    { signal: stop.signal },
  )
  if (stream) {
    const chunks = (await answer) as AsyncIterable<unknown>
    await chunks[Symbol.asyncIterator]().next()
  } else answer.catch(() => undefined)
  // The first chunk tells the role and comes before the model is asked.
  await asked
  stop.abort()
  await gone
  expect(house.model.aborted).toBe(1)
})

test("a client that goes away while its image is kept starts no turn", async () => {
  const gone = new AbortController()
  let submitted = 0
  const app = {
    turns: { submit: () => submitted++ },
    files: {
      async put() {
        gone.abort()
        return { id: "kept", mime: "image/gif" }
      },
    },
    live: () => ({
      gateway: { payload_bytes_max: 4096 },
      route: () => ({ agent: "default", matched_by: "default" }),
      agents: new Map([["default", { id: "default" }]]),
    }),
  }
  const url = `data:image/gif;base64,${btoa("GIF89a")}`
  const body = JSON.stringify({
    model: "weft",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
  })
  const request = new Request("http://localhost/", { method: "POST", body, signal: gone.signal })
  const caller = { token_id: "", name: "", scopes, agents: null, expires_ms: null }
  const context = { app, request, caller, waitForModel: () => undefined } as never
  expect(await thrownBy(postChatCompletion.run(context) as Promise<Response>)).toMatchObject({
    code: "aborted",
  })
  expect(submitted).toBe(0)
})

test("whatever is sent, the answer is OpenAI's and never an internal error", async () => {
  await using house = await start(() => ["ok"])
  const { url, token } = house.gateway
  const json = fc.jsonValue({ maxDepth: 2 })
  const or = <T>(usual: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: json })
  const url_of = fc.constantFrom(
    `data:image/png;base64,${png}`,
    "data:,",
    "data:image/png;base64,!",
    "file:///etc/passwd",
  )
  const part = fc.oneof(
    fc.record({ type: fc.constant("text"), text: or(fc.string()) }),
    fc.record({ type: fc.constant("refusal"), refusal: or(fc.string()) }),
    fc.record({ type: fc.constant("image_url"), image_url: or(fc.record({ url: url_of })) }),
  )
  const call = fc.record({
    id: or(fc.constantFrom("1", "2")),
    type: fc.constant("function"),
    function: or(
      fc.record({ name: fc.constantFrom("weather", ""), arguments: or(fc.constantFrom("{}", "{", "[]")) }),
    ),
  })
  const message = fc.record(
    {
      role: or(fc.constantFrom("system", "developer", "user", "assistant", "tool")),
      content: or(fc.oneof(fc.string(), fc.array(part, { maxLength: 3 }))),
      tool_calls: or(fc.array(call, { maxLength: 2 })),
      tool_call_id: or(fc.constantFrom("1", "2")),
    },
    { requiredKeys: ["role", "content"] },
  )
  const body = fc.record(
    {
      model: or(fc.constantFrom("weft", "scripted", "weft/default", "weft/")),
      messages: or(fc.array(message, { maxLength: 4 })),
      stream: or(fc.boolean()),
      user: or(fc.constantFrom("ann", "", "a:b%")),
      tools: or(fc.array(fc.constant(weather), { maxLength: 2 })),
      max_tokens: or(fc.constantFrom(1, null)),
    },
    { requiredKeys: ["model", "messages"] },
  )
  const headers = { authorization: `Bearer ${token}` }
  const statuses = new Set<number>()
  await fc.assert(
    fc.asyncProperty(or(body), async (one) => {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers,
        body: JSON.stringify(one),
      })
      const said = await answer.text()
      statuses.add(answer.status)
      expect([200, 400, 404]).toContain(answer.status)
      if (answer.status !== 200)
        expect(JSON.parse(said)).toMatchObject({ error: { message: expect.any(String) } })
      expect(said).not.toContain('"internal"')
    }),
    { numRuns: 200, examples: [[{ model: "weft", messages: hello }]] },
  )
  expect([statuses.has(200), statuses.has(400)]).toEqual([true, true])
}, 30_000)
