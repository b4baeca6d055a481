/** Programs for tests, and what it takes to run one: a pool, as the gateway has it, from sources or of an executable. */
import type { Call } from "../../src/plugins/frames.ts"
import type { Module, ModuleLimits } from "../../src/plugins/module.ts"
import { PluginFailed } from "../../src/plugins/module.ts"
import type { Folder } from "../../src/plugins/packing.ts"
import { openPool } from "../../src/plugins/pool/pool.ts"
import { prepare } from "../../src/plugins/wasm/prepare.ts"
import { wat } from "./wat.ts"

export type Ran =
  | { output: string; exit_code: number; stderr: string; folders: Folder[] }
  | { failed: string; message: string; stderr: string }

type Running = Partial<Pick<Call, "args" | "env">> & {
  folders?: Folder[]
  input?: string | Uint8Array
  signal?: AbortSignal
}

/** One pool for all programs of a test. */
export function openPrograms({ command, ...limits }: { command?: string[] } & Partial<ModuleLimits> = {}) {
  const pool = openPool({ processes_max: 2, idle_ms: 60_000, ...(command && { command }) })
  return {
    pool,
    async run(
      bytes: Uint8Array,
      { input = "", args = [], env = {}, folders = [], signal }: Running = {},
    ): Promise<Ran> {
      const request = { function: "", args, env, folders, input: Buffer.from(input) }
      try {
        const { output, exit_code, stderr, ...more } = await pool.call(toModule(bytes, limits), {
          ...request,
          host: async () => ({ error: "unknown" }),
          signal: signal ?? new AbortController().signal,
        })
        return {
          output: Buffer.from(output).toString(),
          exit_code: exit_code!,
          stderr,
          folders: more.folders!,
        }
      } catch (thrown) {
        if (!(thrown instanceof PluginFailed)) throw thrown
        return { failed: thrown.kind, message: thrown.message, stderr: thrown.stderr }
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}

export type Programs = ReturnType<typeof openPrograms>

function toModule(bytes: Uint8Array, limits: Partial<ModuleLimits>): Module {
  const whole = { timeout_ms: 20_000, memory_pages_max: 64, output_bytes_max: 1 << 20, ...limits }
  return {
    ...{ plugin: "program", engine: "wasmer", limits: whole },
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    read: async () => prepare(bytes, { engine: "wasmer", memory_pages_max: whole.memory_pages_max }),
  }
}

export const folder = (path: string, writable: boolean, files: Record<string, string>): Folder => ({
  path,
  writable,
  files: Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)]),
  ),
})

const preview_1 = (name: string, parameters: string) =>
  `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) (result i32)))`

/** A program of these instructions, with the usual functions of WASI. 0 to 1023 is scratch. */
export const program = (body: string, { imports = "", more = "", memory = "2 64" } = {}): Uint8Array =>
  wat(`(module
    ${preview_1("args_get", "i32 i32")}
    ${preview_1("environ_get", "i32 i32")}
    ${preview_1("environ_sizes_get", "i32 i32")}
    ${preview_1("fd_read", "i32 i32 i32 i32")}
    ${preview_1("fd_write", "i32 i32 i32 i32")}
    ${preview_1("fd_close", "i32")}
    ${preview_1("fd_prestat_get", "i32 i32")}
    ${preview_1("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32")}
    ${preview_1("path_create_directory", "i32 i32 i32")}
    ${preview_1("path_unlink_file", "i32 i32 i32")}
    ${preview_1("path_rename", "i32 i32 i32 i32 i32 i32")}
    ${preview_1("path_symlink", "i32 i32 i32 i32 i32")}
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32)))
    ${imports}
    (memory (export "memory") ${memory})
    (func $length (param $at i32) (result i32) (local $n i32)
      (loop $next
        (if (i32.load8_u (i32.add (local.get $at) (local.get $n)))
          (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $next))))
      (local.get $n))
    (func $argument (param i32) (result i32) (i32.load (i32.add (i32.const 1024) (i32.shl (local.get 0) (i32.const 2)))))
    ;; From a descriptor, up to 4096 bytes to 8192; an error ends the program with its number.
    (func $read (param $fd i32) (result i32)
      (i32.store (i32.const 0) (i32.const 8192)) (i32.store (i32.const 4) (i32.const 4096))
      (call $check (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.load (i32.const 8)))
    (func $write (param $fd i32) (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))
      (call $check (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $check (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
    (func $open (param $path i32) (param $flags i32) (param $rights i64) (result i32)
      (call $check (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (call $length (local.get $path))
        (local.get $flags) (local.get $rights) (local.get $rights) (i32.const 0) (i32.const 12)))
      (i32.load (i32.const 12)))
    ${more}
    (func (export "_start") (local $n i32) (local $fd i32)
      (call $check (call $args_get (i32.const 1024) (i32.const 2048)))
      ${body}))`)

