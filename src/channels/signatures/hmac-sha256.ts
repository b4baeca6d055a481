import {
  checkSecret,
  fromBase64,
  fromHex,
  hmacOf,
  isRecent,
  isSame,
  type SignatureScheme,
} from "../signature.ts"

export const hmacSha256: SignatureScheme = {
  name: "hmac-sha256",
  summary:
    'Any HMAC-SHA256 in a header (header = "X-Signature-256", prefix = "sha256=", encoding = "hex") over the body, or, with timestamp_header, over timestamp, a dot and the body.',
  check: checkSecret,
  open({
    secret = "",
    header = "x-signature-256",
    prefix = "sha256=",
    encoding = "hex",
    timestamp_header,
    tolerance_s,
  }) {
    const decode = (text: string) => (encoding === "hex" ? fromHex(text, 32) : fromBase64(text))
    return (headers, now_ms) => {
      const written = headers.get(header) ?? ""
      const given = written.startsWith(prefix) ? decode(written.slice(prefix.length)) : undefined
      if (given?.length !== 32) return undefined
      if (timestamp_header === undefined) {
        return (body) => (isSame(given, hmacOf(secret, body)) ? { timestamp: "" } : undefined)
      }
      const timestamp = headers.get(timestamp_header) ?? ""
      if (!isRecent(timestamp, now_ms, tolerance_s)) return undefined
      return (body) => (isSame(given, hmacOf(secret, `${timestamp}.`, body)) ? { timestamp } : undefined)
    }
  },
}
