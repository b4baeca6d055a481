import { closeSync } from "node:fs"
import type { Executed, Program } from "./sandbox.ts"
import { openOutput } from "./sandbox-output.ts"
import { parseStatus, type Status } from "./sandbox-status.ts"

export type Start = {
  program: Program
  /** Absolute. */
  folder: string
  env: Record<string, string>
  signal: AbortSignal
}

export type Ran = { executed: Omit<Executed, "missing">; status: Status | undefined }

type Child = Bun.Subprocess<"ignore" | Buffer, "pipe", "pipe">
type Stop = "time" | "output" | "signal"

/** What comes of a stopped helper within this time is its own; then it is killed and the kernel clears away. */
const stop_ms_max = 2000
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
export async function runWalled(start: Start, argv: string[]): Promise<Ran> {
  start.signal.throwIfAborted()
  const child = spawn(argv, start, "/", ["pipe"])
  const status = openOutput(2 * status_bytes_max)
  const status_fd = child.stdio[3] as number
  const reading = collect(Bun.file(status_fd).stream(), status.add)
  const ended = await follow(child, start, {
    stop: () => {
      child.kill("SIGTERM")
      return setTimeout(() => child.kill("SIGKILL"), stop_ms_max)
    },
    streams: [reading],
  })
  closeSync(status_fd)
  return { executed: ended, status: parseStatus(status.toText()) }
}

/** The same without any wall: a process group, which is killed in the end, is all that holds it together. */
export async function runPlainly(start: Start): Promise<Ran> {
  start.signal.throwIfAborted()
  const child = spawn([...start.program.argv], start, start.folder, [])
  const killGroup = () => {
    try {
      process.kill(-child.pid, "SIGKILL")
    } catch (thrown) {
      // Nobody is left in it.
      if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown
    }
    return undefined
  }
  const ended = await follow(child, start, { stop: killGroup, streams: [], gone: killGroup })
  return { executed: ended, status: undefined }
}

function spawn(argv: string[], { program, env }: Start, cwd: string, more: "pipe"[]): Child {
  const stdin = program.stdin === undefined ? "ignore" : Buffer.from(program.stdin)
  try {
    return Bun.spawn(argv, { cwd, env, detached: true, stdio: [stdin, "pipe", "pipe", ...more] }) as Child
  } catch (thrown) {
    throw new Error(`The program cannot be started: ${(thrown as Error).message}`, { cause: thrown })
  }
}

type Follow = {
  /** Ends everything; the timer, where there is one, is cleared with the end. */
  stop(): Timer | undefined
  streams: Reading[]
  /** Once the child itself has ended. */
  gone?: () => void
}

/** Reads, waits and stops, whichever of time, signal and flood comes first. */
async function follow(
  child: Child,
  { program, signal }: Start,
  { stop, streams, gone }: Follow,
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
  const readings = [collect(child.stdout, count(out)), collect(child.stderr, count(err)), ...streams]
  try {
    await child.exited
    gone?.()
    await drain(readings)
  } finally {
    clearTimeout(timer)
    clearTimeout(killer)
    signal.removeEventListener("abort", onAbort)
  }
  if (stopped === "signal") throw signal.reason
  const by_signal = child.signalCode as NodeJS.Signals | null
  return {
    exit_code: stopped || by_signal ? null : child.exitCode,
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