/** `read PATH` to its output. */
export const reads = program(`
  (local.set $fd (call $open (call $argument (i32.const 2)) (i32.const 0) (i64.const 2)))
  (loop $next
    (local.set $n (call $read (local.get $fd)))
    (if (local.get $n) (then (call $write (i32.const 1) (i32.const 8192) (local.get $n)) (br $next))))`)

/** `write PATH`: its input into a file, new or anew. */
export const writes = program(`
  (local.set $n (call $read (i32.const 0)))
  (local.set $fd (call $open (call $argument (i32.const 2)) (i32.const 9) (i64.const 64)))
  (call $write (local.get $fd) (i32.const 8192) (local.get $n))
  (call $check (call $fd_close (local.get $fd)))`)

const at = (name: string) => `(call $check (call $${name} (i32.const 3)
  (call $argument (i32.const 2)) (call $length (call $argument (i32.const 2)))))`

export const makes = program(at("path_create_directory"))
export const unlinks = program(at("path_unlink_file"))
const two = (first: string) =>
  `(call $argument (i32.const 2)) (call $length (call $argument (i32.const 2))) (i32.const 3)
   (call $argument (i32.const 3)) (call $length (call $argument (i32.const 3))))) ${first}`
export const renames = program(`(call $check (call $path_rename (i32.const 3) ${two("")}`)
/** `link TARGET PATH`, then reads through it. */
export const links = program(
  `(call $check (call $path_symlink ${two("")}
   (local.set $fd (call $open (call $argument (i32.const 3)) (i32.const 0) (i64.const 2)))
   (call $write (i32.const 1) (i32.const 8192) (call $read (local.get $fd)))`,
)

/** Its input to its output, 4096 bytes at a time. */
export const echoes = program(`
  (loop $next
    (local.set $n (call $read (i32.const 0)))
    (if (local.get $n) (then (call $write (i32.const 1) (i32.const 8192) (local.get $n)) (br $next))))`)

/** Its environment to its output. */
export const tells = program(`
  (call $check (call $environ_sizes_get (i32.const 16) (i32.const 20)))
  (call $check (call $environ_get (i32.const 16384) (i32.const 32768)))
  (call $write (i32.const 1) (i32.const 32768) (i32.load (i32.const 20)))`)

/** `connect`: a socket of WASIX to a port of this machine; ends with the number of what failed, and 0 where it reached it. */
export const connects = (port: number): Uint8Array =>
  program(
    `(call $check (call $sock_open (i32.const 1) (i32.const 1) (i32.const 6) (i32.const 12)))
    (i32.store8 (i32.const 64) (i32.const 1)) (i32.store16 (i32.const 66) (i32.const ${port}))
    (i32.store (i32.const 68) (i32.const 0x0100007f))
    (call $check (call $sock_connect (i32.load (i32.const 12)) (i32.const 64)))`,
    {
      imports: `(import "wasix_32v1" "sock_open" (func $sock_open (param i32 i32 i32 i32) (result i32)))
    (import "wasix_32v1" "sock_connect" (func $sock_connect (param i32 i32) (result i32)))`,
    },
  )

/** Asks for the address of "localhost", by WASIX. */
export const resolves = program(
  `(call $check (call $resolve (i32.const 64) (i32.const 9) (i32.const 0) (i32.const 128) (i32.const 4) (i32.const 12)))
   (if (i32.eqz (i32.load (i32.const 12))) (then (call $exit (i32.const 44))))`,
  {
    imports: '(import "wasix_32v1" "resolve" (func $resolve (param i32 i32 i32 i32 i32 i32) (result i32)))',
    more: '(data (i32.const 64) "localhost")',
  },
)

/** Reads from each descriptor from 3 to 63; ends with the first that gave something. */
export const gropes = program(`
  (local.set $fd (i32.const 3))
  (loop $next
    (i32.store (i32.const 0) (i32.const 8192)) (i32.store (i32.const 4) (i32.const 4096))
    (if (i32.eqz (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (then (if (i32.load (i32.const 8)) (then (call $exit (local.get $fd))))))
    (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $fd) (i32.const 64))))`)
