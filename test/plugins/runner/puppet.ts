/** A guest that makes the WASI calls of its input, with whatever numbers stand there. */
import { host_errors } from "../../../src/plugins/frames.ts"
import { wat } from "../wat.ts"
import type { Answered, HostFunction, TestRunner } from "./runner.ts"

/** i is an i32, I an i64. All return an errno. */
export const wasi_calls = {
  args_get: "ii",
  args_sizes_get: "ii",
  environ_get: "ii",
  environ_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "iIi",
  fd_advise: "iIIi",
  fd_allocate: "iII",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "iII",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "iI",
  fd_filestat_set_times: "iIIi",
  fd_pread: "iiiIi",
  fd_prestat_get: "ii",
  fd_prestat_dir_name: "iii",
  fd_pwrite: "iiiIi",
  fd_read: "iiii",
  fd_readdir: "iiiIi",
  fd_renumber: "ii",
  fd_seek: "iIii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiiIIi",
  path_link: "iiiiiii",
  path_open: "iiiiiIIii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
} as const

export type WasiName = keyof typeof wasi_calls
export const wasi_names = Object.keys(wasi_calls) as WasiName[]

/** Where the input lies: its steps, and from `data_at` on what they are about. */
const input_at = 4096
const steps_max = 80
const words_of_step = 10
const data_at = input_at + 8 + steps_max * words_of_step * 8
const data_bytes = 80_000
export const memory_bytes = 4 * 65536

const types = { i: "i32", I: "i64" }

function step(name: WasiName, index: number): string {
  const words = [...wasi_calls[name]].map((type, word) => {
    const load = `(i64.load offset=${8 * (word + 1)} (local.get $step))`
    return type === "i" ? `(i32.wrap_i64 ${load})` : load
  })
  return `(if (i64.eq (i64.load (local.get $step)) (i64.const ${index}))
    (then (return (call $${name} ${words.join(" ")}))))`
}

/** Each step's first word is which call, and becomes the errno. */
export const puppet = wat(`(module
  ${wasi_names
    .map((name) => {
      const parameters = [...wasi_calls[name]].map((type) => types[type as "i"]).join(" ")
      return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) (result i32)))`
    })
    .join("\n")}
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 4 256)
  (func (export "weft_alloc") (param i32) (result i32) (i32.const ${input_at}))
  (func $one (param $step i32) (result i32) ${wasi_names.map(step).join("\n")} (i32.const -1))
  (func (export "run") (param $at i32) (param $length i32) (result i64) (local $step i32) (local $left i32)
    (local.set $step (i32.add (local.get $at) (i32.const 8)))
    (local.set $left (i32.load (local.get $at)))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (i64.store (local.get $step) (i64.extend_i32_u (call $one (local.get $step))))
      (local.set $step (i32.add (local.get $step) (i32.const ${8 * words_of_step})))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length))))
  (func (export "leave") (param i32 i32) (result i64)
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 10))
    (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 7)) (i64.const 0))
  (data (i32.const 16) "last words"))`)

/**
 * A text is put into memory and stands for its address; `room` is that many bytes. `from` and `into` are addresses of one
 * vector, of a text and of so much room.
 */
export type Word = number | bigint | string | { room: number } | { from: string } | { into: number }
export type Step = [name: WasiName, ...words: Word[]]

export type Played = {
  answered: Answered
  /** Of each step. */
  errnos: number[]
  /** What lies in the first, second, … `room`. */
  rooms: Buffer[]
}

export async function play(
  runner: TestRunner,
  steps: Step[],
  more: { env?: Record<string, string>; folders?: Record<string, "ro" | "rw">; host?: HostFunction } = {},
): Promise<Played> {
  const input = Buffer.alloc(data_at - input_at + data_bytes)
  const rooms: [number, number][] = []
  let free = data_at
  const place = (bytes: number): number => {
    free += bytes
    return free - bytes
  }
  input.writeUInt32LE(steps.length, 0)
  for (const [index, [name, ...words]] of steps.entries()) {
    const at = 8 + index * words_of_step * 8
    input.writeBigUInt64LE(BigInt(wasi_names.indexOf(name)), at)
    for (const [word, value] of words.entries()) {
      const number = numberOf(value)
      input.writeBigUInt64LE(BigInt.asUintN(64, BigInt(number)), at + 8 * (word + 1))
    }
  }
  const folders = Object.entries(more.folders ?? {}).map(([path, mode]) => ({
    path,
    writable: mode === "rw",
    files: [],
  }))
  const { env = {}, host = () => host_errors.unknown } = more
  const answered = await runner.call("run", input, { env, folders, host })
  const output = "raw" in answered ? Buffer.from(answered.raw) : Buffer.alloc(input.length)
  return {
    answered,
    errnos: steps.map((_, index) => output.readInt32LE(8 + index * words_of_step * 8)),
    rooms: rooms.map(([at, length]) => output.subarray(at - input_at, at - input_at + length)),
  }

  function numberOf(value: Word): number | bigint {
    if (typeof value === "number" || typeof value === "bigint") return value
    if (typeof value === "string") {
      const at = place(Buffer.byteLength(value))
      input.write(value, at - input_at)
      return at
    }
    free = (free + 7) & ~7
    if ("from" in value) return vector(numberOf(value.from) as number, Buffer.byteLength(value.from))
    const bytes = "room" in value ? value.room : value.into
    const at = place(bytes)
    rooms.push([at, bytes])
    return "room" in value ? at : vector(at, bytes)
  }

  function vector(at: number, length: number): number {
    free = (free + 7) & ~7
    const vector_at = place(8)
    input.writeUInt32LE(at, vector_at - input_at)
    input.writeUInt32LE(length, vector_at + 4 - input_at)
    return vector_at
  }
}

/** A folder of the host's, "/data" for the guest, as far as the runner sees it. What is asked is kept. */
export function folderOf(files: Record<string, string>) {
  const asked: string[] = []
  const host: HostFunction = (name, argument) => {
    const bytes = Buffer.from(argument)
    const end = 4 + bytes.readUInt32LE(0)
    const { folder, path } = JSON.parse(bytes.subarray(4, end).toString())
    asked.push(`${name} ${folder} ${path}`)
    if (folder !== "/data") return host_errors.denied
    if (name === "fs_write") {
      files[path] = bytes.subarray(end).toString()
      return new Uint8Array(0)
    }
    const below = Object.keys(files).filter((file) => path === "" || file.startsWith(`${path}/`))
    const is_folder = path === "" || below.length > 0
    if (name === "fs_stat") {
      if (files[path] === undefined && !is_folder) return host_errors.not_found
      const size_bytes = Buffer.byteLength(files[path] ?? "")
      return Buffer.from(JSON.stringify({ type: is_folder ? "folder" : "file", size_bytes, modified_ms: 5 }))
    }
    if (name === "fs_list") {
      return Buffer.from(
        JSON.stringify(below.map((file) => ({ name: file.slice(path.length), type: "file" }))),
      )
    }
    return files[path] === undefined ? host_errors.not_found : Buffer.from(files[path])
  }
  return { files, asked, host }
}
