/** The engine of programs: WASI and WASIX commands by Wasmer's SDK, each call in an instance of its own. */
import { posix } from "node:path"
import {
  type HostFileSystemRequest,
  isHostFileSystemRequest,
  respondToHostFileSystem,
} from "../../../node_modules/@wasmer/sdk/dist/host-filesystem.js"
import initialize, {
  type PackageCore,
  type ProcessCore,
  type SandboxCore,
  setSDKUrl,
  setWorkerUrl,
  WasmerCore,
} from "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js.js"
// @ts-expect-error The types beside it are of its exports; the bundler and Bun give its path.
import wasm_path from "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js_bg.wasm" with { type: "file" }
import { readPacked } from "../../base/packed.ts"
import { threadUrl } from "../../base/thread.ts"
import type { Call, Folder } from "../frames.ts"
import { GuestFailed, type LoadEngine, type Loaded, type Output } from "./engine.ts"
import { FileRefused, openProgramFiles, type ProgramFiles } from "./program-files.ts"

const sdk_path = "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js.js"
/** Where programs start: the root, as WASI's C library takes what is relative for relative to that anyway. */
const working_folder = "/"

const page_bytes = 65_536
/** Of the SDK itself with what programs write outside of their folders: 256 MiB. */
const sdk_pages_max = 4096
/** The SDK fails before it has all of it, as it doubles what it has. */
const full_bytes = 0.75 * sdk_pages_max * page_bytes
/** Memory is never given back; with more than this the process ends when it has nothing to do. */
const worn_bytes = 0.5 * sdk_pages_max * page_bytes
const stderr_bytes_max = 65_536
const chunk_bytes = 65_536
/** How long a program that failed may take to say its last words. */
const stop_ms_max = 200

type Sdk = {
  client: WasmerCore
  memory: WebAssembly.Memory
  /** Of the program that runs. */
  files?: ProgramFiles
}

/**
 * Starts the SDK, about 100 ms, with nothing of what it could reach the world by: no network, no package cache, no
 * registry. Its threads run before this resolves, so that walls may go up that no thread could start behind.
 */
export async function openPrograms(): Promise<LoadEngine> {
  const sdk = await startSdk()
  const first = await loadProgram(sdk, nothing, 0)
  await first.call({ function: "", env: {} }, new Uint8Array())
  return ({ output_bytes_max }, module) => loadProgram(sdk, module, output_bytes_max)
}

/** `(module (memory (export "memory") 1) (func (export "_start")))` */
const nothing = Uint8Array.fromBase64("AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKBAECAAs=")

