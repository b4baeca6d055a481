import { host_errors, type Load } from "../frames.ts"
import { type AskHost, type GuestCall, GuestFailed, type Loaded, type Output } from "./engine.ts"
import { bufferOf, type Guest } from "./guest.ts"
import { tableBytesOf } from "./tables.ts"
import { describeTrap, Trap, takeString } from "./trap.ts"
import { openWasi, type Wasi } from "./wasi.ts"

const host_functions = ["http_fetch", "store_get", "store_put", "store_list", "log"] as const

const wasi_module = "wasi_snapshot_preview1"

/** Of the memories of ended calls. Left to itself, the collector lets hundreds of megabytes of them come together. */
const left_bytes_max = 67_108_864
const page_bytes = 65_536

type Importable = (...values: number[]) => number | undefined
type Exports = Record<string, WebAssembly.ExportValue>

/** A module of the reactor ABI, version 1: every call gets an instance of its own. */
export function loadReactor(load: Load, bytes: Uint8Array, ask: AskHost): Loaded {
  const module = compile(bytes)
  const imports = WebAssembly.Module.imports(module)
  const uses_wasi = imports.some((wanted) => wanted.module === wasi_module)
  const prepared = { module, imports, uses_wasi, load, ask, table_bytes: tableBytesOf(bytes), left_bytes: 0 }
  return {
    call: (call, input) => run(prepared, call, input),
    settle() {
      if (prepared.left_bytes < left_bytes_max) return
      prepared.left_bytes = 0
      Bun.gc(true)
    },
  }
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  } catch (thrown) {
    throw new GuestFailed("compile", `it cannot be compiled: ${describeTrap(thrown)}`)
  }
}

type Prepared = {
  module: WebAssembly.Module
  imports: WebAssembly.ModuleImportDescriptor[]
  /** Whether it imports anything of WASI. */
  uses_wasi: boolean
  load: Load
  ask: AskHost
  /** Of an instance, at the most. */
  table_bytes: number
  /** How much memory calls have had since it was last collected. */
  left_bytes: number
}

function run(prepared: Prepared, call: GuestCall, input: Uint8Array): Output {
  const guest: Guest = { memory: undefined, result: undefined }
  const wasi = prepared.uses_wasi ? openWasi(guest, call, prepared.ask) : undefined
  const written = () => ({ stdout: wasi?.stdout() ?? "", stderr: wasi?.stderr() ?? "" })
  try {
    const exports = instantiate(prepared.module, importsOf(prepared, guest, wasi))
    if (!(exports.memory instanceof WebAssembly.Memory)) throw new GuestFailed("abi", "it exports no memory")
    guest.memory = exports.memory
    if (exports._initialize) invoke(exports, "_initialize", [])
    const body = callExport(exports, guest.memory, prepared.load, call.function, input)
    wasi?.files.syncAll()
    return { header: written(), body }
  } catch (thrown) {
    if (!(thrown instanceof GuestFailed)) throw thrown
    throw Object.assign(thrown, written(), {
      message: thrown.message + fullness(thrown, guest, prepared.load),
    })
  } finally {
    // One that failed as it was made may have had all that it may.
    prepared.left_bytes +=
      prepared.table_bytes + (guest.memory?.buffer.byteLength ?? prepared.load.memory_pages_max * page_bytes)
  }
}

/** Languages end a program that gets no memory with a bare trap, which says nothing to whoever looks for the reason. */
function fullness({ kind }: GuestFailed, { memory }: Guest, { memory_pages_max }: Load): string {
  const pages = (memory?.buffer.byteLength ?? 0) / page_bytes
  if (kind !== "trap" || pages * 2 < memory_pages_max) return ""
  return `; it had ${pages} of at most ${memory_pages_max} pages of memory (memory_pages_max)`
}

function importsOf(prepared: Prepared, guest: Guest, wasi: Wasi | undefined): WebAssembly.Imports {
  const given: Record<string, Record<string, Importable>> = {
    weft: weftImports(guest, prepared.load, prepared.ask),
    env: { abort: abortOf(guest) },
  }
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module: from, name } of prepared.imports) {
    const value = from === wasi_module ? wasi?.find(name) : given[from]?.[name]
    imports[from] ??= {}
    // What is missing makes the instance fail, with its name.
    if (value) imports[from][name] = value
  }
  return imports
}

