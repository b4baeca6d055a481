import { lookup as lookupName } from "node:dns/promises"
import { isIP } from "node:net"
import { type Target, ToolDenied } from "../target.ts"
import { type AddressClass, classify, isEmbedding } from "./address.ts"
import type { FetchPolicy } from "./fetch.ts"

/** A host as it is compared, resolved and named: lower case, without a final dot, IPv6 in brackets. */
export type Place = { host: string; port: number }

/** Names of this machine, of the network around it and of the metadata services; whatever they resolve to. */
const local_names = /^(?:.+\.)?(?:localhost|localdomain|local|internal)$/
const metadata_names = /^(?:.+\.)?metadata(?:\.google\.internal|\.goog)?$|^instance-data(?:\.ec2\.internal)?$/

/** What DNS can carry. */
const host_chars_max = 253

const described: Record<Exclude<AddressClass, "public">, string> = {
  loopback: "this machine",
  private: "a private network",
  link_local: "the local link",
  metadata: "a cloud's metadata service",
  multicast: "a multicast group",
  reserved: "a reserved address",
  embedded: "an IPv4 address in an IPv6 one",
}

/** Throws Error where the text is no host with a port; `https` and `http` give the port that is not said. */
export function toPlace({ protocol, hostname, port }: URL): Place {
  const host = hostname.replace(/\.$/, "")
  // A rule that names a host does not know it with more dots, but whoever looks it up may.
  if (host === "" || host.length > host_chars_max || /^\.|\.\.|\.$/.test(host))
    throw new Error("The URL names no host.")
  return { host, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) }
}

/** As rules and people see it, with a note where the text itself says that it is not the public internet. */
export function toHostTarget({ host, port }: Place): Target {
  const note = noteOn(host)
  return { effect: "network", kind: "host", text: `${host}:${port}`, ...(note && { note }) }
}

function noteOn(host: string): string | undefined {
  if (metadata_names.test(host)) return described.metadata
  if (/^(?:.+\.)?localhost$/.test(host)) return described.loopback
  if (local_names.test(host)) return described.private
  const address = toAddress(host)
  const found = address === undefined ? "public" : classify(address)
  return found === "public" ? undefined : described[found]
}

const toAddress = (host: string): string | undefined => {
  const bare = host.replace(/^\[|\]$/g, "")
  return isIP(bare) ? bare : undefined
}

/**
 * The addresses of a host that may be connected to, each of them checked, for exactly one connection: whoever resolves
 * again may get others. Throws ToolDenied where the policy does not permit the host or one of its addresses is not
 * public, and Error where there is no such name.
 */
export async function resolvePlace(
  policy: FetchPolicy,
  place: Place,
  signal: AbortSignal,
): Promise<string[]> {
  policy.permit(toHostTarget(place))
  const { host, port } = place
  const opened = policy.isOpened(host, port)
  if (metadata_names.test(host) || (local_names.test(host) && !opened)) throw refusal(place, noteOn(host)!)
  const literal = toAddress(host)
  const addresses = literal ? [literal] : await lookupWithin(policy, host, signal)
  for (const address of addresses) {
    const found = classify(address)
    if (found === "public") continue
    const lifted = opened && (found === "loopback" || found === "private") && !isEmbedding(address)
    if (!lifted) throw refusal(place, described[found])
  }
  return addresses
}

const refusal = ({ host, port }: Place, what: string) =>
  new ToolDenied(
    `${host} leads to ${what}, which is not on the public internet and therefore refused. ` +
      `Only the operator can open ${host}:${port}; do not look for another way to it.`,
  )

async function lookupWithin(policy: FetchPolicy, host: string, signal: AbortSignal): Promise<string[]> {
  const { lookup = (name: string) => lookupName(name, { all: true }) } = policy
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener("abort", stop)
  try {
    const answers = await Promise.race([lookup(host), stopped.promise])
    if (answers.length === 0) throw new Error(`There is no address for ${host}.`)
    return answers.map(({ address }) => address)
  } catch (thrown) {
    if (signal.aborted) throw signal.reason
    throw new Error(`There is no host named ${host}, or it could not be looked up. Check the spelling.`, {
      cause: thrown,
    })
  } finally {
    signal.removeEventListener("abort", stop)
  }
}
