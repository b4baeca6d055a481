/** What the system says of a process; undefined where there is none of that number, or a system that does not say. */
import { readFileSync } from "node:fs"

export const residentBytes = (pid: number): number | undefined => sumOf(pid, /^VmRSS:\s+(\d+)/gm)

/** What it holds for it: in memory, swapped out, and to find either. */
export const heldBytes = (pid: number): number | undefined => sumOf(pid, /^Vm(?:RSS|Swap|PTE):\s+(\d+)/gm)

/** How long its threads have run, in steps of 10 ms. */
export function usedMs(pid: number): number | undefined {
  // The name, in brackets, may have anything in it.
  const [user, system] = read(pid, "stat")?.split(") ").at(-1)?.split(" ").slice(11, 13).map(Number) ?? []
  return user === undefined || system === undefined ? undefined : (user + system) * 10
}

function sumOf(pid: number, lines: RegExp): number | undefined {
  const found = [...(read(pid, "status") ?? "").matchAll(lines)]
  if (found.length === 0) return undefined
  return found.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0)
}

function read(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8")
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}
