/** Signs requests as platforms do. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto"
import { schemes } from "../../src/channels/schemes.ts"
import type { SignatureFields } from "../../src/channels/signature.ts"

export const bytes = (text: string) => new TextEncoder().encode(text)

export const hmac = (
  key: string | Uint8Array,
  text: string | Uint8Array,
  encoding: "hex" | "base64" = "hex",
) => createHmac("sha256", key).update(text).digest(encoding)

/** What a scheme makes of a request: what makes its delivery the same one, undefined where it is refused. */
export async function verify(
  name: string,
  fields: SignatureFields,
  headers: Record<string, string> | [string, string][],
  body: string | Uint8Array,
  now_s: number,
) {
  const scheme = schemes.find((one) => one.name === name)!
  const check = scheme.open(fields)(new Headers(headers), now_s * 1000)
  return check?.(typeof body === "string" ? bytes(body) : body)
}

export function keyPair() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  const public_key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex")
  return { public_key, sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString("hex") }
}

type Signed = { fields: SignatureFields; sign(body: string, now_s: number): Record<string, string> }

/** One right way for each scheme. */
export function signers(): Record<string, Signed> {
  const secret = "a secret of more than 16 characters"
  const word = "a-secret-of-more-than-16-characters"
  const key = Buffer.alloc(24, 7)
  const pair = keyPair()
  const hub: Signed = {
    fields: { secret },
    sign: (body) => ({ "x-hub-signature-256": `sha256=${hmac(secret, body)}` }),
  }
  return {
    slack: {
      fields: { secret },
      sign: (body, now_s) => ({
        "x-slack-request-timestamp": `${now_s}`,
        "x-slack-signature": `v0=${hmac(secret, `v0:${now_s}:${body}`)}`,
      }),
    },
    github: hub,
    meta: hub,
    "standard-webhooks": {
      fields: { secret: `whsec_${key.toString("base64")}` },
      sign: (body, now_s) => ({
        "webhook-id": `msg_${now_s}`,
        "webhook-timestamp": `${now_s}`,
        "webhook-signature": `v1,${hmac(key, `msg_${now_s}.${now_s}.${body}`, "base64")}`,
      }),
    },
    discord: {
      fields: { public_key: pair.public_key },
      sign: (body, now_s) => ({
        "x-signature-timestamp": `${now_s}`,
        "x-signature-ed25519": pair.sign(`${now_s}${body}`),
      }),
    },
    "hmac-sha256": {
      fields: { secret },
      sign: (body) => ({ "x-signature-256": `sha256=${hmac(secret, body)}` }),
    },
    header: { fields: { secret: word }, sign: () => ({ "x-telegram-bot-api-secret-token": word }) },
    token: { fields: { secret: word }, sign: () => ({ authorization: `Bearer ${word}` }) },
  }
}