async function startSdk(): Promise<Sdk> {
  const memory = new WebAssembly.Memory({ initial: 25, maximum: sdk_pages_max, shared: true })
  const module = await WebAssembly.compile((await readPacked(wasm_path as string)) as Uint8Array<ArrayBuffer>)
  await initialize({ module_or_path: module, memory })
  // A thread imports the first from sources; in the executable it has it in itself.
  setSDKUrl(new URL(sdk_path, import.meta.url).href)
  setWorkerUrl(threadUrl("plugins/runner/program-worker.ts").href)
  const sdk: Sdk = { client: WasmerCore.create({ parallelism: 1, cache: { mode: "disabled" } }), memory }
  const bridge = globalThis as { __wasmerHandleFileSystemRpc?: (message: unknown) => boolean }
  bridge.__wasmerHandleFileSystemRpc = (message) => {
    if (!isHostFileSystemRequest(message)) return false
    respondToHostFileSystem(message, operate(sdk.files, message))
    return true
  }
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

async function loadProgram(sdk: Sdk, module: Uint8Array, output_bytes_max: number): Promise<Loaded> {
  const program = await createPackage(sdk, module)
  let is_worn = false
  return {
    async call(call, input) {
      try {
        return await callProgram(sdk, program, call, input, output_bytes_max)
      } catch (thrown) {
        // It may still be running, and the SDK may not be what it was.
        is_worn = thrown instanceof GuestFailed && thrown.kind !== "trap"
        throw thrown
      }
    },
    settle() {
      if (is_worn || sdk.memory.buffer.byteLength > worn_bytes) process.exit(0)
    },
  }
}

async function createPackage({ client }: Sdk, module: Uint8Array): Promise<PackageCore> {
  try {
    return await client.createPackage({
      modules: { program: module },
      commands: { program: { module: "program" } },
    })
  } catch (thrown) {
    throw new GuestFailed("compile", `it cannot be compiled: ${messageOf(thrown)}`)
  }
}

async function callProgram(
  sdk: Sdk,
  program: PackageCore,
  { args = [], env, folders = [] }: Call,
  input: Uint8Array,
  output_bytes_max: number,
): Promise<Output> {
  const files = openProgramFiles(folders)
  sdk.files = files
  const sandbox = await startSandbox(sdk, program, folders)
  try {
    const command = sandbox.commandPackage(program)
    command.args(args)
    for (const [name, value] of Object.entries(env)) command.env(name, value)
    command.currentDir(working_folder)
    command.stdinMode("pipe")
    command.stdoutMode("pipe")
    command.stderrMode("pipe")
    const ran = await runProcess(await command.spawn(), input, output_bytes_max)
    return {
      header: { stdout: "", stderr: ran.stderr, exit_code: ran.exit_code, folders: files.changed() },
      body: ran.output,
    }
  } catch (thrown) {
    if (!(thrown instanceof GuestFailed) || sdk.memory.buffer.byteLength < full_bytes) throw thrown
    const failure = new GuestFailed("memory", "it wrote more to files than there is memory for")
    throw Object.assign(failure, { stderr: thrown.stderr })
  } finally {
    delete sdk.files
    await Promise.race([sandbox.close(), Bun.sleep(stop_ms_max)])
  }
}

async function startSandbox(
  { client }: Sdk,
  program: PackageCore,
  folders: readonly Folder[],
): Promise<SandboxCore> {
  const builder = client.sandbox()
  builder.package(program)
  builder.network("disabled")
  for (const [index, { path, writable }] of folders.entries()) {
    builder.mountHost(posix.resolve(working_folder, path), index, !writable)
  }
  return await builder.start()
}

type Ran = { output: Uint8Array; stderr: string; exit_code: number }

/** Its input goes in while its output comes out: it may wait for either. Throws GuestFailed. */
async function runProcess(process: ProcessCore, input: Uint8Array, output_bytes_max: number): Promise<Ran> {
  const output: Uint8Array[] = []
  const errors: Uint8Array[] = []
  const reading = readErrors(process, errors)
  try {
    const [{ exitCode }] = await Promise.all([
      process.wait(),
      readOutput(process, output, output_bytes_max),
      feed(process, input),
      reading,
    ])
    return { output: Buffer.concat(output), stderr: toText(errors), exit_code: exitCode }
  } catch (thrown) {
    process.kill()
    // Most say there what made them stop.
    await Promise.race([reading, Bun.sleep(stop_ms_max)])
    throw Object.assign(toFailure(thrown), { stderr: toText(errors) })
  }
}

/** A program may well end before it has read all of it. */
async function feed(process: ProcessCore, input: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < input.length; at += chunk_bytes) {
      await process.writeStdin(input.subarray(at, at + chunk_bytes))
    }
    await process.closeStdin()
  } catch (thrown) {
    if (codeOf(thrown) !== "IO_ERROR") throw thrown
  }
}

async function readOutput(process: ProcessCore, into: Uint8Array[], bytes_max: number): Promise<void> {
  let left = bytes_max
  for (;;) {
    const bytes: Uint8Array | null = await process.readStdout(chunk_bytes)
    if (!bytes) return
    left -= bytes.length
    if (left < 0) throw new GuestFailed("output", `its output is more than ${bytes_max} bytes`)
    into.push(bytes)
  }
}

/** Reads all, so that it never waits, and keeps the beginning. */
async function readErrors(process: ProcessCore, into: Uint8Array[]): Promise<void> {
  let left = stderr_bytes_max
  for (;;) {
    const bytes: Uint8Array | null = await process.readStderr(chunk_bytes)
    if (!bytes) return
    into.push(bytes.subarray(0, left))
    left -= Math.min(left, bytes.length)
  }
}

const toText = (chunks: Uint8Array[]) => new TextDecoder().decode(Buffer.concat(chunks))

const codeOf = (thrown: unknown) => (thrown as { code?: unknown } | undefined)?.code

/** What ended a program that did not end by itself. */
function toFailure(thrown: unknown): GuestFailed {
  if (thrown instanceof GuestFailed) return thrown
  const message = messageOf(thrown)
  if (/call stack/i.test(message)) return new GuestFailed("trap", "it ran out of stack")
  return new GuestFailed("trap", message)
}

/** What the SDK says, without the parts that are about itself and about JavaScript. */
function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return message
    .replace(/^command execution failed: /, "")
    .replace(/^RuntimeError: js: /, "")
    .replace(/ \(evaluating '.*'\)$/s, "")
}
