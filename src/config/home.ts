import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { AppError } from "../base/errors.ts"
import type { Environment } from "./overrides.ts"
import { absolutePath } from "./paths.ts"

export type Home = {
  /** The folder of everything that this program keeps. */
  home: string
  config_path: string
  /** Somebody asked for this very file: it has to be there. */
  config_named: boolean
}

export type HomeOptions = { home?: string | undefined; config?: string | undefined }

/** Where the state and the configuration are: flags, then WEFT_HOME and WEFT_CONFIG, then ~/.weft. */
export function findHome(options: HomeOptions = {}, env: Environment = process.env): Home {
  const home = absolutePath(options.home || env.WEFT_HOME || join("~", ".weft"), process.cwd(), env)
  // The last name is that of the program whose configuration works here unchanged.
  const named = options.config || env.WEFT_CONFIG || env.EXOCLAW_CONFIG
  return {
    home,
    config_path: named ? absolutePath(named, process.cwd(), env) : join(home, "config.toml"),
    config_named: Boolean(named),
  }
}

/** Makes the home, for its owner only. One that exists keeps its mode: it may be a folder of another purpose. */
export function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new AppError("storage_failed", { path: home, reason: code }, cause)
  }
}

/** Writes a file of the home for its owner only; a reader sees the old one or the new one, never half of it. */
export function writeState(path: string, text: string): void {
  const made = `${path}.new`
  try {
    writeFileSync(made, text, { mode: 0o600 })
    renameSync(made, path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new AppError("storage_failed", { path, reason: code }, cause)
  }
}
