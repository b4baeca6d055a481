/** Who a conversation is with. `account` is the channel's account it came in by, `peer` the other side. */
export type SessionParts = { agent: string; channel: string; account: string; peer: string }

/** Well-formed, because that is what the store makes of it. */
const encode = (part: string) => part.toWellFormed().replace(/[%:]/g, (c) => (c === "%" ? "%25" : "%3A"))
const decode = (part: string) => part.replace(/%(25|3A)/g, (_, code) => (code === "25" ? "%" : ":"))

/** `{agent}:{channel}:{account}:{peer}` with `%` and `:` inside a part percent-encoded, so that it decodes one way. */
export const toSessionKey = ({ agent, channel, account, peer }: SessionParts): string =>
  `${encode(agent)}:${encode(channel)}:${encode(account)}:${encode(peer)}`

/** `{channel}:{account}:{peer}` in the same way: who a sender is, whichever agent he talks to. */
export const toSender = ({ channel, account, peer }: Omit<SessionParts, "agent">): string =>
  [channel, account, peer].map(encode).join(":")

/** The parts that made the key, or undefined where no parts could have made it. */
export function parseSessionKey(key: string): SessionParts | undefined {
  const parts = key.split(":").map(decode)
  const [agent, channel, account, peer] = parts
  if (parts.length !== 4 || !agent || !channel || !account || !peer) return undefined
  const made = { agent, channel, account, peer }
  return toSessionKey(made) === key ? made : undefined
}
