import type { Connection } from "./connection.ts"
import { WeftError } from "./errors.ts"
import { applyEvent, emptyView, type StopReason, type TurnEvent, type TurnView } from "./events.ts"
import type { Link } from "./link.ts"
import type { Methods } from "./methods.gen.ts"
import { openQueue } from "./queue.ts"

export type ChatParams = Methods["chat.send"]["params"]
export type ChatResult = Methods["chat.send"]["result"]

/**
 * A turn that runs. Iterating gives its events in order, none twice and none missing, over any number of lost
 * connections; a turn that fails throws its WeftError after its last event. Leaving the loop does not stop the turn.
 */
export type Chat = AsyncIterable<TurnEvent> & {
  /** The answer; rejects when the turn failed. An aborted turn has one, with stop_reason "aborted". */
  result: Promise<ChatResult>
  /** The answer's text alone. */
  text(): Promise<string>
  /** Reads the events to the end and folds them into what a person would see. Instead of iterating. */
  collect(): Promise<TurnView>
}

export type ChatRequest =
  | { method: "chat.send"; params: ChatParams & { idempotency_key: string } }
  | { method: "chat.attach"; params: { turn_id: string; after_seq: number } }

type Outcome = { result: ChatResult } | { error: WeftError }

/** A request that kills its socket this many times in a row, with no event between, is not sent again. */
const losses_max = 5

/** What a turn ends with that is answered with a result; the others are errors. */
const answered = new Set<StopReason>(["end", "length", "aborted", "iterations"])

export function openChat(link: Link, request: ChatRequest, signal?: AbortSignal): Chat {
  const events = openQueue<TurnEvent>()
  const take = (event: TurnEvent) => {
    events.push(event)
    // The reader has everything then, even should the connection end before the answer to the request comes.
    if (event.type === "done" && answered.has(event.stop_reason)) events.end()
  }
  const result = runTurn(link, request, take, signal)
  result.then(events.end, events.fail)
  return {
    result,
    text: async () => (await result).text,
    async collect() {
      const view = emptyView()
      for await (const event of events) applyEvent(view, event)
      return view
    },
    [Symbol.asyncIterator]: () => events,
  }
}

async function runTurn(
  link: Link,
  first: ChatRequest,
  onEvent: (event: TurnEvent) => void,
  signal: AbortSignal | undefined,
): Promise<ChatResult> {
  const log = openLog(first)
  const abort = openAbort(link, log)
  const stop = () => abort.ask()
  signal?.addEventListener("abort", stop, { once: true })
  const take = (event: TurnEvent) => {
    const is_new = log.take(event)
    if (signal?.aborted) abort.ask()
    if (is_new) onEvent(event)
  }
  try {
    return await follow(link, first, log, take, signal)
  } catch (thrown) {
    if (signal?.aborted && !log.done) abort.ask()
    throw thrown
  } finally {
    signal?.removeEventListener("abort", stop)
  }
}

/** Sends the request, and after each loss whatever continues it, until the turn's outcome is here. */
async function follow(
  link: Link,
  first: ChatRequest,
  log: Log,
  take: (event: TurnEvent) => void,
  signal: AbortSignal | undefined,
): Promise<ChatResult> {
  let early: Outcome | undefined
  let losses = 0
  for (;;) {
    const connection = await link.connection(signal)
    const seq_before = log.seq
    const outcome = await ask(connection, log.next(first), take)
    if (outcome === "lost") {
      losses = log.seq > seq_before ? 0 : losses + 1
      if (losses < losses_max) continue
      throw new WeftError("unreachable", { turn_id: log.turn_id }, "The connection breaks at this request.")
    }
    const turn_id = "result" in outcome ? outcome.result.turn_id : outcome.error.data.turn_id
    // A repeat of a turn that ended meanwhile may be answered without its events: they are fetched then.
    if (!log.done && !early && typeof turn_id === "string") {
      early = outcome
      log.turn_id = turn_id
      continue
    }
    const final = early && "error" in outcome ? early : outcome
    if ("error" in final) throw final.error
    return final.result
  }
}

async function ask(
  connection: Connection,
  request: ChatRequest,
  take: (event: TurnEvent) => void,
): Promise<Outcome | "lost"> {
  try {
    return { result: (await connection.send(request.method, request.params, take)) as ChatResult }
  } catch (thrown) {
    if (!(thrown instanceof WeftError)) throw thrown
    if (thrown.data.close_code === 1009) {
      return { error: new WeftError("too_large", {}, "The gateway refused the size of the request.") }
    }
    return thrown.code === "unreachable" ? "lost" : { error: thrown }
  }
}

type Log = ReturnType<typeof openLog>

/** What of the turn is already here. */
function openLog(first: ChatRequest) {
  const state = {
    turn_id: first.method === "chat.attach" ? first.params.turn_id : (undefined as string | undefined),
    seq: first.method === "chat.attach" ? first.params.after_seq : -1,
    done: false,
  }
  return Object.assign(state, {
    /** Whether the event is new; a resend and a replay may bring what is already here. */
    take(event: TurnEvent): boolean {
      state.turn_id = event.turn_id
      if (event.seq <= state.seq) return false
      state.seq = event.seq
      state.done = event.type === "done"
      return true
    },
    next(request: ChatRequest): ChatRequest {
      const { turn_id, seq } = state
      return turn_id === undefined ? request : { method: "chat.attach", params: { turn_id, after_seq: seq } }
    },
  })
}

/** Asks the gateway to stop the turn, as soon as it has a name. */
function openAbort(link: Link, log: Log) {
  let asked = false
  return {
    ask(): void {
      const { turn_id } = log
      if (asked || turn_id === undefined) return
      asked = true
      link
        .connection()
        .then((connection) => connection.send("chat.abort", { turn_id }))
        .catch(() => {
          // The turn's own outcome tells what became of it; a turn that is over cannot be aborted.
        })
    },
  }
}
