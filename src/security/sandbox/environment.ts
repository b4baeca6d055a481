import { accessSync, constants, realpathSync, statSync } from "node:fs"
import { isAbsolute, join, normalize, resolve } from "node:path"

export type Environment = Readonly<Record<string, string | undefined>>

/** Where programs are when nothing says otherwise. */
const usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** Taken over as they are; what is not here does not reach a program, whatever it is called. */
const passed_on = /^(LANG|LANGUAGE|LC_[A-Z]+|TZ|USER|LOGNAME|COLUMNS|LINES)$/
/** A value that a program may take for more than a word: escape sequences, several lines, a megabyte. */
const unfit = /[\p{Cc}]|^.{257}/u

export type Places = {
  /** What a program takes for its home: the workspace, not that of whoever runs the gateway. */
  home: string
  tmp: string
  /** Instead of the one in the environment. */
  path?: string
}

/**
 * The whole environment of a program: names from a short list, nothing else. None that carries a secret, loads code
 * (LD_*, BUN_*, NODE_OPTIONS, PYTHON*, GIT_*, BASH_ENV) or leads elsewhere (*_PROXY).
 */
export function cleanEnvironment(env: Environment, { home, tmp, path }: Places): Record<string, string> {
  const clean: Record<string, string> = {
    PATH: path ?? cleanPath(env, home).join(":"),
    HOME: home,
    TMPDIR: tmp,
    TERM: "dumb",
    LANG: "C.UTF-8",
    SHELL: "/bin/sh",
  }
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && passed_on.test(name) && !unfit.test(value)) clean[name] = value
  }
  return clean
}

/**
 * The folders of PATH in which a program may be looked for: absolute, there, outside of the workspace, which a model
 * writes, and not open to every user of the machine. Each once.
 */
export function cleanPath(env: Environment, workspace: string): string[] {
  const entries = [...(env.PATH ?? "").split(":"), ...usual_path.split(":")]
  const kept = entries.filter(isAbsolute).map((entry) => normalize(entry).replace(/(?<=.)\/$/, ""))
  return [...new Set(kept)].filter((folder) => {
    if (unfit.test(folder) || isWithin(folder, workspace)) return false
    const stat = orUndefined(() => statSync(folder))
    return (
      stat?.isDirectory() === true && (stat.mode & 0o002) === 0 && !isWithin(realpathSync(folder), workspace)
    )
  })
}

/**
 * The absolute path of the program that a word means, or undefined. A bare name is looked for in the clean PATH; one
 * with a slash is taken from the workspace, or as it is where it is absolute. The last link is not followed, as some
 * programs go by the name under which they were called.
 */
export function findProgram(name: string, env: Environment, workspace: string): string | undefined {
  if (name === "" || name.includes("\0")) return undefined
  if (name.includes("/")) {
    const path = resolve(workspace, name)
    return isExecutable(path) ? path : undefined
  }
  return cleanPath(env, workspace)
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

/** Whether a path is the folder or lies in it, by its spelling. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`)
}

function isExecutable(path: string): boolean {
  const found = orUndefined(() => {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  })
  return found ?? false
}

/** What is not there or not ours to look at is no program. */
function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return undefined
  }
}
