/** The engine of programs: WASI and WASIX commands by Wasmer's SDK, each call in an instance of its own. */
import { posix } from "node:path"
import type {
  PackageCore,
  ProcessCore,
  SandboxCore,
} from "../../../node_modules/@wasmer/sdk/pkg/wasmer_sdk_js.js"
import { type Folder, fits, folder_limits } from "../packing.ts"
import { type GuestCall, GuestFailed, type LoadEngine, type Loaded, type Output } from "./engine.ts"
import { openProgramFiles } from "./program-files.ts"
import { createProgram, type Sdk, startSdk } from "./program-sdk.ts"

/** Where programs start: the root, as WASI's C library takes what is relative for relative to that anyway. */
const working_folder = "/"
/** Of the SDK's memory. It fails before it has all of it, as it doubles what it has. */
const full = 0.75
const spent = 0.5
const stderr_bytes_max = 65_536
const chunk_bytes = 65_536
/** How long a program that failed may take to say its last words. */
const stop_ms_max = 200

/** The SDK is there before this resolves, so that walls can go up between it and the first program. */
export async function openPrograms(): Promise<LoadEngine> {
  const sdk = await startSdk()
  return ({ output_bytes_max }, module) => loadProgram(sdk, module, output_bytes_max)
}

async function loadProgram(sdk: Sdk, module: Uint8Array, output_bytes_max: number): Promise<Loaded> {
  const program = await compile(sdk, module)
  return { call: (call, input) => callProgram(sdk, program, call, input, output_bytes_max) }
}

async function compile(sdk: Sdk, module: Uint8Array): Promise<PackageCore> {
  try {
    // The SDK compiles it with the first call, and then has no word for why it cannot.
    await WebAssembly.compile(module as Uint8Array<ArrayBuffer>)
    return await createProgram(sdk, module)
  } catch (thrown) {
    throw new GuestFailed("compile", `it cannot be compiled: ${messageOf(thrown)}`)
  }
}

async function callProgram(
  sdk: Sdk,
  program: PackageCore,
  { args = [], env, folders = [] }: GuestCall,
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
    const { stderr, exit_code } = ran
    const is_spent = sdk.fullness() > spent
    const changed = files.changed()
    if (!fits(changed)) throw Object.assign(tooMuch(), { stderr })
    return {
      header: { stdout: "", stderr, exit_code, is_spent },
      body: ran.output,
      folders: changed,
    }
  } catch (thrown) {
    if (!(thrown instanceof GuestFailed) || sdk.fullness() < full) throw thrown
    const failure = new GuestFailed("memory", "it wrote more to files than there is memory for")
    throw Object.assign(failure, { stderr: thrown.stderr })
  } finally {
    delete sdk.files
    await Promise.race([sandbox.close(), Bun.sleep(stop_ms_max)])
  }
}

const tooMuch = () =>
  new GuestFailed(
    "output",
    `what it wrote to its folders is more than ${folder_limits.files} files or ${folder_limits.bytes} bytes, or is named at too great a length`,
  )

/** Throws GuestFailed where a folder cannot be where its grant says: "/", "/workspace", or one that is there already. */
async function startSandbox(
  { client }: Sdk,
  program: PackageCore,
  folders: readonly Folder[],
): Promise<SandboxCore> {
  const builder = client.sandbox()
  builder.package(program)
  builder.network("disabled")
  try {
    for (const [index, { path, writable }] of folders.entries()) {
      builder.mountHost(posix.resolve(working_folder, path), index, !writable)
    }
    return await builder.start()
  } catch (thrown) {
    throw new GuestFailed("abi", `its folders cannot be put where they are granted: ${messageOf(thrown)}`)
  }
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
    if (messageOf(thrown) !== "broken pipe") throw thrown
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
    // A part of it would hold all of it.
    if (left > 0) into.push(bytes.slice(0, left))
    left -= Math.min(left, bytes.length)
  }
}

const toText = (chunks: Uint8Array[]) => new TextDecoder().decode(Buffer.concat(chunks))

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
