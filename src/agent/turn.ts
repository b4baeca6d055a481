import { AppError, toAppError, toTrace } from "../base/errors.ts"
import { type Part, textOf } from "../base/parts.ts"
import type { SessionParts } from "../base/session-key.ts"
import type { AssembledContext, ContextPiece, Memory } from "../memory/memory.ts"
import type { ModelMessage, ToolSpec } from "../providers/provider.ts"
import { addMessage, listRecentTurns, type Message } from "../store/messages.ts"
import type { Store } from "../store/open.ts"
import { type Session, touchSession } from "../store/sessions.ts"
import { addIdempotency, finishTurn, startTurn } from "../store/turns.ts"
import { addUsage, type UsageRecord } from "../store/usage.ts"
import type { Agent } from "./agents.ts"
import { chainOf } from "./agents.ts"
import { type CallDeps, openCaller, type Write } from "./call.ts"
import type { TurnEvent, UsageEvent } from "./events.ts"
import { mergeEntries, sumUsage, type TurnLog, withEvents } from "./log.ts"
import { type LoopEvent, runTask } from "./loop.ts"
import type { ModelChoice, Models } from "./model.ts"
import { fail, failureOf, type Outcome, stateOf, toErrorEvent, toOutcome } from "./outcome.ts"
import { openToolbox } from "./toolbox.ts"

export const rounds_max = 20

/** What somebody asks of an agent. */
export type TurnRequest = {
  agent: Agent
  matched_by: string
  /** Whose conversation it is; undefined for a turn without a session, which brings its own `history`. */
  session?: SessionParts & { key: string }
  parts: Part[]
  /** "tool" where the parts are results of the client's own tools. */
  role?: "user" | "tool"
  history?: ModelMessage[]
  /** System text that the client sent along, after the agent's own. */
  system?: string
  model?: string
  tokens_max?: number
  temperature?: number
  client_tools?: ToolSpec[]
  metadata?: Record<string, unknown>
  idempotency_key?: string
  /** False for dialects in which text that was sent cannot be taken back. */
  revocable: boolean
}

/** A turn that waits, runs or is over. `outcome` never rejects. */
export type Turn = {
  id: string
  agent: string
  session_key: string | null
  log: TurnLog
  outcome: Promise<Outcome>
  /** Stops it; only the first reason counts. */
  abort(reason: AppError): void
}

export type TurnDeps = CallDeps & {
  models: Models
  readFile(file_id: string): Promise<Uint8Array>
}

type Running = { id: string; request: TurnRequest; log: TurnLog; signal: AbortSignal; request_hash: string }

/** What was written when the turn began: the session, its new message, and the memory that heard it. */
type Said = { session: Session; message: { id: number; parts: Part[] }; memory: Memory }

/** `given`: the rows of the memory that the model is given, once that is known. */
type Begun = { said: Said | undefined; chain: ModelChoice[]; given: number[] }

type Finished = Extract<LoopEvent, { type: "finished" }>

/**
 * Runs one turn from its first write to its last and answers how it ended. The user's message is durable before
 * "started", each round of tools before the next model call, the answer before "done". Never throws.
 */
export async function runTurn(running: Running, deps: TurnDeps): Promise<Outcome> {
  const usage: UsageEvent[] = []
  try {
    const begun = await begin(running, deps)
    const finished = await converse(running, begun, usage, deps).catch((thrown) => broken(thrown, begun))
    if (finished.error) report(finished.error, deps)
    return await finish(running, begun, finished, usage, deps)
  } catch (thrown) {
    const error = toAppError(thrown)
    report(error, deps)
    return fail(running, error)
  }
}

/** A turn that has begun ends in the store even where it failed outside of the loop. */
const broken = (thrown: unknown, { chain }: Begun): Finished => ({
  type: "finished",
  stop_reason: "error",
  parts: [],
  provider: chain[0]!.provider,
  error: toAppError(thrown),
})

/** The one place that still has the cause of a bug; clients and the store get its incident id. */
function report({ code, data, cause }: AppError, { log }: TurnDeps): void {
  if (code === "internal") log.error("a turn failed", { ...data, cause: toTrace(cause) })
}

async function begin(running: Running, deps: TurnDeps): Promise<Begun> {
  const { id, request, log, request_hash } = running
  const now_ms = deps.now_ms()
  const memory = request.session && (await deps.memory.ready())
  const said = await deps.store.commit((db) => {
    const session = request.session && openSession(db, request.session, now_ms)
    startTurn(db, { id, session_id: session?.id ?? null, agent: request.agent.id, started_ms: now_ms })
    if (!session || !memory) return undefined
    const { role = "user", metadata } = request
    const parts = role === "tool" ? toAnswers(request.parts, listRecentTurns(db, session, 1)) : request.parts
    const added = { turn_id: id, role, parts, created_ms: now_ms }
    const message_id = addMessage(db, session.id, { ...added, ...(metadata && { metadata }) })
    const message = { id: message_id, parts, created_ms: now_ms }
    if (role === "user") memory.hear(db, session, message)
    if (request.idempotency_key !== undefined) {
      const row = { session_key: session.key, key: request.idempotency_key, request_hash, turn_id: id }
      addIdempotency(db, { ...row, created_ms: now_ms })
    }
    return { session, message, memory }
  })
  const chain = chainOf(request, said?.session.model ?? null, deps.models)
  const { provider, model } = chain[0]!
  const { agent, matched_by } = request
  log.append({
    type: "started",
    session_key: said?.session.key ?? null,
    agent: agent.id,
    matched_by,
    provider,
    model,
  })
  return { said, chain, given: [] }
}

