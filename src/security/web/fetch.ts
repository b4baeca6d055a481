import { version } from "../../../package.json"
import { type Permit, ToolDenied } from "../target.ts"
import { type Hop, readBody, sendTo } from "./request.ts"
import { resolvePlace, toPlace } from "./resolve.ts"

export type FetchRequest = {
  /** http: or https: */
  url: string
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Of the decoded body; more is cut off and said. 10 MiB where it is not set. */
  bytes_max?: number
  /** Of everything, from looking up the first name to the last byte. 30 s where it is not set. */
  timeout_ms?: number
  signal?: AbortSignal
  /** Asked about each hop before anything else is; throws ToolDenied for what whoever asks may not reach. */
  checkHop?(url: URL): void
}

export type Fetched = {
  /** Where the last redirect led. */
  url: string
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Uint8Array
  /** Whether the body goes on beyond `bytes_max`. */
  cut: boolean
  duration_ms: number
}

/**
 * The one way to a host that a model, a plugin or a stranger named. Each hop asks `permit` with `{effect: "network",
 * kind: "host", text: "host:port"}` before anything is looked up; the address is classified when it is connected to.
 * Throws ToolDenied for what the policy refuses, and Error with a sentence for the model for what failed.
 */
export type GuardedFetch = (request: FetchRequest) => Promise<Fetched>

export type FetchPolicy = {
  permit: Permit
  /**
   * Whether the operator opened this very host and port, so that a private or loopback address is meant. The host is
   * in lower case without a final dot, IPv6 in brackets.
   */
  isOpened(host: string, port: number): boolean
  /** For tests: what a name resolves to. */
  lookup?: (host: string) => Promise<{ address: string; family: 4 | 6 }[]>
  /** How long a connection may be silent. 20 s where it is not set. */
  idle_ms?: number
}

const redirects_max = 5
const redirect_statuses = [301, 302, 303, 307, 308]
/** What goes along to another origin; all else could be a credential. */
const harmless_headers = ["accept", "accept-language", "user-agent"]
/** What belongs to the connection, which is ours. */
const own_headers =
  /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect|keep-alive|accept-encoding|proxy-.*)$/
const header_name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/
/** Says who asks; some sites answer nothing to a client without a name. */
const user_agent = `Weft/${version}`

/** Keeps nothing between two requests: no connections, no cookies, no answers. Proxy variables do not matter to it. */
export function openFetch(policy: FetchPolicy): GuardedFetch {
  return async (request) => {
    const { timeout_ms = 30_000, signal, bytes_max = 10_485_760 } = request
    const begun = performance.now()
    const late = new AbortController()
    const timer = setTimeout(
      () => late.abort(new Error(`${hostIn(request.url)} did not answer within ${timeout_ms / 1000} s.`)),
      timeout_ms,
    )
    try {
      const both = signal ? AbortSignal.any([signal, late.signal]) : late.signal
      both.throwIfAborted()
      const answered = await follow(policy, request, bytes_max, both)
      return { ...answered, duration_ms: Math.round(performance.now() - begun) }
    } finally {
      clearTimeout(timer)
    }
  }
}

type Step = Pick<Hop, "url" | "method" | "headers" | "body">

async function follow(policy: FetchPolicy, request: FetchRequest, bytes_max: number, signal: AbortSignal) {
  let step: Step = {
    url: parseUrl(request.url),
    method: parseMethod(request.method),
    headers: parseHeaders(request.headers),
    body: request.body,
  }
  for (let redirects = 0; redirects <= redirects_max; redirects++) {
    request.checkHop?.(step.url)
    const place = toPlace(step.url)
    const addresses = await resolvePlace(policy, place, signal)
    const hop: Hop = { ...step, ...place, addresses, signal, idle_ms: policy.idle_ms ?? 20_000 }
    const response = await sendTo(hop)
    const status = response.statusCode ?? 0
    const { location } = response.headers
    if (!redirect_statuses.includes(status) || location === undefined) {
      const headers = Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
      )
      return { url: step.url.href, status, headers, ...(await readBody(response, hop, bytes_max)) }
    }
    response.destroy()
    step = redirected(step, location, status)
  }
  throw new Error(`${hostIn(request.url)} redirects more than ${redirects_max} times.`)
}

/** Where a redirect leads and what goes along. */
function redirected(step: Step, location: string, status: number): Step {
  const url = parseUrl(location, step.url)
  if (step.url.protocol === "https:" && url.protocol === "http:")
    throw new ToolDenied(`${step.url.host} redirects from https to unencrypted http, which is refused.`)
  const to_get =
    status === 303 ? step.method !== "HEAD" : [301, 302].includes(status) && step.method === "POST"
  const next: Step = to_get
    ? { url, method: "GET", headers: without(step.headers, /^content-/), body: undefined }
    : { ...step, url }
  if (url.origin === step.url.origin) return next
  if (next.body !== undefined)
    throw new ToolDenied(
      `${step.url.host} redirects to ${url.host}, which would get the request's body as well. Ask ${url.host} itself if that is meant.`,
    )
  const harmless = Object.entries(next.headers).filter(([name]) => harmless_headers.includes(name))
  return { ...next, headers: { ...Object.fromEntries(harmless), "accept-encoding": accepted_encodings } }
}

const accepted_encodings = "gzip, deflate, br, zstd"

const without = (headers: Record<string, string>, names: RegExp) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)))

/** The only parser of URLs between a model's text and the socket. Throws ToolDenied for what is never fetched. */
export function parseUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base)) throw new Error(`That is not a URL: ${shown(text)}`)
  const url = new URL(text, base)
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new ToolDenied(`Only http and https are fetched, not ${shown(url.protocol)}`)
  if (url.username !== "" || url.password !== "")
    throw new ToolDenied("A URL with a user name or password before the host is refused; leave that out.")
  url.hash = ""
  return url
}

const shown = (text: string) => JSON.stringify(text.slice(0, 200))

const hostIn = (url: string) => (URL.canParse(url) ? new URL(url).host : "The host")

function parseMethod(method = "GET"): string {
  const upper = method.toUpperCase()
  if (!/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(upper))
    throw new Error(`There is no way to send a request with the method ${shown(method)}.`)
  return upper
}

function parseHeaders(headers: Record<string, string> = {}): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => {
    const lower = name.toLowerCase()
    if (!header_name.test(name) || own_headers.test(lower))
      throw new Error(`The header ${shown(name)} cannot be set.`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a header.
    if (/[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(value))
      throw new Error(`The value of the header ${shown(name)} has characters that a header cannot carry.`)
    return [lower, value] as const
  })
  return {
    accept: "*/*",
    "user-agent": user_agent,
    ...Object.fromEntries(given),
    "accept-encoding": accepted_encodings,
  }
}
