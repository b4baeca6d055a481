/**
 * What every failed call throws. `code` is the word of the protocol's error table ("not_found", "unreachable", …):
 * match on it, never on the message.
 */
export class WeftError extends Error {
  readonly code: string
  readonly data: Record<string, unknown>

  constructor(code: string, data: Record<string, unknown> = {}, message = code, cause?: unknown) {
    super(message, { cause })
    this.name = "WeftError"
    this.code = code
    this.data = data
  }
}

export const unreachable = (data: Record<string, unknown>, cause?: unknown) =>
  new WeftError("unreachable", data, "The gateway is not answering.", cause)

export const aborted = (signal?: AbortSignal) =>
  new WeftError("aborted", {}, "The caller aborted this.", signal?.reason)

/** From a JSON-RPC error object. The word is in `data.code`; a foreign server may not send one. */
export function fromWire(error: {
  code: number
  message: string
  data?: Record<string, unknown>
}): WeftError {
  const { code, ...data } = error.data ?? {}
  return new WeftError(typeof code === "string" ? code : "internal", data, error.message)
}
