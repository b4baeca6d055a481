import { getSystemErrorName } from "node:util"

/** A failed system call, in the shape in which node:fs throws its own. */
export function systemError(call: string, errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call })
}
