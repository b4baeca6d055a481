/** A plugin's requests: to what was granted, with secrets that it does not see. */
import { Type } from "@sinclair/typebox"
import { ToolDenied } from "../../security/target.ts"
import type { Fetched } from "../../security/web/fetch.ts"
import { isSecretGranted, isUrlGranted } from "./grants.ts"
import { argumentParser, type HostFunction, type HostMeans, HostRefused, toAnswer } from "./refused.ts"
import { fillSecrets, type Redactor } from "./secrets.ts"

const url_bytes_max = 8192
const headers_bytes_max = 65_536

const parseRequest = argumentParser(
  Type.Object(
    {
      url: Type.String({ minLength: 1 }),
      method: Type.Optional(Type.String({ maxLength: 16 })),
      headers: Type.Record(Type.String(), Type.String(), { default: {}, maxProperties: 100 }),
      body: Type.Optional(Type.String()),
      body_base64: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  ),
)

export const httpFetch =
  (means: HostMeans): HostFunction =>
  async (argument) => {
    const { fetch, capabilities, signal, output_bytes_max, redactor, taint, findSecret } = means
    const { url, method = "GET", headers, ...rest } = parseRequest(argument)
    const body = toBody(rest)
    const header_bytes = Object.entries(headers).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
      0,
    )
    if (Buffer.byteLength(url) > url_bytes_max || header_bytes > headers_bytes_max) {
      throw new HostRefused("too_large", "the URL or the headers are too long")
    }
    const checkHop = (hop: URL) => {
      if (isUrlGranted(capabilities, hop)) return
      const safe = Object.assign(new URL(hop), { protocol: "https:" })
      const why = isUrlGranted(capabilities, safe) ? "; one without a port is for https only" : ""
      throw new ToolDenied(`no grant covers ${hop.protocol}//${hop.host}${why}`)
    }
    const find = (name: string, to: URL) => {
      if (!isSecretGranted(capabilities, name, to)) return undefined
      if (!taint.isTainted()) return findSecret(name)
      throw new ToolDenied(
        "the plugin was given a placeholder from elsewhere, so that none of this call is filled in",
      )
    }
    const request = fillSecrets({ url, headers, ...(body !== undefined && { body }) }, find)
    if (!URL.canParse(request.url)) throw new HostRefused("invalid", "that is not a URL")
    const fetched = await fetch({ ...request, method, signal, bytes_max: output_bytes_max, checkHop })
    if (fetched.cut) throw new HostRefused("too_large", "the body is longer than output_bytes_max")
    const answer = answerOf(fetched, redactor)
    // Not all that it may be can be seen in base64.
    if ("body_base64" in answer) taint.see(fetched.body)
    return toAnswer(answer, output_bytes_max)
  }

function toBody({ body, body_base64 }: { body?: string; body_base64?: string }) {
  if (body_base64 === undefined) return body
  if (body !== undefined) throw new HostRefused("invalid", "there are two bodies")
  try {
    return Uint8Array.fromBase64(body_base64)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    throw new HostRefused("invalid", "body_base64 is not base64")
  }
}

function answerOf({ status, headers, body }: Fetched, redactor: Redactor) {
  const clean = redactor.bytes(body)
  const text = toText(clean)
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [redactor.latin1(name), redactor.latin1(value)]),
    ),
    ...(text === undefined ? { body_base64: clean.toBase64() } : { body: text }),
  }
}

/** undefined for what is not UTF-8. */
function toText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    return undefined
  }
}
