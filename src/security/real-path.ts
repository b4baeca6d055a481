import { realpathSync } from "node:fs"
import { posix } from "node:path"

/** An absolute path without links. What is not there, or cannot be seen, has none; the folders above it may. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined || path === "/") throw thrown
    return posix.join(realPath(posix.dirname(path)), posix.basename(path))
  }
}

/** A path below another, relative to it; undefined where it is not. Both are absolute and without dots. */
export function below(folder: string, path: string): string | undefined {
  if (path === folder) return ""
  const start = folder === "/" ? "/" : `${folder}/`
  return path.startsWith(start) ? path.slice(start.length) : undefined
}
