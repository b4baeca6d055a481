/** The two files of a plugin as they lie on the disk. */
import { type BigIntStats, constants, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { format, parse } from "node:path"
import { manifest_bytes_max } from "../description/manifest.ts"
import { module_bytes_max } from "../wasm/prepare.ts"

export type PluginFiles = {
  module: Uint8Array
  sha256: string
  /** The manifest's text; undefined where there is none. */
  manifest: string | undefined
  /** "" where there is none. */
  manifest_sha256: string
}

/** Why files are not read at all: a sentence for the operator. */
export class FilesRefused extends Error {
  override name = "FilesRefused"
}

/** A file that was written within this time may be written again without another time stamp. */
const young_ms = 100

/** `x.toml` beside `x.wasm`. */
export const manifestPath = (path: string): string => {
  const { dir, name } = parse(path)
  return format({ dir, name, ext: ".toml" })
}

/** Reads and hashes both. undefined where there is no module. Throws FilesRefused. */
export async function readFiles(path: string): Promise<PluginFiles | undefined> {
  const module = await readBounded(path, module_bytes_max)
  if (!module) return undefined
  const manifest = await readBounded(manifestPath(path), manifest_bytes_max)
  return {
    module,
    sha256: sha256(module),
    manifest: manifest && new TextDecoder().decode(manifest),
    manifest_sha256: manifest ? sha256(manifest) : "",
  }
}

/**
 * Says cheaply whether one of the files may be another one than before: the same text means the same files. A file that is
 * too young for that has a text that is never the same.
 */
export function stampOf(path: string, now_ms: number): string {
  return [path, manifestPath(path)].map((one) => stampOfOne(one, now_ms)).join(" ")
}

function stampOfOne(path: string, now_ms: number): string {
  const stat = statOf(path)
  if (!stat) return "-"
  const { dev, ino, size, mtimeNs, ctimeNs } = stat
  const is_young = Number(ctimeNs / 1_000_000n) > now_ms - young_ms
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}${is_young ? `:${performance.now()}` : ""}`
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (thrown) {
    // A folder that may not be entered and a ring of links: reading it says which.
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}

const sha256 = (bytes: Uint8Array): string => new Bun.CryptoHasher("sha256").update(bytes).digest("hex")

async function readBounded(path: string, bytes_max: number): Promise<Uint8Array | undefined> {
  try {
    // A named pipe would have this wait for whoever writes into it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = await file.stat()
    if (!stat.isFile()) throw new FilesRefused(`${path} is not a file`)
    if (stat.size > bytes_max) {
      throw new FilesRefused(`${path} has ${stat.size} bytes, and ${bytes_max} is the most that is read`)
    }
    const bytes = new Uint8Array(stat.size)
    let done = 0
    while (done < bytes.length) {
      const { bytesRead: count } = await file.read(bytes, done, bytes.length - done, done)
      // Somebody makes it shorter; what that comes to is seen at the next look.
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  } catch (thrown) {
    if (thrown instanceof FilesRefused) throw thrown
    const { code } = thrown as NodeJS.ErrnoException
    if (code === undefined) throw thrown
    if (code === "ENOENT" || code === "ENOTDIR") return undefined
    throw new FilesRefused(`${path} cannot be read: ${code}`)
  }
}
