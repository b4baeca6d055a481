import { AppError, toAppError } from "../base/errors.ts"
import type { Part, ToolResult, ToolUse } from "../base/parts.ts"
import {
  addChunk,
  type ModelMessage,
  type ModelUsage,
  type StopReason,
  type ToolSpec,
} from "../providers/provider.ts"
import type { Called, Caller } from "./call.ts"
import type { TurnEvent, TurnStop, UsageEvent } from "./events.ts"
import { callModel, type ModelCall, type ModelChoice, type Models } from "./model.ts"
import type { Toolbox } from "./toolbox.ts"

export type Task = {
  models: Models
  chain: ModelChoice[]
  revocable: boolean
  system: string
  messages: ModelMessage[]
  toolbox: Toolbox
  caller: Pick<Caller, "call">
  /** Tools that the client runs itself: calling one ends the task. */
  client_tools: ToolSpec[]
  rounds_max: number
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
      for await (const { event, part } of runCalls(calls, task)) {
        results.push(part)
        yield event
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
  const own = task.toolbox.specs().filter(({ name }) => !isClientTool(task, name))
  const tools = [...own, ...task.client_tools]
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

/** Of one answer; a model that asks for hundreds at once must not start as many programs and threads. */
const together_max = 8

/**
 * Runs the calls of one answer together, some at a time, but for a tool that is exclusive: it waits for those before it,
 * and those after it wait for it. Tells the results in the order of the calls.
 */
async function* runCalls(calls: ToolUse[], { toolbox, caller }: Task): AsyncGenerator<Called> {
  let alone: Promise<unknown> = Promise.resolve()
  let since: Promise<unknown>[] = []
  const running = calls.map((use) => {
    const is_exclusive = toolbox.find(use.name)?.exclusive === true
    const before = is_exclusive ? since : [since.at(-together_max)]
    const run = Promise.all([alone, ...before]).then(() => caller.call(use))
    if (is_exclusive) {
      alone = run
      since = []
    } else since.push(run)
    return run
  })
  try {
    for (const called of running) yield await called
  } finally {
    // Also where one fails: what still runs is waited for, and does not fail unheard.
    await Promise.allSettled(running)
  }
}

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
