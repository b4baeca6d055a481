import { homedir } from "node:os"
import { resolve } from "node:path"
import type { Environment } from "./overrides.ts"

/** A path as people write it: `~` is the user's own folder, and what is relative starts in `folder`. */
export function absolutePath(path: string, folder: string, env: Environment): string {
  if (path !== "~" && !path.startsWith("~/")) return resolve(folder, path)
  return resolve(env.HOME || homedir(), path.slice(2))
}
