import { checkSecret, fromHex, hmacOf, isRecent, isSame, type SignatureScheme } from "../signature.ts"

export const slack: SignatureScheme = {
  name: "slack",
  summary: "Slack's v0: HMAC-SHA256 with the signing secret over the timestamp and the body.",
  check: checkSecret,
  open:
    ({ secret = "", tolerance_s }) =>
    (headers, now_ms) => {
      const timestamp = headers.get("x-slack-request-timestamp") ?? ""
      const written = headers.get("x-slack-signature") ?? ""
      const given = written.startsWith("v0=") ? fromHex(written.slice(3), 32) : undefined
      if (!given || !isRecent(timestamp, now_ms, tolerance_s)) return undefined
      // Slack signs each attempt anew; the body, which has an id of its own, stays the same.
      return (body) =>
        isSame(given, hmacOf(secret, `v0:${timestamp}:`, body)) ? { timestamp: "" } : undefined
    },
}
