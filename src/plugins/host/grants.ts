/** Which grant covers what a plugin asks for. */
import { resolve } from "node:path"
import { type Capability, coversHost, parseCapability } from "../../config/capability.ts"
import type { Effect, Target } from "../../security/target.ts"

type Capabilities = readonly Capability[]
type Of<T extends Capability["type"]> = Extract<Capability, { type: T }>

const ofType = <T extends Capability["type"]>(capabilities: Capabilities, type: T): Of<T>[] =>
  capabilities.filter((one): one is Of<T> => one.type === type)

/** Folders by their absolute paths, from the folder of the configuration; for the plugin they keep their names. */
export const resolveGrants = (capabilities: Capabilities, folder: string): Capability[] =>
  capabilities.map((one) =>
    one.type === "fs" ? { ...one, path: resolve(folder, one.path), name: one.name ?? one.path } : one,
  )

/** `name` is without the wildcard's "*", and begins with a dot where there was one. */
type HostGrant = { name: string; port: number | undefined }

function toHostGrant(host: string): HostGrant {
  const [name = "", port] = host.toLowerCase().replace(/^\*/, "").split(":")
  return { name, port: port === undefined ? undefined : Number(port) }
}

/** As URL gives them: an IPv4 address in its one spelling, an IPv6 one in brackets. */
const isAddress = (host: string) => /^[\d.]+$|^\[/.test(host)

/** A "*" in an address is a name that somebody's server answers to, and looks like the grant itself. */
const isBelow = (name: string, host: string) =>
  host.length > name.length && host.endsWith(name) && !isAddress(host) && !host.includes("*")

export const isUrlGranted = (capabilities: Capabilities, url: URL): boolean =>
  ofType(capabilities, "http").some((grant) => coversUrl(grant.host, url))

/** Without a port in the grant 443 by https only; with one that port, by http or https. */
function coversUrl(granted: string, { protocol, hostname, port }: URL): boolean {
  const grant = toHostGrant(granted)
  const host = hostname.replace(/\.$/, "")
  const actual = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
  return (
    (grant.name.startsWith(".") ? isBelow(grant.name, host) : grant.name === host) &&
    (grant.port === undefined ? actual === 443 && protocol === "https:" : actual === grant.port) &&
    (protocol === "https:" || protocol === "http:")
  )
}

/** Whether a grant names this very host with its port, so that an address of this machine or its networks is meant. */
export const isPlaceGranted = (capabilities: Capabilities, host: string, port: number): boolean =>
  ofType(capabilities, "http")
    .map((grant) => toHostGrant(grant.host))
    .some((grant) => !grant.name.startsWith(".") && grant.name === host && grant.port === port)

/** One that is kept for each session, where there are both. */
export const findStoreGrant = (capabilities: Capabilities, name: string): Of<"store"> | undefined =>
  ofType(capabilities, "store")
    .filter((one) => one.name === name)
    .sort((a, b) => Number(a.shared) - Number(b.shared))[0]

/** Whether it may be put into a request to there, if that is granted at all. */
export const isSecretGranted = (capabilities: Capabilities, name: string, url: URL): boolean =>
  ofType(capabilities, "secret").some(
    (one) => one.name === name && (one.host === undefined || coversUrl(one.host, url)),
  )

/** Of those that may be put into some request. */
export const secretNames = (capabilities: Capabilities): string[] => [
  ...new Set(ofType(capabilities, "secret").map(({ name }) => name)),
]

/** Whether what is granted has something of what a manifest asks for; both as they are written. */
export function isWishMet(wish: string, granted: readonly string[]): boolean {
  if (granted.includes(wish)) return true
  const wanted = parseCapability(wish)
  if (wanted?.type !== "secret") return false
  return ofType(
    granted.flatMap((text) => parseCapability(text) ?? []),
    "secret",
  ).some(
    ({ name, host }) =>
      name === wanted.name &&
      (host === undefined || wanted.host === undefined || coversHost(host, wanted.host)),
  )
}

/** The secrets that may go to a granted host, for people. */
function secretsFor(capabilities: Capabilities, granted: string): string[] {
  const secrets = ofType(capabilities, "secret")
  return secretNames(capabilities).flatMap((name) => {
    const hosts = secrets.filter((one) => one.name === name).map(({ host = granted }) => host)
    if (hosts.some((host) => coversHost(host, granted))) return [name]
    const narrower = hosts.filter((host) => coversHost(granted, host))
    return narrower.length > 0 ? [`${name} to ${narrower.join(" and ")} alone`] : []
  })
}

/** The folder that the plugin knows by this name; a writable one where there are both. */
export const findFolderGrant = (capabilities: Capabilities, name: string): Of<"fs"> | undefined =>
  ofType(capabilities, "fs")
    .filter((one) => (one.name ?? one.path) === name)
    .sort((a, b) => Number(b.writable) - Number(a.writable))[0]

/** The gravest thing that the grants let a plugin do to the world outside of its own stores. */
export function effectOf(capabilities: Capabilities): Effect {
  const folders = ofType(capabilities, "fs")
  if (folders.some(({ writable }) => writable)) return "write"
  if (ofType(capabilities, "http").length > 0) return "network"
  return folders.length > 0 ? "read" : "none"
}

/** The hosts that the grants open; `toTarget` says how rules see one of them. */
export function hostTargets(
  capabilities: Capabilities,
  toTarget: (place: { host: string; port: number }) => Target,
): Target[] {
  const variables = ofType(capabilities, "env").map(({ name }) => name)
  const told = variables.length > 0 ? `may be told the variables ${variables.join(", ")}` : undefined
  return ofType(capabilities, "http").map(({ host }) => {
    const { name, port = 443 } = toHostGrant(host)
    const secrets = secretsFor(capabilities, host)
    const sent = secrets.length > 0 ? `may be sent the secrets ${secrets.join(", ")}` : undefined
    const is_wildcard = name.startsWith(".")
    const target: Target = is_wildcard
      ? { effect: "network", kind: "host", text: `*${name}:${port}`, covers: true }
      : toTarget({ host: name, port })
    const notes = [target.note, is_wildcard ? `any host below ${name.slice(1)}` : undefined, sent, told]
    const note = notes.filter((one) => one !== undefined).join("; ")
    return { ...target, ...(note !== "" && { note }) }
  })
}

/** The folders that the grants open; `toTarget` says how rules see one of them. */
export const folderTargets = (
  capabilities: Capabilities,
  toTarget: (path: string, effect: "read" | "write") => Target,
): Target[] =>
  ofType(capabilities, "fs").flatMap(({ path, writable }) =>
    (writable ? (["read", "write"] as const) : (["read"] as const)).map((effect) => ({
      ...toTarget(path, effect),
      covers: true as const,
      note: "any file below it",
    })),
  )
