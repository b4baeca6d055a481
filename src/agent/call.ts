/** One call of a tool, from what the model asks to what it is told: gate, record, walls, result. */
import { toAppError, toTrace } from "../base/errors.ts"
import type { Log } from "../base/log.ts"
import { once } from "../base/once.ts"
import type { ToolResult, ToolUse } from "../base/parts.ts"
import { type Target, ToolDenied } from "../security/target.ts"
import type { Store } from "../store/open.ts"
import { type CallOutcome, putToolCall, type ToolCallRow } from "../store/tool-calls.ts"
import { addResult } from "../store/tool-results.ts"
import type { AnyTool, ToolOutput } from "../tools/tool.ts"
import type { Agent } from "./agents.ts"
import type { Approvals, Asking } from "./approvals.ts"
import { type CallOf, contextFor, contextWithout, lookAt } from "./context.ts"
import type { ToolResultEvent, TurnEvent } from "./events.ts"
import { decide, type Verdict } from "./gate.ts"
import type { MemoryDeps } from "./memory.ts"
import { showResult } from "./results.ts"
import type { Toolbox } from "./toolbox.ts"

export type CallDeps = MemoryDeps & {
  store: Store
  approvals: Approvals
  now_ms(): number
  /** Keeps an image that a tool made, for the model and for whoever reads the conversation. */
  keepImage(bytes: Uint8Array): Promise<{ file_id: string; mime: string }>
  log: Pick<Log, "error">
  /** Told of every call of a tool that there is. */
  onCalled?(tool: string, outcome: CallOutcome, duration_ms: number): void
}

export type CallerOptions = CallOf & {
  toolbox: Toolbox
  /** Told when a call begins to wait for a person. */
  tell(event: TurnEvent): void
  /** Whether results are shortened to what a turn may add to a conversation. */
  is_bounded: boolean
}

/** A write for the store, of what has happened already. */
export type Write = (db: Store["db"]) => void

export type Called = { event: ToolResultEvent; part: ToolResult }

export type Caller = {
  /** Throws only where a result that is too long to show cannot be stored: a failure is for the model to read. */
  call(use: ToolUse): Promise<Called>
  /** What is to be written with the round: how the calls ended. */
  takeWrites(): Write[]
}

/** What the tools of one turn may show. As text on the wire it is a third more, and providers take 32 MB or less. */
const image_bytes_max = 16_777_216

type Done = {
  outcome: CallOutcome
  text: string
  images?: NonNullable<ToolResult["images"]>
  verdict?: Verdict
  targets: Target[]
}

export function openCaller(options: CallerOptions, deps: CallDeps): Caller {
  const { agent, toolbox, session_key, turn_id, is_bounded } = options
  const scope = session_key ?? turn_id ?? ""
  let writes: Write[] = []
  let output_left = agent.walls.config.output_bytes_max
  let images_left = image_bytes_max

  const keepImage: CallDeps["keepImage"] = async (bytes) => {
    if (bytes.length > images_left) {
      throw new Error("This turn's tools have shown all the images that they may.")
    }
    images_left -= bytes.length
    return deps.keepImage(bytes)
  }

  const show = async (content: string, tool: string): Promise<string> => {
    if (!is_bounded) return content
    const handle = once(() => newHandle())
    const { text, is_cut } = showResult(content, output_left, handle)
    output_left -= Buffer.byteLength(text)
    if (is_cut) {
      const row = { handle: handle(), scope, tool, content, created_ms: deps.now_ms() }
      toolbox.load(["read_result"])
      // At once: of many calls in one answer the results would wait in memory.
      await deps.store.commit((db) => addResult(db, row))
    }
    return text
  }

  return {
    async call({ id, name, input }) {
      const started = performance.now()
      const row = rowFor({ agent, session_key, turn_id, tool: name }, deps.now_ms())
      const tool = toolbox.find(name)
      const done = tool
        ? await run(tool, input, row, options, { ...deps, keepImage })
        : refused(`There is no tool "${name}". The tools are: ${toolbox.names().join(", ") || "none"}.`)
      const { outcome, images, verdict, targets } = done
      // Whatever it came from: providers refuse every further request of a conversation with half a character in it.
      const text = done.text.toWellFormed()
      const duration_ms = Math.round((performance.now() - started) * 1000) / 1000
      const ended: ToolCallRow = {
        ...row,
        targets: JSON.stringify(targets),
        ...(verdict ? { verdict: verdict.verdict, decided_by: verdict.by } : undecided(tool)),
        outcome,
        duration_ms,
        output_bytes: Buffer.byteLength(text),
      }
      if (tool) {
        writes.push((db) => putToolCall(db, ended))
        deps.onCalled?.(name, outcome, duration_ms)
      }
      const is_error = outcome !== "ok"
      const content = await show(text, name)
      return {
        event: { type: "tool_result", id, name, content, is_error, duration_ms },
        part: { type: "tool_result", id, name, content, is_error, ...(images && { images }) },
      }
    },
    takeWrites() {
      const taken = writes
      writes = []
      return taken
    },
  }
}

