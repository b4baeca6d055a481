import { dirname, join } from "node:path"
import type { Environment } from "./overrides.ts"
import { absolutePath } from "./paths.ts"
import { type Finding, toConfigError } from "./problem.ts"
import type { SecretUse } from "./shape.ts"

/** A file with a secret; `shared`: others than its owner may read it; `reason`: why it cannot be read. */
export type SecretFile = { text: string; shared: boolean; reason?: never } | { reason: string }

/** Answers undefined when there is no such file. */
export type ReadSecretFile = (path: string) => Promise<SecretFile | undefined>

export type Sources = { config_path: string; env: Environment; readSecretFile: ReadSecretFile }

export type ResolvedSecret = { value?: string; problem?: Finding; warning?: Finding }

/** The value behind a reference. A secret that is not there is a problem, one that others can read a warning. */
export async function resolveSecret(use: SecretUse, sources: Sources): Promise<ResolvedSecret> {
  const { path, written, literalExpected } = use
  if (typeof written === "string") {
    if (literalExpected) return { value: written }
    const expected = '{ env = "NAME" } or { file = "path" }'
    return { value: written, warning: { path, expected, got: "the secret itself" } }
  }
  if ("env" in written) {
    const value = sources.env[written.env]
    if (value) return { value }
    const expected = `the environment variable ${written.env} to hold a value`
    return { problem: { path, expected, got: value === undefined ? "nothing" : "an empty one" } }
  }
  const file = absolutePath(written.file, dirname(sources.config_path), sources.env)
  const read = await sources.readSecretFile(file)
  const value = read && "text" in read ? read.text.replace(/\r?\n$/, "") : undefined
  if (!value) {
    const got = read === undefined ? "no such file" : (read.reason ?? "an empty file")
    return { problem: { path, expected: `a secret in ${file}`, got } }
  }
  if (!(read && "shared" in read && read.shared)) return { value }
  return { value, warning: { path, expected: `a file that only its owner can read; chmod 600 ${file}` } }
}

export type ProviderKey = { key: string; from: string; shared: boolean }

/**
 * The key of a provider whose configuration has none: the first of its usual `variables` that is set, else
 * `credentials/<name>.key` in the home. `from` says where it was found, for people.
 */
export async function providerKey(
  name: string,
  variables: readonly string[],
  { env, home, readSecretFile }: { env: Environment; home: string; readSecretFile: ReadSecretFile },
): Promise<ProviderKey | undefined> {
  for (const variable of variables) {
    const key = env[variable]?.trim()
    if (key) return { key, from: variable, shared: false }
  }
  const file = credentialPath(home, name)
  const read = await readSecretFile(file)
  if (read?.reason !== undefined) {
    throw toConfigError([{ file, key: "", expected: "a key that can be read", got: read.reason }])
  }
  const key = read?.text.trim()
  return read && key ? { key, from: file, shared: read.shared } : undefined
}

export const credentialPath = (home: string, provider: string): string =>
  join(home, "credentials", `${provider}.key`)
