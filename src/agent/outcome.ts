import { type AppError, type ErrorCode, errors } from "../base/errors.ts"
import type { TurnState } from "../store/turns.ts"
import type { TurnEvent, TurnResult, TurnStop } from "./events.ts"
import { isEnded, type TurnLog } from "./log.ts"

/** How a turn ended, as chat.send answers it. */
export type Outcome = { result: TurnResult } | { error: { code: ErrorCode; data: Record<string, unknown> } }

/** These are answered with an error; an abort while it runs is an end like others. */
const failing: TurnStop[] = ["error", "interrupted", "budget"]

/** The error that a turn ends with, as far as its stop is told as one. */
export const failureOf = (stop: TurnStop, error: AppError | undefined): AppError | undefined =>
  failing.includes(stop) ? error : undefined

export const stateOf = (stop: TurnStop): TurnState =>
  stop === "interrupted" ? "interrupted" : stop === "error" || stop === "budget" ? "failed" : "done"

export const toOutcome = (failure: AppError | undefined, turn_id: string, result: TurnResult): Outcome =>
  failure ? { error: { code: failure.code, data: { ...failure.data, turn_id } } } : { result }

export const toErrorEvent = ({ code, data }: AppError, turn_id: string): TurnEvent => ({
  type: "error",
  code,
  message: errors[code].message,
  data: { ...data, turn_id },
})

/** For a turn whose end cannot be written, or that never began: its readers are told, the store keeps what it has. */
export function fail({ id, log }: { id: string; log: TurnLog }, error: AppError): Outcome {
  const stop_reason: TurnStop =
    error.code === "aborted" ? "aborted" : error.code === "shutting_down" ? "interrupted" : "error"
  if (!isEnded(log)) {
    log.append(toErrorEvent(error, id))
    log.append({ type: "done", stop_reason })
  }
  return { error: { code: error.code, data: { ...error.data, turn_id: id } } }
}
