import { checkSharedSecret, isSame, type SignatureScheme } from "../signature.ts"

/** In the header only: what is in an address gets into the logs of every proxy on the way. */
export const token: SignatureScheme = {
  name: "token",
  summary: "A shared token as `Authorization: Bearer`. The body is not signed.",
  check: checkSharedSecret,
  open:
    ({ secret = "" }) =>
    (headers) => {
      const [, given = ""] = /^bearer +([\x21-\x7e]+)$/i.exec(headers.get("authorization") ?? "") ?? []
      return isSame(given, secret) ? () => ({ timestamp: "" }) : undefined
    },
}
