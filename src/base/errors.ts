/** Every failure a caller can see, declared once. docs/reference/errors.md is generated from this. */
export const errors = {
  parse_error: { rpc: -32700, http: 400, exit: 2, message: "That is not JSON." },
  invalid_request: { rpc: -32600, http: 400, exit: 2, message: "That is not a valid request." },
  method_not_found: { rpc: -32601, http: 404, exit: 2, message: "There is no such method." },
  invalid_params: { rpc: -32602, http: 400, exit: 2, message: "The parameters do not match the schema." },
  internal: {
    rpc: -32603,
    http: 500,
    exit: 70,
    message: "Internal error. The log has it under the incident id.",
  },
  unauthorized: { rpc: -32001, http: 401, exit: 77, message: "A valid token is needed." },
  forbidden: { rpc: -32002, http: 403, exit: 77, message: "The token does not allow that." },
  rate_limited: { rpc: -32003, http: 429, exit: 75, message: "Too many requests; try again later." },
  not_found: { rpc: -32004, http: 404, exit: 1, message: "There is no such thing." },
  session_busy: {
    rpc: -32005,
    http: 429,
    exit: 75,
    message: "The session's queue is full; wait for a turn to end.",
  },
  budget_exceeded: { rpc: -32006, http: 429, exit: 75, message: "The budget is used up." },
  provider_failed: { rpc: -32007, http: 502, exit: 69, message: "The model provider failed." },
  provider_timeout: {
    rpc: -32008,
    http: 504,
    exit: 69,
    message: "The model provider did not answer in time.",
  },
  tool_denied: { rpc: -32009, http: 403, exit: 77, message: "The tool may not be used." },
  aborted: { rpc: -32010, http: 499, exit: 130, message: "The turn was aborted." },
  too_large: { rpc: -32011, http: 413, exit: 2, message: "That is larger than the limit." },
  shutting_down: {
    rpc: -32012,
    http: 503,
    exit: 75,
    message: "The gateway is stopping; send it again after the restart.",
  },
  unreachable: { rpc: -32013, http: 502, exit: 69, message: "The gateway is not answering." },
  conflict: { rpc: -32014, http: 409, exit: 1, message: "That contradicts an earlier request." },
  no_agent: { rpc: -32015, http: 404, exit: 1, message: "No agent answers for that channel and peer." },
  storage_failed: {
    rpc: -32016,
    http: 507,
    exit: 74,
    message: "The database could not be written. Is the disk full?",
  },
  plugin_refused: {
    rpc: -32017,
    http: 422,
    exit: 1,
    message: "The plugin cannot be taken into service.",
  },
  index_failed: {
    rpc: -32018,
    http: 500,
    exit: 74,
    message: "The memory could not be searched; run weft memory reindex.",
  },
  invalid_config: { rpc: -32602, http: 400, exit: 78, message: "The configuration is not valid." },
  already_running: {
    rpc: -32014,
    http: 409,
    exit: 75,
    message: "Another process holds this home; stop it or use another --home.",
  },
  address_unavailable: {
    rpc: -32014,
    http: 409,
    exit: 69,
    message: "That address and port cannot be listened on; pick others with --bind and --port.",
  },
  store_too_new: {
    rpc: -32016,
    http: 500,
    exit: 78,
    message: "The database was written by a newer version; it was left untouched.",
  },
  store_damaged: {
    rpc: -32016,
    http: 500,
    exit: 74,
    message: "The database is damaged; it was left untouched. Restore a backup.",
  },
} as const

export type ErrorCode = keyof typeof errors

export class AppError extends Error {
  readonly code: ErrorCode
  readonly data: Record<string, unknown>

  constructor(code: ErrorCode, data: Record<string, unknown> = {}, cause?: unknown) {
    super(errors[code].message, { cause })
    this.name = "AppError"
    this.code = code
    this.data = data
  }
}

/** Boundaries only (rpc, tool, provider, cli): anything that is not an AppError is a bug and stays hidden. */
export function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError
    ? thrown
    : new AppError("internal", { incident: Bun.randomUUIDv7() }, thrown)
}

/** For what must be true. A failure is a bug in this program, never bad input. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${claim}`)
}

/**
 * What was thrown, for the log: its stack with those of its causes, and no line of code. Where the code is not at hand
 * (the executable has no maps; scripts/trace.ts does) that line would be a whole chunk of it.
 */
export function toTrace(thrown: unknown, causes_max = 4): string {
  if (!(thrown instanceof Error)) return Bun.inspect(thrown)
  const { stack, name, message, cause } = thrown
  const code = "code" in thrown && typeof thrown.code === "string" ? `${thrown.code}: ` : ""
  const trace = `${code}${stack || `${name}: ${message}`}`
  if (cause === undefined || causes_max === 0) return trace
  return `${trace}\ncaused by ${toTrace(cause, causes_max - 1)}`
}
