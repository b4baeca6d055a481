/** What the system says of a process; undefined where there is none of that number, or a system that does not say. */
import { readFileSync } from "node:fs"

/** A file of a process. */
export type ReadProc = (pid: number, name: string) => string | undefined

export const residentBytes = (pid: number, read: ReadProc = readProc): number | undefined =>
  sumOf(read(pid, "status"), /^VmRSS:\s+(\d+)/gm)

/** What it holds for it: in memory, swapped out, and to find either. */
export const heldBytes = (pid: number, read: ReadProc = readProc): number | undefined =>
  sumOf(read(pid, "status"), /^Vm(?:RSS|Swap|PTE):\s+(\d+)/gm)

/** Whether the system does not say what one holds that has not died: where /proc has hidepid, or there is none. */
export const isHidden = (pid: number, read: ReadProc = readProc): boolean =>
  residentBytes(pid, read) === undefined && !/^State:\s+[ZX]/m.test(read(pid, "status") ?? "")

/** How long its threads have run, in steps of 10 ms. */
export function usedMs(pid: number, read: ReadProc = readProc): number | undefined {
  // The name, in brackets, may have anything in it.
  const [user, system] = read(pid, "stat")?.split(") ").at(-1)?.split(" ").slice(11, 13).map(Number) ?? []
  return user === undefined || system === undefined ? undefined : (user + system) * 10
}

function sumOf(text: string | undefined, lines: RegExp): number | undefined {
  const found = [...(text ?? "").matchAll(lines)]
  if (found.length === 0) return undefined
  return found.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0)
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8")
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}
