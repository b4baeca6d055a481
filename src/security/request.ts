import * as http from "node:http"
import * as https from "node:https"
import { isIP } from "node:net"
import { pipeline } from "node:stream"
import * as zlib from "node:zlib"
import { assert } from "../base/errors.ts"
import { attempt_ms_max, attempts_max, isPeer } from "./connect.ts"

/** One exchange with one host. */
export type Hop = {
  url: URL
  /** Of the URL, without a final dot. */
  host: string
  port: number
  /** Checked addresses of the host; they are tried in turn, and nothing is looked up again. */
  addresses: readonly string[]
  method: string
  headers: Record<string, string>
  body?: string | Uint8Array | undefined
  /** Milliseconds without a byte after which it is given up. */
  idle_ms: number
  signal: AbortSignal
}

const header_bytes_max = 65_536
const early_hints_max = 16

/** Sends the request and returns the answer with its body unread. Throws Error with a sentence for the model. */
export async function sendTo(hop: Hop): Promise<http.IncomingMessage> {
  const addresses = hop.addresses.slice(0, attempts_max)
  for (const [i, address] of addresses.entries()) {
    const last = i === addresses.length - 1
    const sent = { connected: false }
    try {
      return await sendToAddress(hop, address, sent, last ? undefined : attempt_ms_max)
    } catch (thrown) {
      // Nothing has been sent before there is a connection, so that the next address may be asked.
      if (last || sent.connected || hop.signal.aborted) throw explain(thrown, hop)
    }
  }
  throw new Error(`There is no address for ${hop.host}.`)
}

function sendToAddress(
  hop: Hop,
  address: string,
  sent: { connected: boolean },
  connect_ms: number | undefined,
): Promise<http.IncomingMessage> {
  const { url, host, port, method, headers, body, idle_ms, signal } = hop
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>()
  const secure = url.protocol === "https:"
  const request = (secure ? https : http).request({
    host: address,
    port,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...headers, host: url.port === "" ? host : `${host}:${port}` },
    // The certificate must be the name's, or, where the URL has an address, the address's.
    ...(secure && { rejectUnauthorized: true, servername: isIP(address) && isAddress(host) ? "" : host }),
    // One connection for one request: the next one's address is checked anew. No agent, so no proxy either.
    agent: false,
    lookup: (name) => reject(new Error(`assertion failed: ${name} was resolved before`)),
    maxHeaderSize: header_bytes_max,
    insecureHTTPParser: false,
    signal,
  })
  let answered: http.IncomingMessage | undefined
  const give_up = (why: string) => (answered ?? request).destroy(new Error(why))
  const timer =
    connect_ms === undefined ? undefined : setTimeout(() => give_up(`${host} did not connect.`), connect_ms)
  request.on("socket", (socket) => {
    socket.once("connect", () => {
      clearTimeout(timer)
      sent.connected = true
      if (!isPeer(socket, address)) give_up("assertion failed: the connection is to the checked address")
    })
  })
  request.setTimeout(idle_ms, () => give_up(`${host} sent nothing for ${idle_ms / 1000} s.`))
  let hints = 0
  request.on("information", () => {
    hints += 1
    if (hints > early_hints_max) give_up(`${host} does not come to an answer.`)
  })
  request.on("upgrade", (_response, socket) => {
    socket.destroy()
    reject(new Error(`${host} wants another protocol than HTTP.`))
  })
  request.on("response", (response) => {
    answered = response
    resolve(response)
  })
  request.on("error", reject)
  request.on("close", () => clearTimeout(timer))
  request.end(body)
  return promise
}

const isAddress = (host: string) => isIP(host.replace(/^\[|\]$/g, "")) !== 0

/** The decoded body up to `bytes_max`, and whether there was more. Leaves the connection closed. */
export async function readBody(
  response: http.IncomingMessage,
  hop: Hop,
  bytes_max: number,
): Promise<{ body: Uint8Array; cut: boolean }> {
  assert(bytes_max >= 0, "a body has a bound")
  const chunks: Uint8Array[] = []
  let left = bytes_max
  let cut = false
  try {
    for await (const chunk of decoded(response, hop, bytes_max)) {
      cut = chunk.length > left
      chunks.push(cut ? chunk.subarray(0, left) : chunk)
      left -= Math.min(left, chunk.length)
      if (cut) break
    }
  } catch (thrown) {
    throw explain(thrown, hop)
  } finally {
    response.destroy()
  }
  return { body: Buffer.concat(chunks), cut }
}

/** One layer of compression is undone, as a stream; what is beyond the limit is never made. */
async function* decoded(
  response: http.IncomingMessage,
  { method, host }: Hop,
  bytes_max: number,
): AsyncGenerator<Uint8Array> {
  if (method === "HEAD" || response.statusCode === 204 || response.statusCode === 304) return
  const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase()
  if (encoding === "identity" || encoding === "") return yield* response
  const source = bounded(response, bytes_max + 65_536, host)
  const first = await source.next()
  if (first.done) return
  const decoder = decoderOf(encoding, first.value[0]!)
  if (!decoder) throw new Error(`${host} answered in an encoding that is not known here.`)
  // An error of either end reaches whoever reads the decoder, and closing the decoder closes the source.
  pipeline(joined(first.value, source), decoder, () => undefined)
  yield* decoder
}

/** Decoders may eat without end and give nothing (empty blocks), so what goes in has a limit as well. */
async function* bounded(source: AsyncIterable<Uint8Array>, bytes_max: number, host: string) {
  let left = bytes_max
  for await (const chunk of source) {
    if (chunk.length === 0) continue
    left -= chunk.length
    if (left < 0) throw new Error(`${host} sent a compressed body that grows when it is unpacked.`)
    yield chunk
  }
}

async function* joined(first: Uint8Array, rest: AsyncIterable<Uint8Array>) {
  yield first
  yield* rest
}

function decoderOf(encoding: string, first_byte: number) {
  if (encoding === "gzip" || encoding === "x-gzip") return zlib.createGunzip()
  if (encoding === "br") return zlib.createBrotliDecompress()
  if (encoding === "zstd") return zlib.createZstdDecompress()
  if (encoding !== "deflate") return
  // "deflate" means zlib's format, but some servers send the bare stream.
  return (first_byte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()
}

/** Codes of the system, of TLS and of the parser as sentences; the addresses in their messages stay inside. */
function explain(thrown: unknown, { host, port, signal }: Hop): unknown {
  if (signal.aborted) return signal.reason
  const { code = "", message } = thrown as NodeJS.ErrnoException
  if (code === "" || code === "ABORT_ERR") return thrown
  return new Error(sentenceFor(code, `${host}:${port}`, message), { cause: thrown })
}

function sentenceFor(code: string, where: string, message: string): string {
  if (code === "ECONNREFUSED") return `Nothing answers at ${where}.`
  if (code === "HPE_HEADER_OVERFLOW") return `${where} sent more than ${header_bytes_max} bytes of headers.`
  if (code.startsWith("HPE_")) return `${where} does not speak HTTP as it should (${code}).`
  if (code === "ECONNRESET") return `${where} closed the connection before its answer was complete.`
  if (/CERT|ALTNAME|SIGNATURE|ISSUER/.test(code)) return `The certificate of ${where} is not valid (${code}).`
  if (/^(Z_|ERR_BROTLI|ERR__ERROR_|ZSTD_)|^ERR_ZLIB/.test(code) || /zlib|zstd|brotli/i.test(message))
    return `${where} sent a body that cannot be unpacked.`
  return `The connection to ${where} failed (${code}).`
}
