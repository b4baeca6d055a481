import { AppError } from "../base/errors.ts"

const reason_chars_max = 300

/** What an SDK, fetch or a stream may throw or send as an error; every field is doubtful. */
type Thrown = {
  name?: unknown
  message?: unknown
  code?: unknown
  statusCode?: unknown
  isRetryable?: unknown
  responseHeaders?: unknown
  responseBody?: unknown
  /** The body as parsed, where it had the shape of the API's errors. */
  data?: unknown
  cause?: unknown
}

export type FailureContext = {
  provider: string
  /** Texts that no reason may contain: keys, and values of configured headers. */
  secrets: string[]
}

/** A provider's failure in the words of this program. `reason` is for people; what it says is not matched on. */
export function providerFailed(
  { provider, secrets }: FailureContext,
  reason: string,
  fields: { retryable: boolean; status?: number; retry_after_ms?: number },
  cause?: unknown,
): AppError {
  return new AppError("provider_failed", { provider, ...fields, reason: clean(reason, secrets) }, cause)
}

export const cut_reason = "The stream was cut before its end."

/**
 * Whatever went wrong in a model call, as one AppError. An SDK's own error is not kept as its cause, because it carries
 * the whole request with it.
 */
export function toFailure(thrown: unknown, context: FailureContext): AppError {
  if (thrown instanceof AppError) return thrown
  const error = (isObject(thrown) ? thrown : { message: String(thrown) }) as Thrown
  const status = statusOf(error)
  if (status !== undefined) {
    const wait = retryAfterMs(error)
    return providerFailed(context, httpReason(status, error), {
      status,
      retryable: isRetryable(status, error),
      ...(wait === undefined ? {} : { retry_after_ms: wait }),
    })
  }
  const code = networkCode(thrown)
  if (code) return providerFailed(context, networkReason(code), { retryable: isPassing(code) })
  if (typeof error.name === "string" && error.name === "AI_UnsupportedFunctionalityError") {
    return providerFailed(context, String(error.message), { retryable: false })
  }
  if (error instanceof Error) {
    const cause = error.name.startsWith("AI_") ? undefined : error
    return providerFailed(context, notUnderstood(error), { retryable: true }, cause)
  }
  const retryable = error.isRetryable !== false
  return providerFailed(context, `The provider reported an error: ${messageOf(error)}`, { retryable })
}

/** Whether a request was refused because there is more text in it than the model takes. Providers say it in words only. */
export function isTooLong(thrown: unknown): boolean {
  if (!isObject(thrown) || thrown instanceof AppError) return false
  const status = statusOf(thrown)
  if (status === 413) return true
  if (status !== 400 && status !== 422 && status !== 500) return false
  const { message, responseBody } = thrown as Thrown
  return /too (long|large|many tokens|big)|context (length|size|window)|maximum.{0,40}(tokens|length)|token limit|exceed/i.test(
    `${message} ${responseBody}`,
  )
}

/** An HTTP status that says failure; a 200 whose body broke has none worth telling. */
function statusOf({ statusCode, code }: Thrown): number | undefined {
  for (const value of [statusCode, code]) {
    const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value
    if (typeof status === "number" && status >= 300 && status <= 599) return status
  }
  return undefined
}

function isRetryable(status: number, error: Thrown): boolean {
  // A used-up quota is told as 429, but waiting does not refill it.
  if (JSON.stringify([error.code, error.responseBody]).includes("insufficient_quota")) return false
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500
}

function httpReason(status: number, error: Thrown): string {
  const said = messageOf(error)
  if (status === 401 || status === 403) return `The key was refused (HTTP ${status}): ${said}`
  return `HTTP ${status}: ${said}`
}

/** SDKs put the status text where they cannot read the body; the body says more. */
function messageOf({ message, responseBody, data, code }: Thrown): string {
  const body = typeof responseBody === "string" && data === undefined ? responseBody.trim() : ""
  if (body && !body.startsWith("<")) return body
  if (typeof message === "string" && message.length > 0) return message
  return typeof code === "string" ? code : "no further word"
}

/** An SDK's complaint about what it read, without the pages of schema that come with it. */
function notUnderstood({ message }: Error): string {
  if (message.includes("without a finish reason")) return cut_reason
  const said = message
    .replace(/\.?\s*Error message:[\s\S]*/, "")
    .replace(/^Expected a normalized.*/, "no API's words")
  return `The answer could not be understood: ${said}`
}

/** `Retry-After` in seconds or as a date, its millisecond sister, or Google's RetryInfo in the body. */
function retryAfterMs({ responseHeaders, responseBody }: Thrown): number | undefined {
  const headers = (isObject(responseHeaders) ? responseHeaders : {}) as Record<string, string>
  const precise = Number.parseFloat(headers["retry-after-ms"] ?? "")
  if (precise >= 0) return Math.ceil(precise)
  const after = headers["retry-after"] ?? ""
  if (/^\d+(\.\d+)?$/.test(after)) return Math.ceil(Number(after) * 1000)
  const date_ms = Date.parse(after)
  if (!Number.isNaN(date_ms)) return Math.max(0, date_ms - Date.now())
  const delay = typeof responseBody === "string" && /"retryDelay":\s*"(\d+(?:\.\d+)?)s"/.exec(responseBody)
  return delay ? Math.ceil(Number(delay[1]) * 1000) : undefined
}

/** The code of the network's error, wherever in the chain of causes it is. */
function networkCode(thrown: unknown): string | undefined {
  for (let error = thrown, depth = 0; isObject(error) && depth < 8; depth++) {
    const { code, name, cause } = error as Thrown
    if (typeof code === "string" && error instanceof Error) return code
    if (name === "AbortError" || name === "TimeoutError") return String(name)
    error = cause
  }
  return undefined
}

function networkReason(code: string): string {
  if (/refused|FailedToOpenSocket/i.test(code)) return `Nobody listens there; is base_url right? (${code})`
  if (/ENOTFOUND|EAI_|DNS/i.test(code)) return `The host name was not found; is base_url right? (${code})`
  if (/redirect/i.test(code)) return `It answered with a redirect; is base_url right? (${code})`
  if (/CERT|TLS|SSL/i.test(code)) return `The certificate was not accepted (${code}).`
  if (/zlib|brotli|zstd|decompress/i.test(code)) return `The answer's compression is broken (${code}).`
  return `The connection was lost (${code}).`
}

/** Whether a network error may be gone at the next attempt. */
const isPassing = (code: string) => !/redirect|CERT|TLS|SSL|INVALID|Unsupported/i.test(code)

/** One line, without secrets, of bounded length. */
function clean(reason: string, secrets: string[]): string {
  let text = reason
  for (const secret of secrets) if (secret) text = text.replaceAll(secret, "[secret]")
  text = text.replace(/\s+/g, " ").trim()
  return text.length > reason_chars_max ? `${text.slice(0, reason_chars_max)}…` : text
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null
