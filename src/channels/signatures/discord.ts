import { isUsableKey } from "../ed25519.ts"
import {
  type FieldProblem,
  fromHex,
  isRecent,
  type SignatureFields,
  type SignatureScheme,
} from "../signature.ts"

function check({ public_key }: SignatureFields): FieldProblem[] {
  const field = "public_key"
  if (public_key === undefined) {
    const hint = "without it anybody could write in the name of the platform"
    return [
      { field, expected: "the application's public key, 64 digits of lower-case hex", got: "nothing", hint },
    ]
  }
  const key = fromHex(public_key, 32)
  if (!key)
    return [{ field, expected: "64 digits of lower-case hex", got: `${public_key.length} characters` }]
  if (isUsableKey(key)) return []
  const hint = "forged requests would pass with it; copy the key from the application's page again"
  return [
    { field, expected: "a public key of Ed25519", got: "a point of small order, or none of the curve", hint },
  ]
}

export const discord: SignatureScheme = {
  name: "discord",
  summary: "Discord's Ed25519 over timestamp and body, with the application's public_key.",
  check,
  open({ public_key = "", tolerance_s }) {
    const key = crypto.subtle.importKey("raw", fromHex(public_key, 32)! as BufferSource, "Ed25519", false, [
      "verify",
    ])
    return (headers, now_ms) => {
      const timestamp = headers.get("x-signature-timestamp") ?? ""
      const given = fromHex(headers.get("x-signature-ed25519") ?? "", 64)
      if (!given || !isRecent(timestamp, now_ms, tolerance_s)) return undefined
      return async (body) => {
        const message = Buffer.concat([Buffer.from(timestamp), body])
        const right = await crypto.subtle.verify("Ed25519", await key, given as BufferSource, message)
        return right ? { timestamp } : undefined
      }
    }
  },
}
