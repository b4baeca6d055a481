import type { Permit } from "./target.ts"

export type FetchRequest = {
  /** http: or https: */
  url: string
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Of the decoded body; more is cut off and said. */
  bytes_max?: number
  timeout_ms?: number
  signal?: AbortSignal
}

export type Fetched = {
  /** Where the last redirect led. */
  url: string
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Uint8Array
  /** Whether the body goes on beyond `bytes_max`. */
  cut: boolean
  duration_ms: number
}

/**
 * The one way to a host that a model, a plugin or a stranger named. Each hop asks `permit` with `{effect: "network",
 * kind: "host", text: "host:port"}` before anything is looked up; the address is classified when it is connected to.
 * Throws ToolDenied for what the policy refuses, and Error with a sentence for the model for what failed.
 */
export type GuardedFetch = (request: FetchRequest) => Promise<Fetched>

export type FetchPolicy = {
  permit: Permit
  /** Whether the operator opened this very host and port, so that a private or loopback address is meant. */
  isOpened(host: string, port: number): boolean
  /** For tests: what a name resolves to. */
  lookup?: (host: string) => Promise<{ address: string; family: 4 | 6 }[]>
}
