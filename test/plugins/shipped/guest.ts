/** A shipped plugin, built and called in this process: its own tests know nothing of runners. */
import { join } from "node:path"
import { buildPlugins, plugins_folder } from "../../../scripts/plugins.ts"
import { type HostError, host_errors } from "../../../src/plugins/frames.ts"

type Exports = {
  memory: WebAssembly.Memory
  weft_alloc(length: number): number
  _initialize?(): void
  describe(pointer?: number, length?: number): bigint
  handle_tool_call(pointer: number, length: number): bigint
  parse_incoming(pointer: number, length: number): bigint
  format_outgoing(pointer: number, length: number): bigint
}

type Host = (argument: string) => string | HostError
/** What the host functions answer, by their names; what is missing is denied. */
export type Hosts = Record<string, Host>

export type ToolAnswer = { content: string; is_error: boolean }

export type Guest = {
  describe(): unknown
  call(name: string, input: unknown, hosts?: Hosts): ToolAnswer
  parseIncoming(payload: Uint8Array | string, hosts?: Hosts): Record<string, unknown>
  formatOutgoing(message: unknown, hosts?: Hosts): string
}

/** undefined where its compiler is not on this machine. */
export async function openGuest(name: string): Promise<Guest | undefined> {
  const { skipped } = await buildPlugins([name])
  if (skipped.length > 0) return undefined
  const module = await WebAssembly.compile(await Bun.file(join(plugins_folder, `${name}.wasm`)).arrayBuffer())
  const run = (name: keyof Exports, input: Uint8Array, hosts: Hosts = {}) =>
    runExport(module, name, input, hosts)
  return {
    describe: () => JSON.parse(run("describe", new Uint8Array())),
    call: (name, input, hosts) =>
      JSON.parse(run("handle_tool_call", Buffer.from(JSON.stringify({ name, input })), hosts)),
    parseIncoming: (payload, hosts) => JSON.parse(run("parse_incoming", Buffer.from(payload), hosts)),
    formatOutgoing: (message, hosts) => run("format_outgoing", Buffer.from(JSON.stringify(message)), hosts),
  }
}

/** In an instance of its own, as the ABI says. */
function runExport(module: WebAssembly.Module, name: keyof Exports, input: Uint8Array, hosts: Hosts): string {
  let result = new Uint8Array()
  const bytes = () => new Uint8Array(exports.memory.buffer)
  const answers = (host: Host | undefined) => (pointer: number, length: number) => {
    const argument = new TextDecoder().decode(bytes().slice(pointer, pointer + length))
    const answer = host ? host(argument) : "denied"
    if (Object.hasOwn(host_errors, answer)) return host_errors[answer as HostError]
    result = new TextEncoder().encode(answer)
    return result.length
  }
  const weft = new Proxy(
    {},
    {
      get: (_, name: string) =>
        name === "take_result" ? (pointer: number) => bytes().set(result, pointer) : answers(hosts[name]),
    },
  )
  const abort = (message: number) => {
    const units = new Uint32Array(exports.memory.buffer, message - 4, 1)[0]! / 2
    const text = new Uint16Array(exports.memory.buffer.slice(message, message + units * 2))
    throw new Error(`the plugin gave up: ${String.fromCharCode(...text)}`)
  }
  const wasi = new Proxy({}, { get: () => () => 52 })
  const instance = new WebAssembly.Instance(module, { env: { abort }, weft, wasi_snapshot_preview1: wasi })
  const exports = instance.exports as Exports
  exports._initialize?.()
  const at = exports.weft_alloc(input.length) >>> 0
  bytes().set(input, at)
  const packed = BigInt.asUintN(64, (exports[name] as Exports["describe"])(at, input.length))
  const [pointer, length] = [Number(packed >> 32n), Number(packed & 0xffff_ffffn)]
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes().slice(pointer, pointer + length))
}
