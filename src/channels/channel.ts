/** The channels of the configuration: who may write there, and what their adapters' requests may carry. */
import type { FindSecret } from "../plugins/host/secrets.ts"
import { type ChannelConfig, type ChannelsConfig, Channel as Fields } from "./config.ts"
import { schemes } from "./schemes.ts"
import type { CheckBody } from "./signature.ts"

export type Channel = {
  id: string
  /** The name of its adapter's plugin. */
  plugin: string
  acknowledge: "when_done" | "at_once"
  /**
   * Looks at the headers alone. undefined: it cannot be the platform's, and its body is not read. The answer holds the
   * signature to the body as it came, and names what makes the delivery the same one as another; undefined where it is
   * wrong.
   */
  admit(headers: Headers, now_ms: number): ((body: Uint8Array) => Promise<string | undefined>) | undefined
  /** What to answer to a platform's question by GET; undefined for whom it is not. */
  challenge?(query: URLSearchParams): string | undefined
  /** A field of the channel's own table that is nobody else's business. */
  findField: FindSecret
}

/** By name; a table without a plugin or a signature is no channel that somebody can write to. */
export type Channels = ReadonlyMap<string, Channel>

export function openChannels(config: ChannelsConfig): Channels {
  const channels = Object.entries(config).map(([id, fields]) => openChannel(id, fields))
  return new Map(channels.flatMap((channel) => (channel ? [[channel.id, channel]] : [])))
}

const secret_chars_min = 16

/** For people: what works, and could be guessed by who has seen one signed request, or is right in two places. */
export function weakSecrets(config: ChannelsConfig): string[] {
  const first = new Map<string, string>()
  return Object.entries(config).flatMap(([id, { secret }]) => {
    if (secret === undefined) return []
    const twin = first.get(secret)
    first.set(secret, twin ?? id)
    return [
      ...(secret.length < secret_chars_min
        ? [
            `channels.${id}.secret: a secret of less than ${secret_chars_min} characters can be guessed; where the platform lets you choose it, take a longer one`,
          ]
        : []),
      ...(twin !== undefined
        ? [
            `channels.${id}.secret: the same as that of channels.${twin}; a request that is signed for one is right at the other; where the platform lets you choose it, give each its own`,
          ]
        : []),
    ]
  })
}

function openChannel(id: string, fields: ChannelConfig): Channel | undefined {
  const { plugin, signature, secret, acknowledge = "when_done" } = fields
  // With an empty one everybody's signature is right. The configuration lets none through; this is the last door.
  if (secret === "") return undefined
  const scheme = schemes.find(({ name }) => name === signature)
  if (!scheme || plugin === undefined || scheme.check(fields).length > 0) return undefined
  const admit = scheme.open(fields)
  const { challenge } = scheme
  return {
    ...{ id, plugin, acknowledge },
    admit(headers, now_ms) {
      const check = admit(headers, now_ms)
      return check && ((body) => deliveryOf(check, body))
    },
    ...(challenge && { challenge: (query: URLSearchParams) => challenge(fields, query) }),
    findField: (name) => ownField(fields, name),
  }
}

/** Hashed over the bytes that were signed, so that nothing but what was signed makes two deliveries one. */
async function deliveryOf(check: CheckBody, body: Uint8Array): Promise<string | undefined> {
  const delivery = await check(body)
  if (!delivery) return undefined
  const hasher = new Bun.CryptoHasher("sha256")
  if ("id" in delivery) hasher.update(`id\0${delivery.id}`)
  else hasher.update(`body\0${delivery.timestamp}\0`).update(body)
  return hasher.digest("hex")
}

function ownField(fields: Record<string, unknown>, name: string): string | undefined {
  const value =
    Object.hasOwn(fields, name) && !Object.hasOwn(Fields.properties, name) ? fields[name] : undefined
  return typeof value === "string" ? value : undefined
}
