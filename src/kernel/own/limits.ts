import { writeFileSync } from "node:fs"
import { isCode } from "../disk.ts"
import { type Calls, lastError, prctl } from "./calls.ts"

export const RLIMIT = {
  fsize: 1,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
}
const unlimited = 0xffffffffffffffffn
const capability_version_3 = 0x20080522

/** Should memory run out, it goes before the gateway. */
export function preferForKilling(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "500")
  } catch (thrown) {
    if (!isCode(thrown, "EACCES", "EPERM", "EROFS", "ENOENT")) throw thrown
  }
}

/** Nobody may raise what is lower already. */
export function limit(calls: Calls, resource: number, value: bigint): string | undefined {
  const now = new BigUint64Array(2)
  if (calls.getrlimit(resource, now) !== 0) return lastError(calls)
  const most = now[1]! === unlimited || now[1]! > value ? value : now[1]!
  return calls.setrlimit(resource, new BigUint64Array([most, most])) === 0 ? undefined : lastError(calls)
}

/** Every capability of every set; where the bounding set may not be touched, no_new_privs keeps it from being used. */
export function dropCapabilities(calls: Calls): string | undefined {
  for (let capability = 0; capability < 64; capability++) calls.prctl(prctl.capbset_drop, capability, 0, 0, 0)
  const clear_all = 4
  calls.prctl(prctl.cap_ambient, clear_all, 0, 0, 0)
  const header = new Uint32Array([capability_version_3, 0])
  return calls.capset(header, new Uint32Array(6)) === 0 ? undefined : lastError(calls)
}
