import { checkSharedSecret, isSame, type SignatureScheme } from "../signature.ts"

export const header: SignatureScheme = {
  name: "header",
  summary:
    'A header that is the secret (header = "X-Telegram-Bot-Api-Secret-Token", as Telegram has it). The body is not signed.',
  check: checkSharedSecret,
  open:
    ({ secret = "", header = "x-telegram-bot-api-secret-token" }) =>
    (headers) =>
      isSame(headers.get(header) ?? "", secret) ? () => ({ timestamp: "" }) : undefined,
}
