/** A shipped plugin, built, and called in a runner of its own within the limits of its manifest. */

import { readManifest } from "../../../src/plugins/description/manifest.ts"
import { type HostError, host_errors } from "../../../src/plugins/frames.ts"
import type { CallResult, HostCalls, Module } from "../../../src/plugins/module.ts"
import type { Manifest } from "../../../src/plugins/plugin.ts"
import { openPool } from "../../../src/plugins/pool/pool.ts"
import { prepare } from "../../../src/plugins/wasm/prepare.ts"
import { readBuilt } from "./built.ts"

/** What the host functions answer, by their names: a result or the name of an error. What is missing is denied. */
export type Hosts = Record<string, (argument: string) => string | HostError>

export type ToolAnswer = { content: string; is_error: boolean }

export type Guest = AsyncDisposable & {
  manifest: Manifest
  describe(): Promise<unknown>
  call(name: string, input: unknown, hosts?: Hosts): Promise<ToolAnswer>
  parseIncoming(payload: Uint8Array | string): Promise<Record<string, unknown>>
  formatOutgoing(message: unknown): Promise<string>
  /** Of a program. */
  run(args: string[], stdin: string): Promise<CallResult>
}

/** Throws where its compiler is not on this machine: tests ask for that before. */
export async function openGuest(name: string): Promise<Guest> {
  const built = await readBuilt(name)
  const manifest = await readManifest(built.manifest, `${name}.toml`)
  const { engine, kind, limits } = manifest
  const prepared = async () =>
    prepare(built.module, { engine, kind, memory_pages_max: limits.memory_pages_max })
  const module: Module = { plugin: name, engine, sha256: name, limits, read: prepared }
  const pool = openPool({ processes_max: 1, idle_ms: 60_000 })
  const run = async (of: string, input: string | Uint8Array, hosts: Hosts = {}, args?: string[]) =>
    await pool.call(module, {
      function: of,
      input: Buffer.from(input),
      env: {},
      ...(args && { args }),
      host: answering(hosts),
      signal: AbortSignal.timeout(60_000),
    })
  const text = async (of: string, input: string | Uint8Array, hosts?: Hosts) =>
    new TextDecoder("utf-8", { fatal: true }).decode((await run(of, input, hosts)).output)
  return {
    manifest,
    describe: async () => JSON.parse(await text("describe", "")),
    call: async (name, input, hosts) =>
      JSON.parse(await text("handle_tool_call", JSON.stringify({ name, input }), hosts)),
    parseIncoming: async (payload) => JSON.parse(await text("parse_incoming", payload)),
    formatOutgoing: async (message) => await text("format_outgoing", JSON.stringify(message)),
    run: (args, stdin) => run("", stdin, {}, args),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}

function answering(hosts: Hosts): HostCalls {
  return async (name, argument) => {
    const answer = hosts[name]?.(new TextDecoder().decode(argument)) ?? "denied"
    if (Object.hasOwn(host_errors, answer)) return { error: answer as HostError }
    return { bytes: new TextEncoder().encode(answer) }
  }
}
