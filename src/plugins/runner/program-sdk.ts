/** Wasmer's SDK, with nothing of what it could reach the world by: no network, no package cache, no registry. */
import {
  type HostFileSystemRequest,
  isHostFileSystemRequest,
  respondToHostFileSystem,
} from "../../../node_modules/@wasmer/sdk/dist/host-filesystem.js"
import initialize, {
  type PackageCore,
  setSDKUrl,
  setWorkerUrl,
  WasmerCore,
} from "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js.js"
// @ts-expect-error The types beside it are of its exports; the bundler and Bun give its path.
import wasm_path from "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js_bg.wasm" with { type: "file" }
import { readPacked } from "../../base/packed.ts"
import { threadUrl } from "../../base/thread.ts"
import { FileRefused, type ProgramFiles } from "./program-files.ts"

const sdk_path = "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js.js"
const page_bytes = 65_536
/** Of the SDK itself with what programs write outside of their folders: 256 MiB. */
const pages_max = 4096
/** More than ever run at a time: a program's, that of its timers, and up to four that end the last ones. */
const threads = 8

export type Sdk = {
  client: WasmerCore
  /** Of the program that runs. */
  files?: ProgramFiles
  /** How much of its own memory it has taken, 0 to 1. None is ever given back. */
  fullness(): number
}

/** About 100 ms. */
export async function startSdk(): Promise<Sdk> {
  const memory = new WebAssembly.Memory({ initial: 25, maximum: pages_max, shared: true })
  const module = await WebAssembly.compile((await readPacked(wasm_path as string)) as Uint8Array<ArrayBuffer>)
  await initialize({ module_or_path: module, memory })
  // A thread imports the first from sources; in the executable it has it in itself.
  setSDKUrl(new URL(sdk_path, import.meta.url).href)
  setWorkerUrl(threadUrl("plugins/runner/program-worker.ts").href)
  const sdk: Sdk = {
    client: WasmerCore.create({ parallelism: 1, cache: { mode: "disabled" } }),
    fullness: () => memory.buffer.byteLength / (pages_max * page_bytes),
  }
  const bridge = globalThis as { __wasmerHandleFileSystemRpc?: (message: unknown) => boolean }
  bridge.__wasmerHandleFileSystemRpc = (message) => {
    if (!isHostFileSystemRequest(message)) return false
    respondToHostFileSystem(message, operate(sdk.files, message))
    return true
  }
  await startThreads(sdk)
  return sdk
}

function operate(files: ProgramFiles | undefined, { mount, method, args }: HostFileSystemRequest) {
  try {
    if (!files) throw new FileRefused("ENOENT")
    // What a function does not return is null in JSON.
    return { value: files.operate(mount, method, args ?? []) ?? null }
  } catch (thrown) {
    if (!(thrown instanceof FileRefused)) throw thrown
    return { error: { code: thrown.code, message: thrown.code } }
  }
}

/** Throws what the SDK throws. */
export const createProgram = ({ client }: Sdk, module: Uint8Array): Promise<PackageCore> =>
  client.createPackage({ modules: { program: module }, commands: { program: { module: "program" } } })

/**
 * Has a program run in each of the threads at the same time, for walls go up behind which a thread of the executable can
 * still start, having its code in memory, and one of the sources cannot. Each says a byte, waits for its input to end, and
 * then for a millisecond, which takes the thread for timers.
 */
async function startThreads(sdk: Sdk): Promise<void> {
  const program = await createProgram(sdk, waiting)
  const builder = sdk.client.sandbox()
  builder.package(program)
  builder.network("disabled")
  const sandbox = await builder.start()
  const count = import.meta.path.endsWith(".ts") ? threads : 1
  const processes = await Promise.all(
    Array.from({ length: count }, async () => {
      const command = sandbox.commandPackage(program)
      command.stdinMode("pipe")
      command.stdoutMode("pipe")
      const process = await command.spawn()
      await process.readStdout(1)
      return process
    }),
  )
  for (const process of processes) await process.closeStdin()
  await Promise.all(processes.map((process) => process.wait()))
  await sandbox.close()
}

/*
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $wait (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 4) "\01")
  (data (i32.const 56) "\40\42\0f")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $wait (i32.const 32) (i32.const 128) (i32.const 1) (i32.const 8)))))
*/
const waiting = Uint8Array.fromBase64(
  "AGFzbQEAAAABDAJgBH9/f38Bf2AAAAJpAxZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCGZkX3dyaXRlAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQdm" +
    "ZF9yZWFkAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQtwb2xsX29uZW9mZgAAAwIBAQUDAQABBxMCBm1lbW9yeQIABl9zdGFydAADDAECCiYBJABB" +
    "AUEAQQFBCBAAGkEAQQBBAUEIEAEaQSBBgAFBAUEIEAIaCwsPAgBBBAsBAQBBOAsDQEIP",
)
