import * as http from "node:http"
import * as https from "node:https"
import { isIP } from "node:net"
import type { Readable } from "node:stream"
import * as zlib from "node:zlib"
import { assert } from "../../base/errors.ts"
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
/** What writes word by word has some thousand pieces; a million of one byte each would take seconds of the event loop. */
const pieces_max = 50_000
const piece_bytes_min = 32

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
  const { method, signal } = hop
  try {
    if (method === "HEAD" || response.statusCode === 204 || response.statusCode === 304)
      return { body: new Uint8Array(), cut: false }
    const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase()
    if (encoding === "identity" || encoding === "") return await collect(response, bytes_max, signal)
    return await unpack(encoding, await collect(response, bytes_max + 65_536, signal), hop, bytes_max)
  } catch (thrown) {
    throw explain(thrown, hop)
  } finally {
    response.destroy()
  }
}

type Body = { body: Uint8Array; cut: boolean }

/** One layer of compression is undone; what is beyond the limit is never made. */
async function unpack(encoding: string, packed: Body, hop: Hop, bytes_max: number): Promise<Body> {
  if (packed.body.length === 0) return packed
  const decoder = decoderOf(encoding, packed.body[0]!)
  if (!decoder) throw new Error(`${hop.host} answered in an encoding that is not known here.`)
  const unpacked = collect(decoder, bytes_max, hop.signal)
  decoder.end(packed.body)
  const { body, cut } = await unpacked.catch((thrown: unknown) => {
    if (hop.signal.aborted || !packed.cut) throw thrown
    return { body: undefined, cut: false }
  })
  // As long as what it came from, and not at its end: decoders may eat without end and give nothing (empty blocks).
  if (!body || (packed.cut && !cut))
    throw new Error(`${hop.host} sent a compressed body that grows when it is unpacked.`)
  return { body, cut }
}

/**
 * Takes each piece as it comes and keeps none: a stream of single bytes would fill the memory with what is around them,
 * and the event loop with its promises.
 */
function collect(stream: Readable, bytes_max: number, signal: AbortSignal): Promise<Body> {
  const { promise, resolve, reject } = Promise.withResolvers<Body>()
  let body = Buffer.allocUnsafe(Math.min(bytes_max, 65_536))
  let [length, pieces] = [0, 0]
  const finish = (cut: boolean) => resolve({ body: body.subarray(0, length), cut })
  const stop = () => reject(signal.reason)
  stream.on("data", (chunk: Uint8Array) => {
    const kept = Math.min(chunk.length, bytes_max - length)
    if (length + kept > body.length) {
      const larger = Buffer.allocUnsafe(Math.min(bytes_max, Math.max(length + kept, 2 * body.length)))
      larger.set(body)
      body = larger
    }
    body.set(kept < chunk.length ? chunk.subarray(0, kept) : chunk, length)
    length += kept
    pieces += 1
    if (pieces > pieces_max && length < pieces * piece_bytes_min)
      return void stream.destroy(
        new Error("The body comes in pieces that are too small to read all of them."),
      )
    if (kept === chunk.length) return
    finish(true)
    stream.destroy()
  })
  stream.on("end", () => finish(false))
  stream.on("error", reject)
  stream.on("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })))
  signal.addEventListener("abort", stop)
  return promise.finally(() => {
    signal.removeEventListener("abort", stop)
    stream.destroy()
  })
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
