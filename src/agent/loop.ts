import { AppError, toAppError } from "../base/errors.ts"
import type { Part, ToolResult, ToolUse } from "../base/parts.ts"
import {
  addChunk,
  type ModelMessage,
  type ModelUsage,
  type StopReason,
  type ToolSpec,
} from "../providers/provider.ts"
import type { AnyTool, ToolContext } from "../tools/tool.ts"
import type { ToolResultEvent, TurnEvent, TurnStop, UsageEvent } from "./events.ts"
import { callModel, type ModelCall, type ModelChoice, type Models } from "./model.ts"

export type Task = {
  models: Models
  chain: ModelChoice[]
  revocable: boolean
  system: string
  messages: ModelMessage[]
  tools: AnyTool[]
  /** Tools that the client runs itself: calling one ends the task. */
  client_tools: ToolSpec[]
  rounds_max: number
  tool_context: ToolContext
  readFile: ModelCall["request"]["readFile"]
  signal: AbortSignal
}

/** What the loop tells: the turn's events, each finished round of tools, and at last how it ended. */
export type LoopEvent =
  | TurnEvent
  | { type: "round"; messages: ModelMessage[] }
  | { type: "finished"; stop_reason: TurnStop; parts: Part[]; provider: string; error?: AppError }

type Answer = {
  parts: Part[]
  choice: ModelChoice
  stop_reason: StopReason
  usage: ModelUsage | undefined
}

/**
 * Asks the model and runs the tools that it calls, until it answers without calling one. Ends with exactly one
 * "finished"; never throws.
 */
export async function* runTask(task: Task): AsyncGenerator<LoopEvent> {
  const messages = [...task.messages]
  let answer: Answer = emptyAnswer(task.chain[0]!)
  try {
    for (let round = 0; round < task.rounds_max; round++) {
      answer = emptyAnswer(answer.choice)
      yield* ask(task, messages, answer)
      const calls = answer.parts.filter((part) => part.type === "tool_use")
      for (const { id, name, input } of calls) yield { type: "tool_use", id, name, input }
      if (calls.length === 0 || calls.some(({ name }) => isClientTool(task, name))) {
        return yield finished(answer, answer.stop_reason === "length" ? "length" : "end")
      }
      const results: ToolResult[] = []
      for await (const result of runCalls(calls, task)) {
        results.push(toPart(result))
        yield result
      }
      const made: ModelMessage[] = [
        { role: "assistant", parts: answer.parts, provider: answer.choice.provider },
        { role: "tool", parts: results },
      ]
      messages.push(...made)
      yield { type: "round", messages: made }
    }
    yield finished(emptyAnswer(answer.choice), "iterations")
  } catch (thrown) {
    yield failed(task.signal.aborted ? toAppError(task.signal.reason) : toAppError(thrown), answer)
  }
}

/** One model call. Fills `answer` in place, so that what was said before a failure is not lost. */
async function* ask(task: Task, messages: ModelMessage[], answer: Answer): AsyncGenerator<TurnEvent> {
  const { models, chain, revocable, system, readFile, signal } = task
  const own = task.tools.filter(({ name }) => !isClientTool(task, name))
  const tools = [...own.map(toSpec), ...task.client_tools]
  const from = chain.slice(Math.max(0, chain.indexOf(answer.choice)))
  for await (const chunk of callModel({
    models,
    chain: from,
    revocable,
    request: { system, messages, tools, readFile, signal },
  })) {
    if (chunk.type === "text" || chunk.type === "reasoning") {
      addChunk(answer.parts, chunk)
      if (chunk.text) yield { type: chunk.type, text: chunk.text }
    } else if (chunk.type === "tool_use") {
      addChunk(answer.parts, chunk)
    } else if (chunk.type === "done") {
      answer.stop_reason = chunk.stop_reason
      answer.usage = chunk.usage
      yield toUsage(models, answer.choice, chunk.usage)
    } else {
      answer.parts = []
      const { choice, ...event } = chunk
      answer.choice = choice ?? answer.choice
      yield event
    }
  }
  if (answer.stop_reason === "refused" && answer.parts.length === 0) {
    throw new AppError("provider_failed", {
      provider: answer.choice.provider,
      retryable: false,
      reason: "the provider's content filter refused the request",
    })
  }
}

