import type { Executed, Program } from "./execute.ts"
import { openOutput } from "./output.ts"
import { type Child, spawnChild } from "./spawn.ts"
import { parseStatus, type Status } from "./status.ts"

export type Start = {
  program: Program
  /** Absolute. */
  folder: string
  env: Record<string, string>
  signal: AbortSignal
}

export type Ran = { executed: Omit<Executed, "missing">; status: Status | undefined }

type Stop = "time" | "output" | "signal"

/**
 * What comes of a stopped helper within this time is its own; then it is killed, and the kernel clears away. Without a
 * process namespace it does not: there the helper gets as long as a busy machine may need.
 */
const stop_ms_max = 10_000
/** Once everything is dead, whoever holds a stream open still is a stranger that was handed it. */
const drain_ms_max = 1000
/** A program that writes more than this many times what is kept goes on for nobody. */
const flood_factor = 1024
const flood_bytes_min = 64 * 1024 * 1024
const status_bytes_max = 65_536

/**
 * Runs a command of the helper's kind and waits until it has ended. Throws the signal's reason, but not before, and
 * Error where there is nothing to start.
 */
export async function runWalled({ program, env, signal }: Start, argv: string[]): Promise<Ran> {
  signal.throwIfAborted()
  using child = spawnChild(argv, { folder: "/", env, stdin: program.stdin, reports: true })
  const status = openOutput(2 * status_bytes_max)
  const executed = await follow(child, program, signal, {
    stop: () => {
      child.process.kill("SIGTERM")
      return setTimeout(() => child.process.kill("SIGKILL"), stop_ms_max)
    },
    onStatus: status.add,
  })
  return { executed, status: parseStatus(status.toText()) }
}

/** The same without any wall: a process group, which is killed in the end, is all that holds it together. */
export async function runPlainly({ program, folder, env, signal }: Start): Promise<Ran> {
  signal.throwIfAborted()
  using child = spawnChild([...program.argv], { folder, env, stdin: program.stdin, reports: false })
  const killGroup = () => {
    try {
      process.kill(-child.process.pid, "SIGKILL")
    } catch (thrown) {
      // Nobody is left in it.
      if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown
    }
    return undefined
  }
  const executed = await follow(child, program, signal, { stop: killGroup, onEnd: killGroup })
  return { executed, status: undefined }
}

type Follow = {
  /** Ends everything; the timer, where there is one, is cleared with the end. */
  stop(): Timer | undefined
  /** Once the child itself has ended. */
  onEnd?(): void
  onStatus?(chunk: Uint8Array): void
}

/** Reads, waits and stops, whichever of time, signal and flood comes first. */
async function follow(
  child: Child,
  program: Program,
  signal: AbortSignal,
  { stop, onEnd, onStatus }: Follow,
): Promise<Ran["executed"]> {
  const started = performance.now()
  const [out, err] = [openOutput(program.output_bytes_max), openOutput(program.output_bytes_max)]
  const flood_bytes = Math.max(flood_bytes_min, flood_factor * program.output_bytes_max)
  let stopped: Stop | undefined
  let killer: Timer | undefined
  const halt = (why: Stop) => {
    if (stopped) return
    stopped = why
    killer = stop()
  }
  const count = (output: typeof out) => (chunk: Uint8Array) => {
    output.add(chunk)
    if (output.bytes > flood_bytes) halt("output")
  }
  const onAbort = () => halt("signal")
  const timer = setTimeout(() => halt("time"), program.timeout_ms)
  signal.addEventListener("abort", onAbort)
  if (signal.aborted) onAbort()
  const readings = [collect(child.stdout, count(out)), collect(child.stderr, count(err))]
  if (onStatus) readings.push(collect(child.status, onStatus))
  try {
    await child.process.exited
    onEnd?.()
    await drain(readings)
  } finally {
    clearTimeout(timer)
    clearTimeout(killer)
    signal.removeEventListener("abort", onAbort)
  }
  if (stopped === "signal") throw signal.reason
  const by_signal = child.process.signalCode as NodeJS.Signals | null
  return {
    exit_code: stopped || by_signal ? null : child.process.exitCode,
    signal: stopped ? "SIGKILL" : by_signal,
    stdout: out.toText(),
    stderr: err.toText(),
    stdout_bytes: out.bytes,
    stderr_bytes: err.bytes,
    timed_out: stopped === "time",
    ...(stopped && { exceeded: stopped }),
    duration_ms: performance.now() - started,
  }
}

type Reading = { done: Promise<void>; cancel(): Promise<void> }

function collect(stream: ReadableStream<Uint8Array>, add: (chunk: Uint8Array) => void): Reading {
  const reader = stream.getReader()
  async function read(): Promise<void> {
    for (let next = await reader.read(); !next.done; next = await reader.read()) add(next.value)
  }
  return { done: read(), cancel: () => reader.cancel() }
}

async function drain(readings: Reading[]): Promise<void> {
  const all = Promise.all(readings.map(({ done }) => done))
  let timer: Timer | undefined
  const late = new Promise<"late">((settle) => {
    timer = setTimeout(() => settle("late"), drain_ms_max)
  })
  if ((await Promise.race([all, late])) === "late") await Promise.all(readings.map(({ cancel }) => cancel()))
  clearTimeout(timer)
}
