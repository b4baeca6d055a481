/** A whole gateway on a free port with a home of its own, and a model that says what a test wants it to say. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Gateway, type GatewayOptions, startGateway as start } from "../src/app.ts"
import { parser } from "../src/base/schema.ts"
import type { AnyMethod } from "../src/gateway/rpc.ts"
import { methods } from "../src/registry.ts"

/** The declared result is part of the contract, so under test every reply is held to it. */
export const checked = (method: AnyMethod): AnyMethod => {
  const parseResult = parser(method.result, "internal")
  return {
    ...method,
    run(params, context) {
      const result = method.run(params, context)
      return result instanceof Promise ? result.then(parseResult) : parseResult(result)
    },
  }
}

export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "weft-test-"))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export type Started = Gateway & AsyncDisposable & { ws: string; port: number }

export type StartOptions = Partial<Omit<GatewayOptions, "home">> & {
  /** A home to keep; unset: a new one that goes with the gateway. */
  home?: string
  /** TOML. The port is always a free one. */
  config?: string
  /** Answers for the default agent, unless `config` says otherwise. */
  model?: Model
}

export async function startGateway({
  home,
  config = "",
  model,
  ...options
}: StartOptions = {}): Promise<Started> {
  await using stack = new AsyncDisposableStack()
  const folder = home ?? stack.use(await temporaryFolder()).path
  const path = join(folder, "config.toml")
  if (config !== "" || model) await Bun.write(path, `${model ? configFor(model, config) : config}`)
  const gateway = await start({
    home: folder,
    flags: { gateway: { port: 0 } },
    log_level: "error",
    env: {},
    methods: methods.map(checked),
    ...options,
  })
  stack.defer(() => gateway.stop("now"))
  const kept = stack.move()
  return {
    ...gateway,
    ws: `${gateway.url.replace("http", "ws")}/ws`,
    port: Number(new URL(gateway.url).port),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The scripted model as the only provider, in front of a test's own configuration. */
const configFor = ({ url }: Model, config: string) =>
  config.includes("[agent]")
    ? `${config}\n[providers.script]\nkind = "openai-compatible"\nbase_url = "${url}"\n`
    : `[agent]\nprovider = "script"\nmodel = "scripted"\n[providers.script]\nkind = "openai-compatible"\nbase_url = "${url}"\n${config}`

/** What a model call was asked, in OpenAI's form. */
export type Asked = {
  model: string
  messages: { role: string; content: unknown; tool_calls?: unknown; tool_call_id?: string }[]
  tools?: { function: { name: string; parameters: unknown } }[]
  [field: string]: unknown
}

/** What the user said last, without what the memory put in front of it. */
export function questionOf({ messages }: Pick<Asked, "messages">): string {
  const content = messages.findLast(({ role }) => role === "user")?.content
  const parts = Array.isArray(content) ? (content as { text?: string }[]) : [{ text: String(content) }]
  return parts.findLast(({ text }) => text !== undefined)?.text ?? ""
}

/** What the scripted model says: text, a tool call, an HTTP failure, or nothing until `until` is over. */
export type Said =
  | string
  | { tool: string; input: unknown; id?: string }
  | { status: number; headers?: Record<string, string> }
  | { until: Promise<unknown> }
  | { finish: "stop" | "length" | "content_filter" }
  | { cut: true }

export type Script = (asked: Asked, call: number, signal: AbortSignal) => Iterable<Said> | AsyncIterable<Said>

export type Model = AsyncDisposable & {
  url: string
  /** Every request so far. */
  asked: Asked[]
  /** Requests whose client went away before the end. */
  aborted: number
}

/** A server that speaks the chat completions API as OpenAI-compatible services do, streaming. */
export function startModel(script: Script): Model {
  const model: Model = { url: "", asked: [], aborted: 0, [Symbol.asyncDispose]: () => server.stop(true) }
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const asked = (await request.json()) as Asked
      model.asked.push(asked)
      request.signal.addEventListener("abort", () => model.aborted++)
      const said = toIterator(script(asked, model.asked.length - 1, request.signal))
      const first = await said.next()
      if (!first.done && typeof first.value === "object" && "status" in first.value) {
        const { status, headers = {} } = first.value
        return Response.json({ error: { message: "scripted failure" } }, { status, headers })
      }
      return new Response(wire(first, said), { headers: { "content-type": "text/event-stream" } })
    },
  })
  model.url = `http://127.0.0.1:${server.port}/v1`
  return model
}

