import type { SignatureScheme } from "./signature.ts"
import { discord } from "./signatures/discord.ts"
import { github } from "./signatures/github.ts"
import { header } from "./signatures/header.ts"
import { hmacSha256 } from "./signatures/hmac-sha256.ts"
import { meta } from "./signatures/meta.ts"
import { slack } from "./signatures/slack.ts"
import { standardWebhooks } from "./signatures/standard-webhooks.ts"
import { token } from "./signatures/token.ts"

/** Every way in which a platform's requests may be signed. */
export const schemes: readonly SignatureScheme[] = [
  slack,
  github,
  meta,
  standardWebhooks,
  discord,
  hmacSha256,
  header,
  token,
]
