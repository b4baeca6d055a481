import { readFileSync } from "node:fs"

export type Figure = {
  name: string
  title: string
  unit: string
  value: number
  /** What the value is held against, measured in the same run. */
  reference?: number
  ratio?: number
  /** What a reader must know to believe the number. */
  note?: string
}

export type Options = { quick: boolean }

/** One question and its figures; throwing says why it cannot be answered on this machine. */
export type Bench = { name: string; measure(options: Options): Promise<Figure[]> }

export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.floor((sorted.length - 1) * q)]
  if (value === undefined) throw new Error("a quantile of nothing")
  return value
}

export const median = (values: number[]) => quantile(values, 0.5)

/** Runs both in turns (ABAB), so that a noisy moment of the machine falls on both. */
export async function interleave<A, B>(
  rounds: number,
  a: () => Promise<A>,
  b: () => Promise<B>,
): Promise<[A[], B[]]> {
  const [as, bs]: [A[], B[]] = [[], []]
  for (let i = 0; i < rounds; i++) {
    as.push(await a())
    bs.push(await b())
  }
  return [as, bs]
}

/** Resident memory that is a process's own share, in kilobytes. */
export function pssKilobytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
  return Number(rollup.match(/^Pss:\s+(\d+) kB/m)?.[1])
}

/** Milliseconds of the processor that this process has had: what others do beside it counts less than on a clock. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
