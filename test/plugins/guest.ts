/** The host functions as a plugin has them, over a real store, real folders and real sockets. */
import { type Capability, parseCapability } from "../../src/config/capability.ts"
import { openHost } from "../../src/plugins/host/calls.ts"
import { resolveGrants } from "../../src/plugins/host/grants.ts"
import type { HostContext } from "../../src/plugins/host/host.ts"
import type { HostAnswer } from "../../src/plugins/module.ts"
import { openFiles } from "../../src/security/files/files.ts"
import { openFetch } from "../../src/security/web/fetch.ts"
import { openStore, type Store } from "../../src/store/open.ts"

export type GuestOptions = Partial<Omit<HostContext, "capabilities">> & {
  /** As the configuration writes them. */
  grants?: string[]
  secrets?: Record<string, string>
  /** What relative folders start from. */
  folder?: string
  /** The ports of this machine that names and addresses lead to; all else is refused as private. */
  opened?: number[]
}

export type Guest = {
  /** The answer's text, or the error as "error <name>". */
  call(name: string, argument: unknown, bytes?: Uint8Array): Promise<string>
  raw(name: string, argument: Uint8Array): Promise<HostAnswer>
  lines: { message: string; fields: Record<string, unknown> }[]
  store: Store
}

export const toGrants = (texts: readonly string[], folder = "/nonexistent"): Capability[] =>
  resolveGrants(
    texts.map((text) => {
      const grant = parseCapability(text)
      if (!grant) throw new Error(`${text} is no grant`)
      return grant
    }),
    folder,
  )

/** Every name leads to this machine. */
export const toLoopback = async () => [{ address: "127.0.0.1", family: 4 as const }]

export function openGuest({
  grants = [],
  secrets = {},
  folder,
  opened = [],
  store = openStore(":memory:"),
  ...more
}: GuestOptions = {}): Guest {
  const lines: Guest["lines"] = []
  const tell = (message: string, fields: Record<string, unknown> = {}) => void lines.push({ message, fields })
  const host = openHost({
    plugin: "notes",
    agent: "default",
    session_key: "default:ws:default:main",
    signal: new AbortController().signal,
    capabilities: toGrants(grants, folder),
    findSecret: (name) => secrets[name],
    input: new Uint8Array(),
    output_bytes_max: 1 << 20,
    store,
    log: { info: tell, warn: tell },
    now_ms: () => 1,
    fetch: openFetch({
      permit: () => undefined,
      isOpened: (_, port) => opened.includes(port),
      lookup: toLoopback,
    }),
    openFolder: (path, writable) =>
      openFiles({
        workspace: "/nonexistent",
        is_workspace_closed: true,
        read: writable ? [] : [path],
        write: writable ? [path] : [],
      }).for(() => undefined),
    ...more,
  })
  return {
    lines,
    store,
    raw: host,
    async call(name, argument, bytes) {
      const text = typeof argument === "string" ? argument : JSON.stringify(argument)
      const answer = await host(name, name.startsWith("fs_") ? framed(text, bytes) : Buffer.from(text))
      return "error" in answer ? `error ${answer.error}` : new TextDecoder().decode(answer.bytes)
    },
  }
}

function framed(json: string, bytes: Uint8Array = new Uint8Array()): Uint8Array {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(Buffer.byteLength(json))
  return Buffer.concat([head, Buffer.from(json), bytes])
}
