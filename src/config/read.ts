import { readFileSync } from "node:fs"
import { access, open } from "node:fs/promises"
import type { KnownNames } from "./check.ts"
import type { Home } from "./home.ts"
import { type ConfigFiles, type Loaded, loadConfig } from "./load.ts"
import type { Environment, Flag } from "./overrides.ts"
import { toConfigError } from "./problem.ts"
import type { AnySection } from "./section.ts"

export type ReadOptions<L extends readonly AnySection[]> = {
  home: Home
  sections: L
  names: KnownNames
  env?: Environment
  flags?: readonly Flag[]
}

/** Loads the configuration of a home from the disk and the environment. */
export async function readConfig<L extends readonly AnySection[]>(
  options: ReadOptions<L>,
): Promise<Loaded<L> & { text: string }> {
  const { home, sections, names, env = process.env, flags = [] } = options
  const text = await readConfigText(home)
  const loaded = await loadConfig({ text, path: home.config_path, sections, names, files, env, flags })
  return { ...loaded, text }
}

/** A configuration of this size is a mistake (a log, an image), and would be parsed twice. */
const config_bytes_max = 4_194_304

/** The file's text. The default file may be missing, which is the empty configuration; a named one may not. */
export async function readConfigText({ config_path: file, config_named }: Home): Promise<string> {
  const refuse = (expected: string, got: string, cause?: unknown) =>
    toConfigError([{ file, key: "", expected, got }], cause)
  let bytes: Uint8Array
  try {
    // Synchronous: a first asynchronous read would wait for threads to start, which is most of a start.
    bytes = readFileSync(file)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "an error"
    if (code === "ENOENT" && !config_named) return ""
    throw refuse("a file that can be read", code === "ENOENT" ? "no such file" : code, cause)
  }
  if (bytes.length > config_bytes_max) throw refuse("at most 4 MiB", `${bytes.length} bytes`)
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (cause) {
    throw refuse("UTF-8", "other bytes", cause)
  }
}

/** The real files, for `loadConfig` and `providerKey`. */
export const files: ConfigFiles = {
  async readSecretFile(path) {
    try {
      await using file = await open(path)
      const { mode } = await file.stat()
      return {
        text: await file.readFile("utf8"),
        shared: (mode & 0o077) !== 0 && process.platform !== "win32",
      }
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === "ENOENT" || code === "ENOTDIR") return undefined
      return { reason: code ?? "unreadable" }
    }
  },
  async exists(path) {
    return access(path).then(
      () => true,
      () => false,
    )
  },
}
