import { AppError, type ErrorCode, errors } from "../../base/errors.ts"

/** Reads a body up to a limit; what says it is larger, or is, is refused without being held. */
export async function readBody(request: Request, bytes_max: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > bytes_max)
    throw new AppError("too_large", { limit: bytes_max })
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.length
      if (bytes > bytes_max) throw new AppError("too_large", { limit: bytes_max })
      chunks.push(chunk)
    }
  } catch (thrown) {
    // A client that goes away in the middle of its body is no bug of ours.
    throw request.signal.aborted ? new AppError("aborted", {}, thrown) : thrown
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** The body as JSON's own encoding, UTF-8; anything else is no JSON. */
export async function readText(request: Request, bytes_max: number): Promise<string> {
  const bytes = await readBody(request, bytes_max)
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AppError("parse_error", {}, cause)
  }
}

const base_headers = { "x-content-type-options": "nosniff", "cache-control": "no-store" }

export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", ...base_headers, ...headers },
  })

export const text = (value: string, status = 200, type = "text/plain; charset=utf-8"): Response =>
  new Response(value, { status, headers: { "content-type": type, ...base_headers } })

/** What every endpoint but the JSON-RPC one answers a failure with. */
export const errorResponse = ({ code, message, data }: AppError): Response =>
  json({ error: { code, message, data } }, errors[code].http, retryHeaders({ code, data }))

export function retryHeaders({
  code,
  data,
}: {
  code: ErrorCode
  data: Record<string, unknown>
}): Record<string, string> {
  if (code === "unauthorized") return { "www-authenticate": 'Bearer realm="weft"' }
  const ms = data.retry_after_ms
  return typeof ms === "number" ? { "retry-after": String(Math.max(1, Math.ceil(ms / 1000))) } : {}
}
