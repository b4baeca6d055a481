/** Models that say what a test wants them to say, and tasks and turns around them. */

import { openAgents } from "../../src/agent/agents.ts"
import { type Approvals, type ApprovalsOptions, openApprovals } from "../../src/agent/approvals.ts"
import { type CallDeps, openCaller } from "../../src/agent/call.ts"
import { agentSection } from "../../src/agent/config.ts"
import type { Task } from "../../src/agent/loop.ts"
import type { Models } from "../../src/agent/model.ts"
import { openToolbox } from "../../src/agent/toolbox.ts"
import type { Turn, TurnRequest } from "../../src/agent/turn.ts"
import { openTurns, type Turns } from "../../src/agent/turns.ts"
import { AppError } from "../../src/base/errors.ts"
import { parser } from "../../src/base/schema.ts"
import { toSessionKey } from "../../src/base/session-key.ts"
import type { ModelChunk, ModelRequest } from "../../src/providers/provider.ts"
import { listMessages } from "../../src/store/messages.ts"
import { openStore, type Store } from "../../src/store/open.ts"
import { getSession } from "../../src/store/sessions.ts"
import { interruptTurns } from "../../src/store/turns.ts"
import { toolsSection } from "../../src/tools/config.ts"
import type { AnyTool } from "../../src/tools/tool.ts"
import { type LightMemory, lightMemory } from "./memory.ts"

export type Asked = Pick<
  ModelRequest,
  "model" | "system" | "messages" | "tools" | "tokens_max" | "temperature"
> & {
  provider: string
}
export type Script = (
  asked: Asked,
  call: number,
  signal: AbortSignal,
) => Iterable<ModelChunk> | AsyncIterable<ModelChunk>

export type Scripted = Models & { asked: Asked[] }

/** Two providers, "one" and "two", both of which speak by the script. What they are asked is kept as it was then. */
export function scripted(script: Script): Scripted {
  const asked: Asked[] = []
  return {
    asked,
    pick: (provider = "one", model = "a") => ({ provider, model }),
    has: (provider) => ["one", "two"].includes(provider),
    async *stream({ provider }, request) {
      const { model, system, messages, tools, tokens_max, temperature, signal } = request
      const one = {
        provider,
        model,
        system,
        messages,
        tools,
        tokens_max,
        ...(temperature !== undefined && { temperature }),
      }
      asked.push(structuredClone(one))
      yield* script(asked.at(-1)!, asked.length - 1, signal)
    },
    cost: ({ provider }, { input_tokens }) => (provider === "one" ? input_tokens / 1000 : null),
  }
}

export const text = (text: string): ModelChunk => ({ type: "text", text })
export const use = (name: string, input: unknown = {}, id = name): ModelChunk => ({
  type: "tool_use",
  id,
  name,
  input,
})
export const done = (stop_reason: "end" | "length" | "tool_use" | "refused" = "end"): ModelChunk => ({
  type: "done",
  stop_reason,
  usage: { input_tokens: 10, output_tokens: 5, cached_tokens: 1 },
})

export const failure = (more: Record<string, unknown> = {}) =>
  new AppError("provider_failed", { provider: "one", retryable: false, reason: "scripted", ...more })

/** Never resolves; rejects once aborted, as a provider's stream does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  if (signal.aborted) reject(signal.reason)
  signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  return promise
}

export const chain = [
  { provider: "one", model: "a", tokens_max: 100 },
  { provider: "two", model: "b", tokens_max: 50 },
]

export const tools_config = parser(toolsSection.schema)({})

/** A store in memory, and nobody who could be asked. */
export function openCalls(store: Store, more: Partial<ApprovalsOptions> = {}): CallDeps {
  const now_ms = () => 0
  const approvals = openApprovals({
    store,
    now_ms,
    timeout_ms: () => 60_000,
    isHeard: () => false,
    onRequested: () => undefined,
    onResolved: () => undefined,
    ...more,
  })
  const keepImage = () => Promise.reject(new AppError("storage_failed"))
  const { deps } = lightMemory(store)
  return { store, approvals, ...deps, now_ms, keepImage, log: { error: (...line) => console.error(line) } }
}

export const walls_options = {
  home: "/nonexistent",
  config_path: "/nonexistent/config.toml",
  env: {},
  tools_config,
  isReached: () => false,
}

export const task = (
  models: Models,
  { tools = [], ...more }: Partial<Task> & { tools?: readonly AnyTool[] } = {},
): Task => {
  const signal = more.signal ?? new AbortController().signal
  const agents = openAgents({
    agent: parser(agentSection.schema)({}),
    agents: [],
    models,
    tools,
    folder: "",
    ...walls_options,
  })
  const toolbox = openToolbox(tools, [])
  const caller = openCaller(
    {
      agent: agents.get("default")!,
      toolbox,
      session_key: null,
      turn_id: null,
      signal,
      tell: () => undefined,
      is_bounded: true,
    },
    openCalls(openStore(":memory:")),
  )
  return {
    models,
    chain: chain.slice(0, 1),
    revocable: true,
    system: "be kind",
    messages: [{ role: "user", parts: [{ type: "text", text: "hello" }] }],
    toolbox,
    caller,
    client_tools: [],
    rounds_max: 20,
    readFile: () => Promise.reject(new AppError("not_found")),
    signal,
    ...more,
  }
}

