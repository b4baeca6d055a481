/** What a plugin may be granted. */
export type Capability =
  | { type: "http"; host: string }
  | { type: "store"; name: string }
  | { type: "env"; name: string }
  | { type: "fs"; path: string; writable: boolean }

export const capability_forms = "http:<host>, store:<name>, env:<NAME> or fs:<path>:ro|rw"

const host_pattern =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*(:\d{1,5})?$/i

/** Reads one grant as the configuration writes it; undefined for anything else. */
export function parseCapability(text: string): Capability | undefined {
  const colon = text.indexOf(":")
  const [type, value] = [text.slice(0, colon), text.slice(colon + 1)]
  if (colon < 1 || value === "") return undefined
  if (type === "http") return host_pattern.test(value) ? { type, host: value.toLowerCase() } : undefined
  if (type === "store") return /^[A-Za-z0-9_.-]+$/.test(value) ? { type, name: value } : undefined
  if (type === "env") return /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? { type, name: value } : undefined
  const [, path, mode] = /^(.+):(ro|rw)$/.exec(value) ?? []
  return type === "fs" && path ? { type, path, writable: mode === "rw" } : undefined
}
