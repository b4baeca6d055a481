/** The answers to a platform's request. None says more than a stranger may know. */
import { type AppError, errors } from "../base/errors.ts"
import { tryJson } from "../plugins/json.ts"

/** `outcome` is the word for metrics and events. */
export type Answer = {
  outcome: string
  status: number
  type: string
  body: string | Uint8Array
  retry_after_s?: number
}

const plain = "text/plain; charset=utf-8"

const said = (outcome: string, status: number, body: string): Answer => ({
  outcome,
  status,
  type: plain,
  body,
})
const done = (outcome: string, status: string): Answer => ({
  ...{ outcome, status: 200, type: "application/json" },
  body: JSON.stringify({ status }),
})

export const answers = {
  accepted: done("accepted", "accepted"),
  duplicate: done("duplicate", "duplicate"),
  ignored: done("ignored", "ignored"),
  sent: done("sent", "sent"),
  /** The agent had nothing to say, or was stopped. */
  nothing: done("answered", "no_answer"),
  empty: said("invalid", 400, "empty message content"),
  unreadable: said("invalid", 400, "the adapter could not read the request"),
  upstream: said("failed", 502, "the platform did not take the answer"),
  unsent: said("failed", 502, "the adapter made no request of the answer"),
  unsigned: said("refused", 401, "the signature is missing or wrong"),
  large: said("invalid", 413, "the body is larger than the limit"),
  late: said("refused", 408, "the body did not come in time"),
  unavailable: { ...said("unavailable", 503, "the channel's adapter is out of service"), retry_after_s: 30 },
  busy: { ...said("busy", 503, "too many requests at once"), retry_after_s: 1 },
  unknown: (channel: string) => said("unknown", 404, `no channel adapter for '${channel}'`),
  limited: (retry_after_s: number): Answer => ({
    ...said("limited", 429, "too many wrong signatures"),
    retry_after_s,
  }),
  bytes: (body: Uint8Array): Answer => ({
    outcome: "answered",
    status: 200,
    type: tryJson(body) === undefined ? plain : "application/json",
    body,
  }),
  denied: (host: string | undefined, adapter: string): Answer =>
    said(
      "denied",
      403,
      host === undefined
        ? "proxy denied: the answer would have carried a secret"
        : `proxy denied: ${host} not in allowed_hosts for adapter '${adapter}'`,
    ),
} as const

/** Of a failure on the way to the answer: the status, and no details. */
export function failed({ code, message, data }: AppError): Answer {
  const { http } = errors[code]
  switch (code) {
    case "session_busy":
    case "budget_exceeded":
      return { ...said("busy", http, message), retry_after_s: 5 }
    case "shutting_down":
      return { ...said("failed", http, message), retry_after_s: 5 }
    case "no_agent":
      return said("failed", http, `no agent configured for ${data.channel}:${data.account}:${data.peer}`)
    case "invalid_params":
    case "too_large":
      return said("invalid", http, message)
    default:
      return said("failed", 500, "the agent failed")
  }
}
