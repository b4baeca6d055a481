import { checkSecret, fromHex, hmacOf, isSame, type SignatureScheme } from "../signature.ts"

/** HMAC-SHA256 of the body alone, as GitHub and Meta sign. */
export const openHubSignature: SignatureScheme["open"] =
  ({ secret = "" }) =>
  (headers) => {
    const written = headers.get("x-hub-signature-256") ?? ""
    const given = written.startsWith("sha256=") ? fromHex(written.slice(7), 32) : undefined
    if (!given) return undefined
    return (body) => (isSame(given, hmacOf(secret, body)) ? { timestamp: "" } : undefined)
  }

export const github: SignatureScheme = {
  name: "github",
  summary: "GitHub's X-Hub-Signature-256: HMAC-SHA256 over the body.",
  check: checkSecret,
  open: openHubSignature,
}