function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Exports {
  try {
    return new WebAssembly.Instance(module, imports).exports
  } catch (thrown) {
    throw toFailure(thrown, "instantiate")
  }
}

function callExport(
  exports: Exports,
  memory: WebAssembly.Memory,
  load: Load,
  name: string,
  input: Uint8Array,
): Uint8Array {
  const called = exports[name]
  if (typeof called !== "function") throw new GuestFailed("abi", `it exports no function ${name}`)
  const words = called.length === 0 ? [] : [putInput(exports, memory, input), input.length]
  const result = invoke(exports, name, words)
  if (typeof result !== "bigint") throw new GuestFailed("abi", `${name} does not return an i64`)
  const at = Number(BigInt.asUintN(64, result) >> 32n)
  const length = Number(BigInt.asUintN(32, result))
  if (length > load.output_bytes_max) {
    throw new GuestFailed("output", `its output of ${length} bytes is more than ${load.output_bytes_max}`)
  }
  if (at + length > memory.buffer.byteLength) {
    throw new GuestFailed("abi", "its output lies outside of its memory")
  }
  return new Uint8Array(memory.buffer, at, length)
}

function putInput(exports: Exports, memory: WebAssembly.Memory, input: Uint8Array): number {
  const given = invoke(exports, "weft_alloc", [input.length])
  if (typeof given !== "number") throw new GuestFailed("abi", "weft_alloc does not return an i32")
  const at = given >>> 0
  if (input.length === 0) return at
  if (at === 0) throw new GuestFailed("memory", `it has no room for an input of ${input.length} bytes`)
  if (at + input.length > memory.buffer.byteLength) {
    throw new GuestFailed("abi", "weft_alloc returned an address outside of its memory")
  }
  new Uint8Array(memory.buffer).set(input, at)
  return at
}

function invoke(exports: Exports, name: string, words: number[]): unknown {
  const called = exports[name]
  if (typeof called !== "function") throw new GuestFailed("abi", `it exports no function ${name}`)
  try {
    return called(...words)
  } catch (thrown) {
    throw toFailure(thrown, "trap")
  }
}

function toFailure(thrown: unknown, kind: "trap" | "instantiate"): unknown {
  if (thrown instanceof GuestFailed) return thrown
  if (thrown instanceof Trap) return new GuestFailed(kind, thrown.message)
  const text = describeTrap(thrown)
  if (text === undefined) return thrown
  return new GuestFailed(text === "out of memory" ? "memory" : kind, text)
}

function weftImports(guest: Guest, load: Load, ask: AskHost): Record<string, Importable> {
  const imports: Record<string, Importable> = {
    take_result(at) {
      const { result } = guest
      if (!result) return undefined
      const memory = bufferOf(guest)
      if ((at! >>> 0) + result.length > memory.byteLength) {
        throw new Trap("take_result was given an address outside of its memory")
      }
      new Uint8Array(memory).set(result, at! >>> 0)
      return undefined
    },
  }
  for (const name of host_functions) {
    imports[name] = (at, length) => {
      guest.result = undefined
      const memory = bufferOf(guest)
      const [from, bytes] = [at! >>> 0, length! >>> 0]
      if (from + bytes > memory.byteLength) return host_errors.invalid
      if (bytes > load.output_bytes_max) return host_errors.too_large
      const answer = ask(name, new Uint8Array(memory, from, bytes))
      if (answer.error !== 0) return answer.error
      guest.result = answer.bytes
      return answer.bytes.length
    }
  }
  return imports
}

/** What AssemblyScript calls where it cannot go on. */
function abortOf(guest: Guest): Importable {
  return (message, file, line, column) => {
    const memory = bufferOf(guest)
    const where = `${takeString(memory, file!)}:${line! >>> 0}:${column! >>> 0}`
    throw new Trap(`it aborted: ${takeString(memory, message!) || "no message"} (${where})`)
  }
}