export type House = AsyncDisposable & {
  turns: Turns
  store: Store
  models: Scripted
  /** Every line of the error log. */
  logged: unknown[]
  /** What onStart and onEnd were told. */
  told: string[]
  remembered: LightMemory["told"]
  clock: { now_ms: number }
  request(content: string, more?: Partial<TurnRequest>): TurnRequest
  /** Says something in the session of a peer. */
  say(content: string, more?: Partial<TurnRequest>, peer?: string): Turn
}

export type HouseOptions = {
  script?: Script
  /** A file to keep; unset: in memory. */
  path?: string
  config?: object
  tools?: readonly AnyTool[]
  folder?: string
  window?: number
  memory?: Parameters<typeof lightMemory>[2]
  queue_max?: number
  keepImage?: CallDeps["keepImage"]
  /** Who can be asked, and what he does. */
  calls?(approvals: () => Approvals): Partial<ApprovalsOptions>
}

export const partsOf = (peer: string) => {
  const parts = { agent: "default", channel: "ws", account: "default", peer }
  return { ...parts, key: toSessionKey(parts) }
}

/** Turns over a real store and scripted models, started as a gateway does. */
export async function openHouse({
  script = () => [text("ok"), done()],
  path = ":memory:",
  config = {},
  tools = [],
  folder = "",
  window = 5,
  memory = {},
  queue_max = 16,
  keepImage,
  calls = () => ({}),
}: HouseOptions = {}): Promise<House> {
  const store = openStore(path)
  const clock = { now_ms: 1_000_000_000_000 }
  await store.commit((db) => interruptTurns(db, clock.now_ms))
  const models = scripted(script)
  const parse = parser(agentSection.schema)
  const agents = openAgents({
    agent: parse(config),
    agents: [parse({ id: "work" })],
    models,
    tools,
    folder,
    ...walls_options,
    home: folder,
  })
  const logged: unknown[] = []
  const told: string[] = []
  const shared: CallDeps = openCalls(
    store,
    calls(() => shared.approvals),
  )
  const remembered = lightMemory(store, { episodic_window: window }, memory)
  const turns = openTurns(
    () => ({
      ...shared,
      ...(keepImage && { keepImage }),
      models,
      ...remembered.deps,
      readFile: () => Promise.reject(new AppError("not_found")),
      now_ms: () => clock.now_ms,
      log: { error: (...line) => void logged.push(line) },
    }),
    {
      queue_max: () => queue_max,
      onStart: ({ id }) => void told.push(`started ${id}`),
      onEnd: ({ id }) => void told.push(`ended ${id}`),
    },
  )
  const request: House["request"] = (content, more) => ({
    agent: agents.get("default")!,
    matched_by: "default",
    parts: [{ type: "text", text: content }],
    revocable: true,
    ...more,
  })
  return {
    ...{ turns, store, models, logged, told, clock, request, remembered: remembered.told },
    say: (content, more, peer = "main") =>
      turns.submit(request(content, { session: partsOf(peer), ...more })),
    [Symbol.asyncDispose]: async () => {
      await turns.drain(0)
      await store[Symbol.asyncDispose]()
    },
  }
}

/** The text of what a model was asked last, a line a message. */
export const linesOf = ({ messages }: Pick<Asked, "messages">): string[] =>
  messages.map(
    ({ role, parts }) => `${role} ${parts.map((part) => ("text" in part ? part.text : part.type)).join("+")}`,
  )

export const eventsOf = (turn: Turn): string[] => turn.log.entries.map(({ event }) => event.type)

/** Resolves when the turn tells that. */
export function untilEvent({ log }: Turn, type: string): Promise<void> {
  if (log.entries.some(({ event }) => event.type === type)) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  log.watch(({ event }) => event.type === type && resolve())
  return promise
}

/** How a turn ended, in one word. */
export const stopOf = async (turn: Turn) => {
  const outcome = await turn.outcome
  return "error" in outcome ? outcome.error.code : outcome.result.stop_reason
}

/** The messages of a peer's session, a line each. */
export const stored = ({ store }: Pick<House, "store">, peer = "main") =>
  linesOf({ messages: listMessages(store.db, getSession(store.db, partsOf(peer).key).id, { limit: 99 }) })

/** A model that waits until it is let go on, once for each call. */
export function gate() {
  const gates = Array.from({ length: 20 }, () => Promise.withResolvers<void>())
  return {
    open: (call: number) => gates[call]!.resolve(),
    async *script(_asked: unknown, call: number, signal: AbortSignal) {
      yield text(`answer ${call}`)
      await Promise.race([gates[call]!.promise, untilAborted(signal)])
      yield done()
    },
  }
}
