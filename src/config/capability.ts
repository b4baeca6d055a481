/** What a plugin may be granted. */
export type Capability =
  /** Without a port: 443, by https only. */
  | { type: "http"; host: string }
  /** Shared: one for all sessions of an agent, instead of one a session. */
  | { type: "store"; name: string; shared: boolean }
  | { type: "env"; name: string }
  /** Absolute, or relative to the configuration; `name` is the path as it was written, where that is another. */
  | { type: "fs"; path: string; writable: boolean; name?: string }
  /**
   * A value of [secrets] that the host puts into the plugin's requests; the plugin never sees it. `host` as for http:
   * into those to there alone; without one, into those to every host that it is granted.
   */
  | { type: "secret"; name: string; host?: string }

export const capability_forms =
  "http:<host>, store:<name>, store:<name>:agent, env:<NAME>, fs:<path>:ro|rw, secret:<NAME> or secret:<NAME>@<host>"

const host_pattern =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*(:[1-9]\d{0,4})?$/i

const portOf = (host: string): number => Number(host.split(":")[1] ?? 443)

const isHost = (text: string): boolean => host_pattern.test(text) && portOf(text) <= 65_535

/** Whether all that one host of a grant stands for, at its port, is also meant by another. */
export function coversHost(wide: string, narrow: string): boolean {
  if (portOf(wide) !== portOf(narrow)) return false
  const [one = "", other = ""] = [wide, narrow].map((host) => host.split(":")[0])
  if (one === other) return true
  // What ends in digits is an address, which is not below anything.
  return one.startsWith("*.") && other.endsWith(one.slice(1)) && !/^[\d.]+$/.test(other)
}

export const grantedHosts = (grants: readonly (Capability | undefined)[]): string[] =>
  grants.flatMap((grant) => (grant?.type === "http" ? [grant.host] : []))

/** Whether it is a secret's grant for a host that the plugin cannot reach. */
export function isStray(grant: Capability, hosts: readonly string[]): boolean {
  if (grant.type !== "secret" || grant.host === undefined) return false
  const { host } = grant
  return !hosts.some((one) => coversHost(one, host))
}

/** Reads one grant as the configuration writes it; undefined for anything else. */
export function parseCapability(text: string): Capability | undefined {
  const colon = text.indexOf(":")
  const [type, value] = [text.slice(0, colon), text.slice(colon + 1)]
  if (colon < 1 || value === "") return undefined
  switch (type) {
    case "http":
      return isHost(value) ? { type, host: value.toLowerCase() } : undefined
    case "store": {
      const [, name, shared] = /^([A-Za-z0-9_.-]+)(:agent)?$/.exec(value) ?? []
      return name ? { type, name, shared: shared !== undefined } : undefined
    }
    case "env":
      return /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? { type, name: value } : undefined
    case "secret": {
      const [, name, host] = /^([A-Z][A-Z0-9_]*)(?:@(.+))?$/.exec(value) ?? []
      if (name === undefined || host === undefined) return name ? { type, name } : undefined
      return isHost(host) ? { type, name, host: host.toLowerCase() } : undefined
    }
    case "fs": {
      const [, path, mode] = /^(.+):(ro|rw)$/.exec(value) ?? []
      return path ? { type, path, writable: mode === "rw" } : undefined
    }
    default:
      return undefined
  }
}
