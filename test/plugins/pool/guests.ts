/** Modules that do harm in every way that one function each can, and a pool of real runners to have them in. */
import { readFileSync } from "node:fs"
import type {
  CallRequest,
  HostCalls,
  Module,
  ModuleLimits,
  PluginFailed,
} from "../../../src/plugins/module.ts"
import { openPool, type PoolOptions } from "../../../src/plugins/pool/pool.ts"
import { prepare } from "../../../src/plugins/wasm/prepare.ts"
import { wat } from "../wat.ts"

const handler = "(param $p i32) (param $n i32) (result i64)"
const output = (at: string, length: string) =>
  `(i64.or (i64.shl (i64.extend_i32_u ${at}) (i64.const 32)) (i64.extend_i32_u ${length}))`

/** `more` are functions besides those that a tool needs; what is allocated lies from 64 KiB on. */
export const guest = (more: string, alloc = "(i32.const 65536)"): string => `(module
  (import "weft" "log" (func $log (param i32 i32) (result i32)))
  (import "weft" "store_get" (func $get (param i32 i32) (result i32)))
  (import "weft" "take_result" (func $take (param i32)))
  (memory (export "memory") 4)
  (func (export "weft_alloc") (param i32) (result i32) ${alloc})
  (func (export "describe") (result i64) (i64.const 0))
  (func (export "handle_tool_call") ${handler} ${output("(local.get $p)", "(local.get $n)")})
  ${more})`

const called = (name: string, body: string, locals = "") =>
  `(func $${name} (export "${name}") ${handler} ${locals} ${body})`

export const hostile = guest(`
  (global $calls (mut i32) (i32.const 0))
  ${called(
    "count",
    `(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
     (i32.store8 (i32.const 0) (i32.add (i32.const 48) (global.get $calls)))
     ${output("(i32.const 0)", "(i32.const 1)")}`,
  )}
  ${called(
    "mark",
    `(i32.store8 (i32.const 8) (i32.add (i32.const 48) (i32.load (i32.const 131072))))
     (i32.store (i32.const 131072) (i32.const 7))
     ${output("(i32.const 8)", "(i32.const 1)")}`,
  )}
  ${called("loop", "(loop $l (br $l)) unreachable")}
  ${called("host_loop", "(loop $l (drop (call $log (local.get $p) (i32.const 1))) (br $l)) unreachable")}
  ${called("ask", `(drop (call $get (local.get $p) (local.get $n))) ${output("(local.get $p)", "(i32.const 0)")}`)}
  ${called(
    "fetch",
    `(local.set $got (call $get (local.get $p) (local.get $n)))
     (if (i32.ge_s (local.get $got) (i32.const 0)) (then (call $take (i32.const 1024))))
     (if (i32.lt_s (local.get $got) (i32.const 0)) (then
       (i32.store8 (i32.const 1024) (i32.const 45))
       (i32.store8 (i32.const 1025) (i32.sub (i32.const 48) (local.get $got)))
       (local.set $got (i32.const 2))))
     ${output("(i32.const 1024)", "(local.get $got)")}`,
    "(local $got i32)",
  )}
  ${called("recurse", "(drop (call $recurse (local.get $p) (local.get $n))) (call $recurse (local.get $p) (local.get $n))")}
  ${called("trap", "unreachable")}
  ${called("divide", "(i64.extend_i32_u (i32.div_u (local.get $n) (i32.const 0)))")}
  ${called("outside", "(i64.load (i32.const 0x7ffffff0))")}
  ${called("flood", output("(i32.const 0)", "(i32.const -1)"))}
  ${called("long", output("(i32.const 0)", "(i32.const 100000)"))}
  ${called("beyond", output("(i32.const -16)", "(i32.const 64)"))}
  ${called("negative", "(i64.const -1)")}
  ${called("nowhere", `(call $take (i32.const -4)) ${output("(i32.const 0)", "(i32.const 0)")}`)}
  ${called("wild", `(drop (call $log (i32.const -16) (i32.const 64))) (drop (call $log (i32.const 0) (i32.const -1))) ${output("(local.get $p)", "(i32.const 0)")}`)}
  ${called("hog", "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) (memory.fill (i32.const 0) (i32.const 7) (i32.shl (memory.size) (i32.const 16))) (i64.const 0)")}
`)

/** What is compiled once and never again. */
const made = new Map<string, Uint8Array>()

/** A module under its own name; `text` in WebAssembly's text form, prepared as any plugin is. */
export function moduleOf(plugin: string, text: string = hostile, limits: Partial<ModuleLimits> = {}): Module {
  const all = { timeout_ms: 5000, memory_pages_max: 64, output_bytes_max: 65_536, ...limits }
  const bytes = made.get(text) ?? wat(text)
  made.set(text, bytes)
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  const { memory_pages_max } = all
  return {
    ...{ plugin, engine: "reactor", sha256, limits: all },
    read: async () => prepare(bytes, { engine: "reactor", kind: "tool", memory_pages_max }),
  }
}

export type Asked = Partial<Omit<CallRequest, "input">> & { input?: string }

/** A host that has nothing. */
const refusing: HostCalls = async () => ({ error: "denied" })

export const ask = (name: string, { input = "{}", ...more }: Asked = {}): CallRequest => ({
  ...{ function: name, env: {}, host: refusing, signal: new AbortController().signal },
  input: Buffer.from(input),
  ...more,
})

/** One spare and one for a plugin, unless a test needs something else. */
export const poolOf = (options: Partial<PoolOptions> = {}) =>
  openPool({ processes_max: 2, idle_ms: 60_000, ...options })

export const failureOf = (call: Promise<unknown>): Promise<PluginFailed> =>
  call.then(
    () => Promise.reject(new Error("it did not fail")),
    (thrown) => thrown,
  )

/** A process that is dead and not yet waited for does nothing any more, either. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return false
  }
}

export async function until(holds: () => boolean): Promise<void> {
  const end_ms = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > end_ms) throw new Error("it did not happen within 10 s")
    await new Promise((resolve) => setImmediate(resolve))
  }
}
