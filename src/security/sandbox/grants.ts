/** What every program may read to run at all: the system's own roots, and nothing that belongs to a person. */
import { existsSync, readdirSync, realpathSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { isWithin } from "./environment.ts"

const system_folders = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/nix/store",
  "/gnu/store",
]

/** Of /etc by name. Not /etc itself: it also holds passwords, keys and what administrators wrote down. */
const system_files = `
  alternatives ca-certificates ca-certificates.conf crypto-policies debian_version fonts gai.conf gitconfig group
  host.conf hostname hosts ld-musl-aarch64.path ld-musl-x86_64.path ld.so.cache ld.so.conf ld.so.conf.d
  locale.alias locale.conf localtime lsb-release machine-info magic mime.types nsswitch.conf os-release passwd
  pki/ca-trust pki/tls/cert.pem pki/tls/certs pki/tls/openssl.cnf protocols python3 resolv.conf rpc services
  ssl/cert.pem ssl/certs ssl/openssl.cnf terminfo timezone xattr.conf`
  .trim()
  .split(/\s+/)
  .map((name) => `/etc/${name}`)

const harmless_devices = ["/dev/random", "/dev/urandom"]
const used_devices = ["/dev/null", "/dev/zero", "/dev/full"]
/** How many processors there are; runtimes size their pools by it. */
const machine = ["/sys/devices/system/cpu"]

/** Folders named so lie in what was installed as one. */
const program_folders = new Set(["bin", "sbin", "shims", "libexec"])
/** Where a person's programs are mixed with a person's data: of these the folder of programs alone. */
const mixed_prefixes = new Set([".local", ".cargo", ".config", ".cache"])

export type SystemGrants = { read: string[]; write: string[] }

/** Without the folders of `own`, the gateway's, should they lie in the system's. */
export function systemGrants(own: readonly string[]): SystemGrants {
  const read = [...system_folders, ...system_files, ...harmless_devices, ...machine]
  return {
    read: read.filter((path) => existsSync(path)).flatMap((path) => grantAround(path, own)),
    write: used_devices.filter((path) => existsSync(path)),
  }
}

/** The path itself, or what lies in it next to what must not be granted. */
function grantAround(path: string, own: readonly string[]): string[] {
  const real = realpathSync(path)
  if (own.some((folder) => isWithin(real, folder))) return []
  if (!own.some((folder) => isWithin(folder, real))) return [path]
  const entries = readdirSync(real).map((name) => join(real, name))
  return entries.filter((entry) => existsSync(entry)).flatMap((entry) => grantAround(entry, own))
}

/**
 * What a folder of PATH takes to be of use: itself, and the whole of what is installed there (`/opt/x` for `/opt/x/bin`,
 * `~/.nvm/versions/node/v24` for its `bin`), unless that is a mixed place or holds one of `hidden` (a person's home, the
 * gateway's own).
 */
export function pathGrants(folders: readonly string[], hidden: readonly string[]): string[] {
  const grants = folders.flatMap((folder) => {
    const real = realpathSync(folder)
    return [folder, real, ...(prefixOf(real, hidden) ?? [])]
  })
  return grants.filter((path) => !hidden.some((folder) => isWithin(folder, path)))
}

/** The same for one program that lies elsewhere: its file, what that links to, and where it is installed. */
export function programGrants(program: string, hidden: readonly string[]): string[] {
  // That it is not there is said when it is executed.
  if (!existsSync(program)) return []
  const real = realpathSync(program)
  return [program, real, ...(prefixOf(dirname(real), hidden) ?? [])]
}

function prefixOf(folder: string, hidden: readonly string[]): string[] | undefined {
  if (!program_folders.has(basename(folder))) return undefined
  const prefix = dirname(folder)
  const name = basename(prefix)
  if (prefix === "/" || mixed_prefixes.has(name)) return undefined
  // What somebody works on is not installed. Where people check programs out to install them, the name has a dot.
  if (!name.startsWith(".") && existsSync(join(prefix, ".git"))) return undefined
  return ["/root", "/home", ...hidden].some((path) => isWithin(path, prefix)) ? undefined : [prefix]
}
