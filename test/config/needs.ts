import { type ConfigFiles, type Loaded, loadConfig } from "../../src/config/load.ts"
import type { Environment, Flag } from "../../src/config/overrides.ts"
import type { SecretFile } from "../../src/config/secrets.ts"
import { names as known, sections } from "../../src/registry.ts"

export const names = {
  tools: ["current_time", "session_search", "files", "*"],
  subjects: [
    "current_time",
    "exec",
    "web_fetch",
    "files",
    "*",
    "read",
    "write",
    "execute",
    "network",
    "send",
  ],
  providers: ["anthropic", "openai", "offline"],
  signatures: known.signatures,
}

type Options = { env?: Environment; flags?: Flag[]; secrets?: Record<string, SecretFile>; files?: string[] }

/** Loads a text as /home/weft.toml, with these files beside it and nothing else. */
export function load(text: string, options: Options = {}): Promise<Loaded<typeof sections>> {
  const { env = {}, flags = [], secrets = {}, files = [] } = options
  const disk: ConfigFiles = {
    readSecretFile: async (path) => secrets[path],
    exists: async (path) => files.includes(path),
  }
  return loadConfig({ text, path: "/home/weft.toml", sections, names, files: disk, env, flags })
}
