import { AppError } from "../base/errors.ts"
import { idempotency_ms } from "../store/retention.ts"
import { findIdempotency, findTurn, type TurnRow } from "../store/turns.ts"
import { chainFor } from "./agents.ts"
import { type LogEntry, openTurnLog } from "./log.ts"
import { fail, type Outcome } from "./outcome.ts"
import { runTurn, type Turn, type TurnDeps, type TurnRequest } from "./turn.ts"

export type Turns = {
  /**
   * Starts a turn or queues it behind the session's running one, in order of arrival. Throws session_busy where the
   * queue is full, conflict for a known idempotency key with other content, forbidden for a model that the agent may not
   * use, shutting_down while draining.
   */
  submit(request: TurnRequest): Turn
  /** A turn that lives or whose events are still kept. `after_seq` is what its reader has seen of it. */
  find(turn_id: string, after_seq?: number): Turn | undefined
  /** Aborts what runs and what waits; answers how many that were. */
  abort(which: { turn_id: string } | { session_key: string }): number
  /** Takes a turn's place in the session's queue: after all that runs or waits there, before all that comes later. */
  between<T>(session_key: string, work: () => Promise<T>): Promise<T>
  counts(): { running: number; waiting: number }
  draining(): boolean
  /** Refuses new turns, lets running ones go on for `grace_ms`, then interrupts them. */
  drain(grace_ms: number): Promise<void>
}

export type TurnsOptions = {
  queue_max(): number
  /** Told of every turn's beginning and end, for subscribers and metrics. */
  onStart(turn: Turn): void
  onEnd(turn: Turn, outcome: Outcome, duration_ms: number): void
}

type Job = Turn & { run(): Promise<void>; cancel(error: AppError): void; begun: boolean }
/** A place in a session's queue. */
type Step = Pick<Job, "run">
type Key = { request_hash: string; turn: Turn }