const by_walls: Verdict = { verdict: "deny", by: "the walls", reason: "", asked: [] }

/** Nothing had to be decided where there is no effect; and nothing was where the input made no sense. */
const undecided = (tool: AnyTool | undefined): Pick<ToolCallRow, "verdict" | "decided_by"> =>
  tool?.effect === "none"
    ? { verdict: "allow", decided_by: "no effect" }
    : { verdict: "deny", decided_by: "not decided" }

const refused = (text: string): Done => ({ outcome: "error", text, targets: [] })

const rowFor = (
  { agent, ...rest }: { agent: Agent } & Pick<ToolCallRow, "session_key" | "turn_id" | "tool">,
  created_ms: number,
): ToolCallRow => ({
  id: Bun.randomUUIDv7(),
  ...rest,
  agent: agent.id,
  targets: "[]",
  verdict: "deny",
  decided_by: "",
  outcome: null,
  duration_ms: null,
  output_bytes: null,
  created_ms,
})

/** Short, since a model has to repeat it, and not to be guessed, though only its own session could use it. */
const newHandle = (): string => crypto.getRandomValues(Buffer.alloc(9)).toString("base64url")

async function run(
  tool: AnyTool,
  input: unknown,
  row: ToolCallRow,
  options: CallerOptions,
  deps: CallDeps,
): Promise<Done> {
  const { signal } = options
  const done: Done = { outcome: "ok", text: "", targets: [] }
  try {
    signal.throwIfAborted()
    // Parsing fills in defaults; what the model said is kept and told as it said it.
    const params = tool.parse(structuredClone(input))
    if (tool.effect === "none") {
      const context = contextWithout(tool, options, deps)
      return await withOutput(done, await untilAborted(tool.run(params, context), signal), deps)
    }
    const look = () => lookAt(tool, params, options, deps)
    done.targets = await look()
    done.verdict = await judge(tool, params, done.targets, look, options, deps)
    const { verdict, by, reason, asked } = done.verdict
    // Before the effect, and a denial just as well: what is not on the disk did not happen.
    const intent = { ...row, targets: JSON.stringify(done.targets), verdict, decided_by: by }
    await deps.store.commit((db) => putToolCall(db, intent))
    if (verdict === "deny") return { ...done, outcome: "denied", text: `Denied: ${reason}` }
    await using context = await contextFor(tool, asked, options, deps)
    signal.throwIfAborted()
    const work = tool.run(params, context.value)
    // A program is gone by the time that its call is over, so an abort waits until it is.
    const output = await (tool.effect === "execute" ? work : untilAborted(work, signal))
    return await withOutput(done, output, deps)
  } catch (thrown) {
    if (signal.aborted) return { ...done, outcome: "aborted", text: "Stopped: the turn was aborted." }
    const text = explain(thrown, tool, deps)
    if (!(thrown instanceof ToolDenied)) return { ...done, outcome: "error", text }
    // Without a verdict nobody had to be asked: a wall was in the way already.
    return { verdict: by_walls, ...done, outcome: "denied", text }
  }
}

async function withOutput(done: Done, output: ToolOutput, { keepImage }: CallDeps): Promise<Done> {
  const { text, images = [] } = typeof output === "string" ? { text: output } : output
  const kept = await Promise.all(images.map(({ bytes }) => keepImage(bytes)))
  return { ...done, text, ...(kept.length > 0 && { images: kept }) }
}

function judge(
  { name }: AnyTool,
  input: unknown,
  targets: Target[],
  look: () => Promise<Target[]>,
  { agent, session_key, turn_id, signal, tell }: CallerOptions,
  { approvals }: CallDeps,
): Promise<Verdict> {
  const asking: Asking = { agent: agent.id, session_key, turn_id, tool: name, targets, input }
  return decide(asking, {
    rules: agent.walls.rules,
    approvals,
    signal,
    look,
    onAsk: ({ approval_id, hash, tool, summary, expires_ms }) =>
      tell({ type: "approval", approval_id, hash, tool, summary, expires_ms }),
  })
}

function explain(thrown: unknown, { name }: AnyTool, { log }: CallDeps): string {
  if (thrown instanceof ToolDenied) return `Denied: ${thrown.message}`
  if (!isUnmeant(thrown)) return thrown instanceof Error ? thrown.message : String(thrown)
  const { code, message, data, cause } = toAppError(thrown)
  if (code === "invalid_params") {
    return `The input does not match the tool's schema at ${data.path}: ${data.expected}. Correct it and call again.`
  }
  log.error("a tool could not be called", { tool: name, code, ...data, cause: toTrace(cause) })
  return message
}

/** What a tool throws is written for the model; what the language, the system or the store throws is not. */
const isUnmeant = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  ("code" in thrown ||
    [TypeError, RangeError, ReferenceError, SyntaxError].some((bug) => thrown instanceof bug))

/** A tool that does not look at the signal must not hold up an abort. */
function untilAborted<T>(work: Promise<T> | T, signal: AbortSignal): Promise<T> | T {
  if (!(work instanceof Promise)) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason as Error)
  if (signal.aborted) stop()
  signal.addEventListener("abort", stop, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", stop))
}
