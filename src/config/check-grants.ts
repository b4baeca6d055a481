import { capability_forms, grantedHosts, isStray, parseCapability } from "./capability.ts"
import { dangling } from "./dangling.ts"
import type { Finding } from "./problem.ts"
import type { Path } from "./schema-tree.ts"

/** What is wrong with one plugin's grants; undefined stands for those that are no text. */
export function* checkGrants(
  path: Path,
  capabilities: (string | undefined)[],
  secrets: Record<string, unknown> | undefined,
): Generator<Finding> {
  const grants = capabilities.map((text) => (text === undefined ? undefined : parseCapability(text)))
  // One that is misspelt may be the host's.
  const hosts = grants.every((grant) => grant !== undefined) ? grantedHosts(grants) : undefined
  for (const [position, text] of capabilities.entries()) {
    if (text === undefined) continue
    const grant = grants[position]
    const [at, got] = [[...path, position], JSON.stringify(text)]
    if (!grant) {
      const hint = text.startsWith("host_function:") ? host_function_remedy : undefined
      yield { path: at, expected: capability_forms, got, ...(hint && { hint }) }
    } else if (grant.type === "secret" && secrets && !Object.hasOwn(secrets, grant.name)) {
      yield dangling(at, "a value of [secrets]", grant.name, Object.keys(secrets))
    } else if (hosts && isStray(grant, hosts)) {
      const expected = "a host that one of this plugin's http: grants covers"
      const there = hosts.length === 0 ? "none" : hosts.slice(0, 40).join(", ")
      const hint = `grant http:${text.slice(text.indexOf("@") + 1)} as well, or name a granted one; there is ${there}`
      yield { path: at, expected, got, hint }
    }
  }
}

const host_function_remedy =
  "there are no host functions to name here, as Extism has them: build the plugin for WASI preview 1 and grant what " +
  "the function did by http:, store:, env: or fs:"