const emptyAnswer = (choice: ModelChoice): Answer => ({
  parts: [],
  choice,
  stop_reason: "end",
  usage: undefined,
})

const toUsage = (models: Models, choice: ModelChoice, usage: ModelUsage): UsageEvent => ({
  type: "usage",
  input_tokens: usage.input_tokens,
  output_tokens: usage.output_tokens,
  cached_tokens: usage.cached_tokens,
  cost_usd: models.cost(choice, usage),
  provider: choice.provider,
  model: choice.model,
})

const isClientTool = (task: Task, name: string) => task.client_tools.some((tool) => tool.name === name)

const toSpec = ({ name, description, params }: AnyTool): ToolSpec => ({
  name,
  description,
  input_schema: params,
})

/** Runs the calls of one answer together and tells their results in the order of the calls. */
async function* runCalls(calls: ToolUse[], task: Task): AsyncGenerator<ToolResultEvent> {
  const running = calls.map((call) => callTool(call, task))
  for (const result of running) yield await result
}

/** A tool's failure is something for the model to read, so it is a result and not an exception. */
export async function callTool(
  { id, name, input }: ToolUse,
  task: Pick<Task, "tools" | "tool_context" | "signal">,
): Promise<ToolResultEvent> {
  const started = performance.now()
  const result = (content: string, is_error: boolean): ToolResultEvent => {
    const duration_ms = Math.round((performance.now() - started) * 1000) / 1000
    return { type: "tool_result", id, name, content, is_error, duration_ms }
  }
  const tool = task.tools.find((one) => one.name === name)
  if (!tool) {
    const names = task.tools.map((one) => one.name).join(", ") || "none"
    return result(`There is no tool "${name}". The tools are: ${names}.`, true)
  }
  try {
    task.signal.throwIfAborted()
    // Parsing fills in defaults; what the model said is kept and told as it said it.
    const params = tool.parse(structuredClone(input))
    return result(await untilAborted(tool.run(params, task.tool_context), task.signal), false)
  } catch (thrown) {
    if (task.signal.aborted) return result("Stopped: the turn was aborted.", true)
    return result(explain(thrown), true)
  }
}

function explain(thrown: unknown): string {
  if (thrown instanceof AppError && thrown.code === "invalid_params") {
    return `The input does not match the tool's schema at ${thrown.data.path}: ${thrown.data.expected}. Correct it and call again.`
  }
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** A tool that does not look at the signal must not hold up an abort. */
function untilAborted<T>(work: Promise<T> | T, signal: AbortSignal): Promise<T> | T {
  if (!(work instanceof Promise)) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  if (signal.aborted) stop()
  signal.addEventListener("abort", stop, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", stop))
}

const toPart = ({ id, name, content, is_error }: ToolResultEvent): ToolResult => ({
  type: "tool_result",
  id,
  name,
  content,
  is_error,
})

const finished = ({ parts, choice }: Answer, stop_reason: TurnStop): LoopEvent => ({
  type: "finished",
  stop_reason,
  parts,
  provider: choice.provider,
})

/** What was said before a stop is kept; what a failing provider said before it failed is not. */
function failed(error: AppError, { parts, choice }: Answer): LoopEvent {
  const stop_reason =
    error.code === "aborted" ? "aborted" : error.code === "shutting_down" ? "interrupted" : "error"
  const said = stop_reason === "error" ? [] : parts.filter((part) => part.type === "text")
  return { type: "finished", stop_reason, parts: said, provider: choice.provider, error }
}
