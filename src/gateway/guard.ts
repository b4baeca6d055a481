import { networkInterfaces } from "node:os"
import ipaddr from "ipaddr.js"
import { AppError } from "../base/errors.ts"
import type { GatewayConfig } from "./config.ts"

export type Refusal = { status: 400 | 403; reason: string }

export type Guard = {
  /** Undefined where the request may come in. Looks at Host and, where there is one, Origin. */
  refuse(headers: Headers): Refusal | undefined
  /** The address of the client: the socket's, or what a trusted proxy says. */
  clientAddress(socket_address: string, headers: Headers): string
}

const loopback_names = ["localhost", "127.0.0.1", "[::1]"]

/**
 * Keeps a browser from being used against the gateway: a page of another origin carries that Origin, and a name that
 * was rebound to our address carries that Host.
 */
export function openGuard({ bind, hosts, origins, trusted_proxies }: GatewayConfig): Guard {
  const names = new Set([...loopback_names, ...boundNames(bind), ...hosts.map((host) => host.toLowerCase())])
  const allowed_origins = new Set(origins.map((origin) => origin.toLowerCase()))
  const proxies = trusted_proxies.map(toRange)

  const isProxy = (address: string) => proxies.some((range) => isInside(address, range))
  return {
    refuse(headers) {
      const host = headers.get("host")
      if (host === null || host.includes(","))
        return { status: 400, reason: "exactly one Host header is needed" }
      const name = hostName(host)
      if (name === undefined || !names.has(name))
        return { status: 403, reason: "Host is not in gateway.hosts" }
      const origin = headers.get("origin")?.toLowerCase()
      if (origin === undefined || allowed_origins.has(origin)) return undefined
      const same = origin === `http://${host.toLowerCase()}` || origin === `https://${host.toLowerCase()}`
      return same ? undefined : { status: 403, reason: "Origin is not in gateway.origins" }
    },
    clientAddress(socket_address, headers) {
      if (!isProxy(socket_address)) return socket_address
      // From the right, each proxy vouches for the one before it; the first that is not ours is the client.
      const chain = (headers.get("x-forwarded-for") ?? "").split(",").map((one) => one.trim())
      for (const address of chain.reverse()) {
        if (!ipaddr.isValid(address)) return socket_address
        if (!isProxy(address)) return address
      }
      return socket_address
    },
  }
}

/** Host without its port, lower case and without a final dot; undefined where it is not one. */
function hostName(host: string): string | undefined {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+?)\.?(:\d{1,5})?$/i.exec(host)
  return found?.[1]?.toLowerCase()
}

/** An address that no DNS name can be rebound to: on a bind to everything, each of this machine's own. */
function boundNames(bind: string): string[] {
  const everything = bind === "0.0.0.0" || bind === "::"
  const addresses = everything
    ? Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address))
    : [bind]
  return addresses.map((address) => (address.includes(":") ? `[${address}]` : address).toLowerCase())
}

export const isLoopback = (bind: string): boolean =>
  bind === "localhost" || (ipaddr.isValid(bind) && ipaddr.process(bind).range() === "loopback")

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

function toRange(text: string): Range {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text)
  if (!ipaddr.isValid(text)) {
    throw new AppError("invalid_config", {
      key: "gateway.trusted_proxies",
      expected: "an address or a CIDR range",
      got: text,
    })
  }
  const address = ipaddr.process(text)
  return [address, address.kind() === "ipv4" ? 32 : 128]
}

function isInside(address: string, [range, bits]: Range): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return parsed.kind() === range.kind() && parsed.match(range, bits)
}
