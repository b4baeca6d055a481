import { type Call, type Done, type Frame, type Host, host_errors } from "../frames.ts"
import { type CallRequest, type CallResult, type Module, PluginFailed } from "../module.ts"
import { type Folder, packFolders, unpackBody } from "../packing.ts"
import {
  boundsFor,
  broken,
  failureOf,
  file_bytes_max,
  outOfOrder,
  slack_bytes,
  toWritten,
} from "./answers.ts"
import { type Process, release } from "./process.ts"

/** Of one call; more than any work needs, and far less than would wear the gateway out. */
const host_calls_max = 10_000
/**
 * One call, from its sending to its answer, with its deadline, its host functions and its end by the signal. Throws
 * PluginFailed or the signal's reason; the runner is dead then, unless it said itself that the call failed.
 */
export async function runCall(process: Process, module: Module, request: CallRequest): Promise<CallResult> {
  const { plugin, engine, limits } = module
  const { signal } = request
  signal.throwIfAborted()
  const started = performance.now()
  const late = () =>
    process.kill(
      new PluginFailed(
        "time",
        `The plugin "${plugin}" did not answer within ${limits.timeout_ms} ms and was stopped.`,
      ),
    )
  const abort = () => process.kill(signal.reason)
  const timer = setTimeout(late, limits.timeout_ms).unref()
  signal.addEventListener("abort", abort)
  try {
    const { function: name, env, args, folders, input, host } = request
    // It is as it was after the load, but for these.
    if (folders) process.expect(boundsFor(module, folders))
    const call: Call = { function: name, env, ...(args && { args }) }
    let frame = await (folders ? askWith(folders, process, call, input) : process.ask("call", call, input))
    for (let count = 1; frame.kind === "host"; count++) {
      if (count > host_calls_max) throw tooManyCalls(plugin, process)
      const answer = await answerHost(frame, process, limits.output_bytes_max, host)
      const next = process.ask("answer", { error: answer.error }, answer.bytes)
      // Not before it is sent, as it may be the answer.
      release(frame.body)
      frame = await next
    }
    if (frame.kind === "failed") {
      const failure = failureOf(frame, process, plugin)
      // What says too much, or fills the memory of its engine, may still be at it.
      if (engine === "wasmer" && failure.kind !== "trap") process.kill(failure)
      throw failure
    }
    if (frame.kind !== "done") throw outOfOrder(frame, process)
    if (frame.header.is_spent === true)
      process.kill(new PluginFailed("crash", "The plugin's process is spent."))
    return {
      ...resultOf(frame, limits.output_bytes_max, process, folders),
      duration_ms: performance.now() - started,
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", abort)
  }
}

function askWith(folders: Folder[], process: Process, call: Call, input: Uint8Array): Promise<Frame> {
  const { packed, parts } = packFolders(folders)
  const header: Call = { ...call, folders: packed, input_bytes: input.length }
  return parts.length === 0
    ? process.ask("call", header, input)
    : process.ask("call", header, [input, ...parts])
}

async function answerHost(
  { header, body }: Frame,
  process: Process,
  output_bytes_max: number,
  host: CallRequest["host"],
): Promise<{ error: number; bytes?: Uint8Array }> {
  const { function: name } = header as Partial<Host>
  if (typeof name !== "string" || name.length > 64) throw broken(process, "a host function without a name")
  const bytes_max = name.startsWith("fs_") ? file_bytes_max + slack_bytes : output_bytes_max
  // A guest is told so by its runner.
  if (body.length > bytes_max) throw broken(process, "an argument that is too long")
  const answer = await process.during(host(name, body))
  return "error" in answer ? { error: host_errors[answer.error] } : { error: 0, bytes: answer.bytes }
}

function resultOf(
  { header, body }: Frame,
  output_bytes_max: number,
  process: Process,
  given: readonly Folder[] = [],
): Omit<CallResult, "duration_ms"> {
  const { stdout, stderr, exit_code, output_bytes, folders: packed } = header as Partial<Done>
  const unpacked = unpackBody(body, output_bytes, packed)
  if (!unpacked) throw broken(process, "folders that are none")
  const { first: output, folders } = unpacked
  const writable = given.filter((folder) => folder.writable)
  if (folders && folders.length > writable.length) throw broken(process, "more folders than it was given")
  if (output.length > output_bytes_max) throw broken(process, "an output that is too long")
  if (exit_code !== undefined && !Number.isInteger(exit_code)) throw broken(process, "no exit status")
  return {
    output,
    ...{ stdout: toWritten(stdout, process), stderr: toWritten(stderr, process) },
    ...(exit_code !== undefined && { exit_code }),
    ...(folders && { folders }),
  }
}

function tooManyCalls(plugin: string, process: Process): PluginFailed {
  const failure = new PluginFailed(
    "host_calls",
    `The plugin "${plugin}" called the host more than ${host_calls_max} times and was stopped.`,
  )
  process.kill(failure)
  return failure
}
