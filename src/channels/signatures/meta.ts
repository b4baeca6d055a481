import { checkSecret, isSame, type SignatureScheme } from "../signature.ts"
import { openHubSignature } from "./github.ts"

export const meta: SignatureScheme = {
  name: "meta",
  summary: "Meta's X-Hub-Signature-256 with the app secret; with verify_token also the question by GET.",
  check: checkSecret,
  open: openHubSignature,
  challenge({ verify_token }, query) {
    const [mode, challenge] = [query.get("hub.mode"), query.get("hub.challenge") ?? ""]
    if (!verify_token || mode !== "subscribe") return undefined
    if (!isSame(query.get("hub.verify_token") ?? "", verify_token)) return undefined
    // It goes back as it came, so it must be nothing but a word.
    return /^[A-Za-z0-9_.-]{1,256}$/.test(challenge) ? challenge : undefined
  },
}
