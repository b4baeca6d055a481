import { realpathSync } from "node:fs"
import { posix } from "node:path"

/** An absolute path without links. What is not there, or not to be seen, has none; the folders above it may. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (thrown) {
    const { code = "" } = thrown as NodeJS.ErrnoException
    if (!["ENOENT", "ENOTDIR", "EACCES", "ELOOP"].includes(code) || path === "/") throw thrown
    return posix.join(realPath(posix.dirname(path)), posix.basename(path))
  }
}
