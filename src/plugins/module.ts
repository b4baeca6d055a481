import type { FailureKind, HostError } from "./frames.ts"
import type { Folder } from "./packing.ts"

export type Engine = "reactor" | "wasmer"

export type ModuleLimits = {
  /** Of one call, from the gateway's sending it to its answer, host functions included. */
  timeout_ms: number
  /** Of the guest's linear memory, in pages of 64 KiB. */
  memory_pages_max: number
  /** Of what one call returns, and of each argument of a host function. */
  output_bytes_max: number
}

/** A plugin's code as it was approved. Another sha256 is another module. */
export type Module = {
  plugin: string
  engine: Engine
  /** Of the file as it lies on the disk. */
  sha256: string
  limits: ModuleLimits
  /** The prepared bytes. Throws where the file is no longer the one of `sha256`. */
  read(): Promise<Uint8Array>
}

/**
 * Answers one host function of one call. Never throws. The bytes are what `take_result` gives the guest; the argument is
 * lent until then, and its memory given back.
 */
export type HostCalls = (name: string, argument: Uint8Array) => Promise<HostAnswer>
export type HostAnswer = { bytes: Uint8Array } | { error: HostError }

/** What a runner is asked to do. */
export type CallRequest = {
  /** The export of a reactor; "" for a program. */
  function: string
  /** The argument of the export, or a program's standard input. */
  input: Uint8Array
  env: Record<string, string>
  args?: string[]
  folders?: Folder[]
  host: HostCalls
  signal: AbortSignal
}

export type CallResult = {
  output: Uint8Array
  stdout: string
  stderr: string
  exit_code?: number
  folders?: Folder[]
  duration_ms: number
}

/** The plugin gave no answer, for a reason of its own. The message is for whoever called, models included. */
export class PluginFailed extends Error {
  override name = "PluginFailed"
  readonly kind: FailureKind
  /** What it had written by then, for the log. */
  readonly stderr: string

  constructor(kind: FailureKind, message: string, stderr = "") {
    super(message)
    this.kind = kind
    this.stderr = stderr
  }
}

/** Whether it says nothing about the call itself, so that the same one may go well later. */
export const isPassing = ({ kind }: PluginFailed): boolean => ["aborted", "crash", "time"].includes(kind)

/**
 * Runs calls in processes of their own. A runner serves one plugin in its life, so that what gets out of a virtual
 * machine finds nobody else's module, data or grants. Disposing kills all of them and waits for their end.
 */
export type Pool = AsyncDisposable & {
  /**
   * Throws PluginFailed, or the signal's reason. Calls of one module run at the same time in as many runners as there may
   * be; where these are more than two, all but one.
   */
  call(module: Module, request: CallRequest): Promise<CallResult>
  /** Starts a process for the first plugin that is called, where there is none to spare. */
  warm(): void
  /** Ends the runners of a plugin once their call is over; further calls of that module get new ones. */
  retire(plugin: string): void
  /** What the system does not put around runners; undefined until the first has started. */
  missing(): string[] | undefined
  runners(): { pid: number; plugin: string | undefined; busy: boolean }[]
}
