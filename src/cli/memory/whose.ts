import type { ArgsDef } from "citty"
import { parseSessionKey } from "../../base/session-key.ts"
import { UsageError } from "../find-command.ts"

/** Whose memory a command is about. */
export const whose_args = {
  agent: { type: "string", description: "Another agent than the default one" },
  sender: {
    type: "string",
    valueHint: "channel:account:peer",
    description: "One sender's with the agent, as in: ws:default:main",
  },
} as const satisfies ArgsDef

export type WhoseArgs = { agent?: string | undefined; sender?: string | undefined }

export type Sender = { channel: string; account: string; peer: string }

export function parseSender(text: string): Sender {
  const parts = parseSessionKey(`agent:${text}`)
  if (!parts)
    throw new UsageError(`--sender needs channel:account:peer, as in ws:default:main, not "${text}".`)
  return { channel: parts.channel, account: parts.account, peer: parts.peer }
}

export const toWhose = ({ agent, sender }: WhoseArgs): { agent?: string; sender?: Sender } => ({
  ...(agent && { agent }),
  ...(sender && { sender: parseSender(sender) }),
})
