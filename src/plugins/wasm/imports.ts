/** What a module may import, and what to do about what it may not. */
import type { Engine } from "../module.ts"
import { type Cursor, ModuleRefused, readByte, readCount, readName, readU32, shownName } from "./cursor.ts"
import { type Signature, shownSignature } from "./types.ts"

/** The functions of Weft, part of the plugin ABI, version 1. `log` may return nothing. */
const weft: Record<string, Signature[]> = {
  http_fetch: ["ii:i"],
  store_get: ["ii:i"],
  store_put: ["ii:i"],
  store_list: ["ii:i"],
  log: ["ii:i", "ii:"],
  take_result: ["i:"],
}

/** All of WASI preview 1, from its witx: https://github.com/WebAssembly/WASI/tree/wasi-0.1. */
const preview_1: Record<string, Signature[]> = {
  args_get: ["ii:i"],
  args_sizes_get: ["ii:i"],
  clock_res_get: ["ii:i"],
  clock_time_get: ["iIi:i"],
  environ_get: ["ii:i"],
  environ_sizes_get: ["ii:i"],
  fd_advise: ["iIIi:i"],
  fd_allocate: ["iII:i"],
  fd_close: ["i:i"],
  fd_datasync: ["i:i"],
  fd_fdstat_get: ["ii:i"],
  fd_fdstat_set_flags: ["ii:i"],
  fd_fdstat_set_rights: ["iII:i"],
  fd_filestat_get: ["ii:i"],
  fd_filestat_set_size: ["iI:i"],
  fd_filestat_set_times: ["iIIi:i"],
  fd_pread: ["iiiIi:i"],
  fd_prestat_dir_name: ["iii:i"],
  fd_prestat_get: ["ii:i"],
  fd_pwrite: ["iiiIi:i"],
  fd_read: ["iiii:i"],
  fd_readdir: ["iiiIi:i"],
  fd_renumber: ["ii:i"],
  fd_seek: ["iIii:i"],
  fd_sync: ["i:i"],
  fd_tell: ["ii:i"],
  fd_write: ["iiii:i"],
  path_create_directory: ["iii:i"],
  path_filestat_get: ["iiiii:i"],
  path_filestat_set_times: ["iiiiIIi:i"],
  path_link: ["iiiiiii:i"],
  path_open: ["iiiiiIIii:i"],
  path_readlink: ["iiiiii:i"],
  path_remove_directory: ["iii:i"],
  path_rename: ["iiiiii:i"],
  path_symlink: ["iiiii:i"],
  path_unlink_file: ["iii:i"],
  poll_oneoff: ["iiii:i"],
  proc_exit: ["i:"],
  proc_raise: ["i:i"],
  random_get: ["ii:i"],
  sched_yield: [":i"],
  sock_accept: ["iii:i"],
  sock_recv: ["iiiiii:i"],
  sock_send: ["iiiii:i"],
  sock_shutdown: ["ii:i"],
}

type Known = Record<string, Record<string, Signature[]> | "any">

const known: Record<Engine, Known> = {
  // AssemblyScript's `abort`: message, file, line, column.
  reactor: { weft, env: { abort: ["iiii:"] }, wasi_snapshot_preview1: preview_1 },
  // What these two have is known to the engine alone, which refuses what it does not know.
  wasmer: { wasi_snapshot_preview1: preview_1, wasi_unstable: "any", wasix_32v1: "any" },
}

/**
 * Of WASIX: what would have the engine run another module, which nobody has gone over and whose memory has no cap (it may
 * have been written by the guest, and could ask for the engine's own JavaScript), or more of this one at the same time.
 */
const wasix_refused = /^(proc_(exec|spawn|fork)|thread_spawn|dl|call_dynamic|closure_|reflect_)/

const imports_max = 1000
const [func, table, memory, global, tag] = [0, 1, 2, 3, 4]