const toIterator = (said: Iterable<Said> | AsyncIterable<Said>): AsyncIterator<Said> =>
  (async function* () {
    yield* said
  })()

function wire(first: IteratorResult<Said>, rest: AsyncIterator<Said>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const send = (data: object | string) =>
    encoder.encode(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`)
  const chunk = (delta: object, finish_reason: string | null = null) =>
    send({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "scripted",
      choices: [{ index: 0, delta, finish_reason }],
    })
  return new ReadableStream({
    async start(controller) {
      let finish: string | undefined
      let calls = 0
      for (let step = first; !step.done; step = await rest.next()) {
        const said = step.value
        if (typeof said === "string") controller.enqueue(chunk({ content: said }))
        else if ("until" in said) await said.until
        else if ("finish" in said) finish = said.finish
        else if ("cut" in said) return controller.close()
        else if ("tool" in said) {
          const { tool: name, input, id = `call_${calls}` } = said
          const args = typeof input === "string" ? input : JSON.stringify(input)
          controller.enqueue(
            chunk({
              tool_calls: [{ index: calls, id, type: "function", function: { name, arguments: args } }],
            }),
          )
          calls++
        }
      }
      controller.enqueue(chunk({}, finish ?? (calls > 0 ? "tool_calls" : "stop")))
      controller.enqueue(
        send({
          id: "c",
          object: "chat.completion.chunk",
          created: 1,
          model: "scripted",
          choices: [],
          usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
        }),
      )
      controller.enqueue(send("[DONE]"))
      controller.close()
    },
  })
}

export type Frame = {
  id?: string | number | null
  method?: string
  params?: Record<string, unknown>
  result?: unknown
  error?: { code: number; message: string; data: Record<string, unknown> }
}

export type RawClient = AsyncDisposable & {
  socket: WebSocket
  send(frame: unknown): void
  /** The next frame, as it came. */
  next(): Promise<string>
  /** The next frame as JSON. */
  read(): Promise<Frame>
  /** Sends a request and reads up to its answer; what came before it goes to `events`. */
  call(method: string, params?: unknown, events?: Frame[]): Promise<Frame>
  closed: Promise<{ code: number; reason: string }>
}

/** A plain socket, for tests of the wire itself. With a token it is connected. */
export async function openSocket(
  url: string,
  {
    token,
    protocols,
    headers,
  }: { token?: string; protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<RawClient> {
  const socket = new WebSocket(url, { protocols, headers } as never)
  const frames: string[] = []
  let wake = Promise.withResolvers<void>()
  const closing = Promise.withResolvers<{ code: number; reason: string }>()
  const opening = Promise.withResolvers<void>()
  socket.onopen = () => opening.resolve()
  socket.onmessage = ({ data }) => {
    frames.push(String(data))
    wake.resolve()
  }
  socket.onclose = ({ code, reason }) => {
    closing.resolve({ code, reason })
    opening.reject(new Error(`the socket was closed: ${code} ${reason}`))
    wake.resolve()
  }
  opening.promise.catch(() => undefined)
  await opening.promise
  let ids = 0
  const client: RawClient = {
    socket,
    closed: closing.promise,
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    async next() {
      for (;;) {
        const frame = frames.shift()
        if (frame !== undefined) return frame
        if (socket.readyState >= WebSocket.CLOSING) throw new Error("the socket is closed")
        await wake.promise
        wake = Promise.withResolvers()
      }
    },
    read: async () => JSON.parse(await client.next()) as Frame,
    async call(method, params, events = []) {
      const id = `call-${ids++}`
      client.send({ jsonrpc: "2.0", id, method, ...(params !== undefined && { params }) })
      for (;;) {
        const frame = await client.read()
        if (frame.id === id) return frame
        events.push(frame)
      }
    },
    async [Symbol.asyncDispose]() {
      socket.close()
      await closing.promise
    },
  }
  if (token !== undefined) {
    const { error } = await client.call("connect", { token })
    if (error) throw new Error(error.message)
  }
  return client
}
