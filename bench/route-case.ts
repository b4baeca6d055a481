import type { Binding } from "../src/gateway/config.ts"

export type Message = { channel: string; account: string; peer: string; guild?: string; team?: string }

/** How many messages to cycle through; a power of two, so that the index is a mask. */
const message_count = 4096

/** Bindings of every tier, most of them by peer as in real use, and messages of which half match none of them. */
export function routeCase(count: number): { bindings: Binding[]; messages: Message[] } {
  const channels = ["telegram", "discord", "slack", "ws"]
  const channelOf = (i: number) => channels[i % channels.length] ?? "ws"
  const bindings = Array.from({ length: count }, (_, i): Binding => {
    const agent_id = `agent-${i % 16}`
    if (i === 0) return { agent_id, channel: "telegram" }
    if (i % 20 === 1) return { agent_id, channel: channelOf(i), account_id: `account-${i}` }
    if (i % 20 === 2) return { agent_id, channel: channelOf(i), team_id: `team-${i}` }
    if (i % 20 === 3) return { agent_id, channel: channelOf(i), guild_id: `guild-${i}` }
    return { agent_id, channel: channelOf(i), peer_id: `peer-${i}` }
  })
  // A fixed stride that shares no factor with the range visits it in no order a cache could learn.
  const messages = Array.from({ length: message_count }, (_, k): Message => {
    const i = (k * 7919) % (2 * count)
    const more = { guild: `guild-${i}`, team: `team-${i}` }
    return { channel: channelOf(i), account: `account-${i}`, peer: `peer-${i}`, ...(k % 64 < 32 ? more : {}) }
  })
  return { bindings, messages }
}