export function openTurns(deps: () => TurnDeps, { queue_max, onStart, onEnd }: TurnsOptions): Turns {
  const live = new Map<string, Job>()
  /** By session: what runs and behind it what waits. */
  const lanes = new Map<string, Step[]>()
  /** Idempotency keys of live turns; those of ended ones are in the store. */
  const keys = new Map<string, Key>()
  let draining = false

  const openJob = (request: TurnRequest, request_hash: string): Job => {
    const id = Bun.randomUUIDv7()
    const log = openTurnLog()
    const abort = new AbortController()
    // The agent is of the configuration in force now, so the models are too, however long it waits.
    const own = deps()
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
    const end = (how: Outcome) => {
      live.delete(id)
      resolve(how)
    }
    const job: Job = {
      id,
      agent: request.agent.id,
      session_key: request.session?.key ?? null,
      log,
      outcome,
      begun: false,
      abort(reason) {
        if (job.begun) abort.abort(reason)
        else if (live.has(id)) job.cancel(reason)
      },
      cancel(error) {
        if (job.session_key !== null) leaveLane(job.session_key, job)
        end(fail({ id, log }, error))
      },
      async run() {
        job.begun = true
        const started = performance.now()
        onStart(job)
        const how = await runTurn({ id, request, log, signal: abort.signal, request_hash }, own)
        end(how)
        onEnd(job, how, performance.now() - started)
      },
    }
    return job
  }

  const leaveLane = (session_key: string, step: Step) => {
    const lane = lanes.get(session_key)!
    lane.splice(lane.indexOf(step), 1)
    if (lane.length === 0) lanes.delete(session_key)
  }

  const enterLane = (session_key: string, step: Step) => {
    const lane = lanes.get(session_key)
    if (lane) return void lane.push(step)
    const opened = [step]
    lanes.set(session_key, opened)
    void runLane(session_key, opened)
  }

  const turnsIn = (session_key: string) =>
    (lanes.get(session_key) ?? []).filter((step) => "begun" in step).length

  const runLane = async (session_key: string, lane: Step[]) => {
    for (let step = lane[0]; step; step = lane[0]) {
      await step.run()
      leaveLane(session_key, step)
    }
  }

  const known = (request: TurnRequest, request_hash: string): Turn | undefined => {
    const { session, idempotency_key } = request
    if (!session || idempotency_key === undefined) return undefined
    const { store, now_ms } = deps()
    const running = keys.get(keyOf(request))
    const stored = running
      ? undefined
      : findIdempotency(store.db, session.key, idempotency_key, now_ms() - idempotency_ms)
    const first = running ?? stored
    if (first && first.request_hash !== request_hash) throw new AppError("conflict", { idempotency_key })
    return running?.turn ?? (stored && find(stored.turn_id))
  }

  const find: Turns["find"] = (turn_id, after_seq = -1) => {
    const running = live.get(turn_id)
    if (running) return running
    const row = findTurn(deps().store.db, turn_id)
    return row && fromRow(row, after_seq)
  }

  return {
    find,
    submit(request) {
      const request_hash = hashOf(request)
      const first = known(request, request_hash)
      if (first) return first
      if (draining) throw new AppError("shutting_down")
      // Refused before anything is written: in the middle of a group commit it would cost the others theirs.
      chainFor(request.agent, request.model, deps().models)
      const job = openJob(request, request_hash)
      if (request.session && turnsIn(request.session.key) > queue_max()) {
        throw new AppError("session_busy", { queue_max: queue_max() })
      }
      live.set(job.id, job)
      if (request.idempotency_key !== undefined && request.session) {
        keys.set(keyOf(request), { request_hash, turn: job })
        void job.outcome.then(() => keys.delete(keyOf(request)))
      }
      if (request.session) enterLane(request.session.key, job)
      else void job.run()
      return job
    },
    abort(which) {
      const jobs = [...live.values()].filter((job) =>
        "turn_id" in which ? job.id === which.turn_id : job.session_key === which.session_key,
      )
      for (const job of jobs) job.abort(new AppError("aborted"))
      return jobs.length
    },
    between<T>(session_key: string, work: () => Promise<T>) {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      enterLane(session_key, { run: () => work().then(resolve, reject) })
      return promise
    },
    counts() {
      const running = [...live.values()].filter((job) => job.begun).length
      return { running, waiting: live.size - running }
    },
    draining: () => draining,
    async drain(grace_ms) {
      draining = true
      const stop = () => {
        for (const job of [...live.values()]) job.abort(new AppError("shutting_down"))
      }
      for (const job of [...live.values()]) if (!job.begun) job.abort(new AppError("shutting_down"))
      const timer = setTimeout(stop, grace_ms)
      await Promise.all([...live.values()].map((job) => job.outcome))
      clearTimeout(timer)
    },
  }
}

const keyOf = ({ session, idempotency_key }: TurnRequest) => `${session?.key}\0${idempotency_key}`

/** Of what makes two requests the same for an idempotency key. */
const hashOf = ({ parts, model, metadata, idempotency_key }: TurnRequest): string =>
  idempotency_key === undefined
    ? ""
    : new Bun.CryptoHasher("sha256").update(JSON.stringify([parts, model, metadata])).digest("hex")

/** A turn that is over, from what the store has of it. */
function fromRow(row: TurnRow, after_seq: number): Turn {
  const { id, agent, session_key } = row
  const log = openTurnLog(row.events === null ? [] : (JSON.parse(row.events) as LogEntry[]))
  const stored = row.outcome === null ? undefined : (JSON.parse(row.outcome) as Outcome)
  // It runs nowhere and has no end: that could not be written. What a crash cut off was given one at the start.
  const unwritten = row.state === "running"
  if (log.entries.length === 0) {
    // The events went with the crash or with time; what is left to tell comes after all that the reader saw.
    const seq = after_seq + 1
    log.entries.push({
      seq_first: seq,
      seq,
      event: { type: "done", stop_reason: row.stop_reason ?? "error" } as const,
    })
  }
  const code = unwritten ? "storage_failed" : "shutting_down"
  const lost: Outcome = { error: { code, data: { turn_id: id } } }
  return { id, agent, session_key, log, outcome: Promise.resolve(stored ?? lost), abort: () => undefined }
}