/** The import section: the index of each imported function's type. Each import is known and of its exact type. */
export function readImports(cursor: Cursor, types: readonly Signature[], engine: Engine): number[] {
  const count = readCount(cursor, imports_max, "imports")
  const functions: number[] = []
  for (let index = 0; index < count; index++) {
    const [module, name, kind] = [readName(cursor), readName(cursor), readByte(cursor)]
    if (kind !== func) throw refusedKind(`${shownName(module)}.${shownName(name)}`, kind)
    const type = readU32(cursor)
    const signature = types[type]
    if (signature === undefined) {
      throw new ModuleRefused(
        `the import ${shownName(module)}.${shownName(name)} has a type that is not there`,
      )
    }
    checkImport(module, name, signature, engine)
    functions.push(type)
  }
  return functions
}

const remedies: Record<number, string> = {
  [table]: "a table; link it so that it has one of its own (without --import-table)",
  [memory]:
    "its memory; link it so that it has one of its own (without --import-memory; for WASIX without threads)",
  [global]: "a global; link it as a module that stands alone, not as a dynamic library",
  [tag]: "an exception tag; build it without exceptions",
}

const refusedKind = (label: string, kind: number): ModuleRefused =>
  new ModuleRefused(
    `the import ${label} asks the host for ${remedies[kind] ?? "something that no module can"}`,
  )

function checkImport(module: string, name: string, signature: Signature, engine: Engine): void {
  const modules = known[engine]
  const functions = Object.hasOwn(modules, module) ? modules[module]! : undefined
  if (module === "wasix_32v1" && functions && wasix_refused.test(name)) {
    throw new ModuleRefused(
      `it imports ${shownName(module)}.${shownName(name)}, which no program gets: each is one process with one thread`,
    )
  }
  if (functions === "any") return
  const label = `${shownName(module)}.${shownName(name)}`
  if (!functions || !Object.hasOwn(functions, name)) {
    throw new ModuleRefused(`it imports ${label}, ${remedyFor(module, name, engine)}`)
  }
  const signatures = functions[name]!
  if (signatures.includes(signature)) return
  const expected = signatures.map(shownSignature).join(" or ")
  throw new ModuleRefused(`it imports ${label} as ${shownSignature(signature)}, but that is ${expected}`)
}

/** Of AssemblyScript's standard library, which has no other way to reach a host. */
const assembly_script =
  /^(abort|trace|seed|console\.|process\.|Date\.|Math\.|performance\.|crypto\.|globalThis\.)/
const emscripten = /^(_?emscripten_|_?embind_|invoke_|__cxa_|__syscall|_?abort_js|__assert_fail|setTempRet0)/

function remedyFor(module: string, name: string, engine: Engine): string {
  if (module.startsWith("extism:")) {
    return "a function of Extism's host; build it for WASI preview 1 with Weft's functions"
  }
  if (/^(__wbindgen_|wbg$|\.\/.*_bg\.js$)/.test(module)) {
    return "a function of wasm-bindgen's JavaScript; build it for wasm32-wasip1 without wasm-bindgen"
  }
  if (module === "wasi" && name === "thread-spawn") return "which starts threads; build it without threads"
  if (module.includes(":") && module.includes("/")) {
    return "a function of the component model; build a core module for WASI preview 1"
  }
  if (module === "wasi_snapshot_preview1") return "which is not a function of WASI preview 1"
  if (module === "weft" && engine === "reactor") {
    return `which is not a function of Weft; there are ${Object.keys(weft).join(", ")}`
  }
  if (module === "weft" || (module === "env" && name === "abort")) {
    return 'which a program does not get; take engine = "reactor" for it'
  }
  if (engine === "reactor" && (module === "wasi_unstable" || module.startsWith("wasix"))) {
    return 'which a reactor does not get; take engine = "wasmer", or build it for WASI preview 1'
  }
  if (module === "env" && assembly_script.test(name)) {
    return "a function of AssemblyScript's JavaScript host; use @assemblyscript/wasi-shim, or do without it"
  }
  if (module === "a" || (module === "env" && emscripten.test(name))) {
    return "a function of Emscripten's JavaScript; build it for WASI preview 1 with wasi-libc"
  }
  if (module === "env") return "which nothing defines; link what has it, or do without it"
  return "which there is not; build it for WASI preview 1"
}
