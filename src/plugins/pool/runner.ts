import type { Engine, Module } from "../module.ts"
import { type ReadProc, residentBytes } from "./proc.ts"
import type { Process } from "./process.ts"

/**
 * - spare: started, of no plugin yet; perhaps not ready
 * - loading: of a plugin from now on
 * - idle, busy: loaded
 * - ended: killed, or about to be gone
 */
type State = "spare" | "loading" | "idle" | "busy" | "ended"

export type Runner = {
  readonly engine: Engine
  state: State
  /** undefined until there is room for it. */
  process: Process | undefined
  ready: Promise<void> | undefined
  plugin: string | undefined
  /** Of its module; undefined for a spare. */
  key: string | undefined
  /** Ends after its call. */
  retired: boolean
  loaded_ms: number
  idle_since_ms: number
}

/** How long a runner is left alone after a call where who waits has one already. */
const settled_ms = 1000
/** How long a runner serves its own plugin first: a few times what it takes to start another. */
const turn_ms = 100
const page_bytes = 65_536
/** What an engine may take besides the guest's memory: compiled code, frames, what is not collected yet. */
const slack_bytes: Record<Engine, number> = { reactor: 128 << 20, wasmer: 512 << 20 }

export const newRunner = (engine: Engine): Runner => ({
  engine,
  state: "spare",
  process: undefined,
  ready: undefined,
  plugin: undefined,
  key: undefined,
  retired: false,
  loaded_ms: 0,
  idle_since_ms: performance.now(),
})

export const isOf = ({ state, key, retired }: Runner, wanted: string, wanted_state: State): boolean =>
  state === wanted_state && key === wanted && !retired

export function findIdle(runners: Iterable<Runner>, key: string): Runner | undefined {
  for (const runner of runners) if (isOf(runner, key, "idle") && runner.process?.is_alive) return runner
  return undefined
}

export function findSpare(runners: Iterable<Runner>, engine: Engine): Runner | undefined {
  for (const runner of runners) {
    if (runner.state === "spare" && runner.engine === engine && runner.process?.is_alive) return runner
  }
  return undefined
}

/** Where there are more than two, one is left for the others, however often a plugin is called and however long it takes. */
export const shareOf = (processes_max: number): number =>
  processes_max > 2 ? processes_max - 1 : processes_max

/** Of a plugin, those whose place nobody else could have now. */
export function countTaken(runners: Iterable<Runner>, plugin: string): number {
  let count = 0
  for (const runner of runners) {
    if (runner.plugin === plugin && (runner.state === "busy" || runner.state === "loading")) count++
  }
  return count
}

/**
 * Whose place who waits is to get: a spare's, or that of who has been idle for the longest. Not of one that is called for
 * itself and has just begun; and where who waits has a runner already, only of one that has not just been used. Without
 * either, plugins in use would end each other's in turns.
 */
export function findVictim(
  runners: ReadonlySet<Runner>,
  key: string,
  isCalled: (key: string | undefined) => boolean,
): Runner | undefined {
  const now_ms = performance.now()
  const all = [...runners]
  const has_one = all.some((runner) => runner.key === key && runner.state !== "ended" && !runner.retired)
  const isToSpare = (runner: Runner) =>
    now_ms - runner.idle_since_ms > (has_one ? settled_ms : -1) &&
    !(now_ms - runner.loaded_ms < turn_ms && isCalled(runner.key))
  const [spare] = all.filter(({ state }) => state === "spare")
  const [idle] = all
    .filter((runner) => runner.state === "idle" && isToSpare(runner))
    .toSorted((a, b) => a.idle_since_ms - b.idle_since_ms)
  return spare ?? idle
}

/** How much resident memory a process may have, once it is ready and has not loaded its module yet. */
export function memoryFor(pid: number, { engine, limits }: Module, read?: ReadProc): number {
  const now_bytes = residentBytes(pid, read)
  if (now_bytes === undefined) return Number.POSITIVE_INFINITY
  return now_bytes + limits.memory_pages_max * page_bytes + slack_bytes[engine]
}