const openSession = (
  db: Store["db"],
  { key, ...parts }: NonNullable<TurnRequest["session"]>,
  now_ms: number,
) => touchSession(db, key, parts, now_ms)

/**
 * Results of the client's own tools, under the names of their calls. Throws where the conversation does not wait for
 * them: the model could make nothing of results without a call.
 */
function toAnswers(parts: Part[], messages: Message[]): Part[] {
  const said = messages.findLast(({ role }) => role === "assistant")?.parts ?? []
  const names = new Map(said.flatMap((part) => (part.type === "tool_use" ? [[part.id, part.name]] : [])))
  return parts.map((part) => {
    const name = part.type === "tool_result" ? names.get(part.id) : undefined
    if (name !== undefined) return { ...part, name } as Part
    const expected = "results of the tool calls that the session's last answer made"
    throw new AppError("invalid_params", { path: "/messages", expected })
  })
}

/** Runs the loop, passing its events on and writing each round. Answers how the loop ended. */
async function converse(
  { id, request, log, signal }: Running,
  { said, chain, given }: Begun,
  usage: UsageEvent[],
  deps: TurnDeps,
): Promise<Finished> {
  const { models, readFile, now_ms } = deps
  const { agent, revocable, client_tools = [] } = request
  const session = said?.session
  const { system, messages, pieces } = await contextOf(request, said, signal)
  given.push(...pieces.flatMap(toGiven))
  const toolbox = openToolbox(agent.tools, messages)
  const tell = (event: TurnEvent) => void log.append(event)
  const of = { turn_id: id, session_key: session?.key ?? null }
  const caller = openCaller({ agent, toolbox, ...of, signal, tell, is_bounded: true }, deps)
  const limits = { rounds_max, readFile, signal }
  const task = { models, chain, revocable, system, messages, toolbox, caller, client_tools, ...limits }
  for await (const event of runTask(task)) {
    if (event.type === "finished") return event
    if (event.type === "round") {
      const writes = [
        ...usage.splice(0).map((one) => toWrite(id, request, one, now_ms())),
        ...caller.takeWrites(),
      ]
      await writeRound(id, session, event.messages, writes, deps)
      continue
    }
    if (event.type === "usage") usage.push(event)
    log.append(event)
  }
  throw new Error("the loop ended without saying so")
}

/** What the model is told: in a session what the memory puts together for it, else what the request brought along. */
async function contextOf(
  { agent, system: sent, parts, role = "user", history = [] }: TurnRequest,
  said: Said | undefined,
  signal: AbortSignal,
): Promise<Pick<AssembledContext, "system" | "messages" | "pieces">> {
  const assembled = await said?.memory.assemble({
    session: said.session,
    message: { ...said.message, role },
    signal,
  })
  return {
    system: [agent.system(), assembled?.system ?? agent.soul(), sent].filter(Boolean).join("\n\n"),
    messages: assembled?.messages ?? [...history, { role, parts }],
    pieces: assembled?.pieces ?? [],
  }
}

/** What was said lately is sent as it is, and is no row of the memory. */
const toGiven = ({ part, id, included }: ContextPiece): number[] =>
  included && id !== null && ["summary", "facts", "recalled"].includes(part) ? [id] : []

function writeRound(
  turn_id: string,
  session: Session | undefined,
  messages: ModelMessage[],
  writes: Write[],
  { store, now_ms }: TurnDeps,
): Promise<void> {
  const created_ms = now_ms()
  return store.commit((db) => {
    for (const write of writes) write(db)
    if (!session) return
    for (const message of messages) addMessage(db, session.id, { ...message, turn_id, created_ms })
  })
}

const toWrite =
  (turn_id: string, request: TurnRequest, event: UsageEvent, created_ms: number): Write =>
  (db) =>
    addUsage(db, toRecord(turn_id, request, event, created_ms))

const toRecord = (
  turn_id: string,
  { agent, session }: TurnRequest,
  { type: _type, ...event }: UsageEvent,
  created_ms: number,
): UsageRecord => ({ turn_id, session_key: session?.key ?? null, agent: agent.id, ...event, created_ms })

async function finish(
  { id, request, log }: Running,
  { said, given }: Begun,
  { stop_reason, parts, provider, error }: Finished,
  unwritten: UsageEvent[],
  { store, now_ms }: TurnDeps,
): Promise<Outcome> {
  const finished_ms = now_ms()
  const session = said?.session
  const failure = failureOf(stop_reason, error)
  const ending: TurnEvent[] = [...(failure ? [toErrorEvent(failure, id)] : []), { type: "done", stop_reason }]
  const events = JSON.stringify(mergeEntries(withEvents(log, ending)))
  const text = textOf(parts)
  const outcome = await store.commit((db) => {
    for (const event of unwritten) addUsage(db, toRecord(id, request, event, finished_ms))
    const kept = session !== undefined && parts.length > 0
    const message_id = kept
      ? addMessage(db, session.id, {
          turn_id: id,
          role: "assistant",
          parts,
          provider,
          created_ms: finished_ms,
        })
      : null
    const outcome = toOutcome(failure, id, {
      turn_id: id,
      session_key: session?.key ?? null,
      message_id: message_id === null ? null : String(message_id),
      text,
      stop_reason,
      usage: sumUsage(log),
    })
    finishTurn(db, {
      id,
      state: stateOf(stop_reason),
      stop_reason,
      outcome: JSON.stringify(outcome),
      events,
      finished_ms,
    })
    return outcome
  })
  for (const event of ending) log.append(event)
  said?.memory.used(given)
  said?.memory.later(said.session.id)
  return outcome
}
