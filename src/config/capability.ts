/** What a plugin may be granted. */
export type Capability =
  /** Without a port: 443, by https only. */
  | { type: "http"; host: string }
  /** Shared: one for all sessions of an agent, instead of one a session. */
  | { type: "store"; name: string; shared: boolean }
  | { type: "env"; name: string }
  /** Absolute, or relative to the configuration; `name` is the path as it was written, where that is another. */
  | { type: "fs"; path: string; writable: boolean; name?: string }
  /** A value of [secrets] that the host puts into the plugin's requests; the plugin never sees it. */
  | { type: "secret"; name: string }

export const capability_forms =
  "http:<host>, store:<name>, store:<name>:agent, env:<NAME>, fs:<path>:ro|rw or secret:<NAME>"

const host_pattern =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*(:[1-9]\d{0,4})?$/i

const portOf = (host: string): number => Number(host.split(":")[1] ?? 443)

/** Reads one grant as the configuration writes it; undefined for anything else. */
export function parseCapability(text: string): Capability | undefined {
  const colon = text.indexOf(":")
  const [type, value] = [text.slice(0, colon), text.slice(colon + 1)]
  if (colon < 1 || value === "") return undefined
  switch (type) {
    case "http":
      return host_pattern.test(value) && portOf(value) <= 65_535
        ? { type, host: value.toLowerCase() }
        : undefined
    case "store": {
      const [, name, shared] = /^([A-Za-z0-9_.-]+)(:agent)?$/.exec(value) ?? []
      return name ? { type, name, shared: shared !== undefined } : undefined
    }
    case "env":
      return /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? { type, name: value } : undefined
    case "secret":
      return /^[A-Z][A-Z0-9_]*$/.test(value) ? { type, name: value } : undefined
    case "fs": {
      const [, path, mode] = /^(.+):(ro|rw)$/.exec(value) ?? []
      return path ? { type, path, writable: mode === "rw" } : undefined
    }
    default:
      return undefined
  }
}
