import type { Wall } from "../../kernel/walls.ts"

export type Program = {
  /** The program first: a resolved absolute path. */
  argv: readonly string[]
  /** Relative to the workspace. */
  folder?: string
  stdin?: string
  timeout_ms: number
  /** Of each of the two streams; what is beyond it is counted and thrown away from the middle. */
  output_bytes_max: number
  signal: AbortSignal
  /** What it must not run without, whatever the policy: where that is missing, it throws as "require" does. */
  requires?: readonly Wall[]
}

export type Executed = {
  exit_code: number | null
  /** The name of the signal that ended it. */
  signal: string | null
  stdout: string
  stderr: string
  stdout_bytes: number
  stderr_bytes: number
  timed_out: boolean
  /** The limit that ended it, where one did. */
  exceeded?: "memory" | "processes" | "time" | "output"
  duration_ms: number
  /** Walls that the policy asks for and this kernel could not put up. Always empty with "require". */
  missing: Wall[]
}

/**
 * Runs a program behind the walls and resolves when it and everything that it started is gone. Throws ToolDenied where
 * "require" cannot be met, Error with a sentence for the model where the program cannot be started.
 */
export type Execute = (program: Program) => Promise<Executed>
