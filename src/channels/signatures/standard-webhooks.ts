import {
  checkSecret,
  type FieldProblem,
  fromBase64,
  hmacOf,
  isRecent,
  isSame,
  type SignatureFields,
  type SignatureScheme,
} from "../signature.ts"

/** More than one while a sender changes its key; without a bound a header of them would be work for nothing. */
const signatures_max = 8
const key_bytes_min = 16
/** Versions that are not ours stand beside; a header that came twice has a comma more. */
const part = /^v[0-9a-z]{1,8},[A-Za-z0-9+/=]{1,512}$/

const keyOf = (secret: string) => fromBase64(secret.replace(/^whsec_/, ""))

function check(fields: SignatureFields): FieldProblem[] {
  const { secret } = fields
  if (secret === undefined || secret === "") return checkSecret(fields)
  const key = keyOf(secret)
  if (key && key.length >= key_bytes_min) return []
  const expected = `"whsec_" and at least ${key_bytes_min} bytes in base64`
  return [{ field: "secret", expected, got: key ? `${key.length} bytes` : "other characters" }]
}

export const standardWebhooks: SignatureScheme = {
  name: "standard-webhooks",
  summary:
    "Standard Webhooks: HMAC-SHA256 over id, timestamp and body; several signatures while keys change.",
  check,
  open({ secret = "", tolerance_s }) {
    const key = keyOf(secret)!
    return (headers, now_ms) => {
      const id = headers.get("webhook-id") ?? ""
      const timestamp = headers.get("webhook-timestamp") ?? ""
      const written = (headers.get("webhook-signature") ?? "").split(" ")
      const given = written.map((one) => (one.startsWith("v1,") ? fromBase64(one.slice(3)) : undefined))
      if (written.length > signatures_max || !written.every((one) => part.test(one))) return undefined
      // A dot in the id would let one message be taken for another one with another timestamp.
      if (!/^[!-~]{1,256}$/.test(id) || id.includes(".")) return undefined
      if (!isRecent(timestamp, now_ms, tolerance_s)) return undefined
      return (body) => {
        const right = hmacOf(key, `${id}.${timestamp}.`, body)
        return given.some((one) => one !== undefined && isSame(one, right)) ? { id } : undefined
      }
    }
  },
}
