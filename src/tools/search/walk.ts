import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs"
import { isKernels } from "../../kernel/file-systems.ts"
import { type Ignore, parseIgnore } from "./ignore.ts"

export type Counts = { files: number; unreadable: number }

/** Below a descriptor, one name at a time and never through a link: what is renamed or swapped meanwhile leads nowhere else. */
export type Walk = {
  /** An open folder or file, which its owner keeps open. */
  fd: number
  /** Whether a file or folder is wanted, not wanted, or as the .gitignore files say. */
  choose(path: string, is_folder: boolean): boolean | undefined
  /** Opens and closes; what it does with the descriptor must end before it returns. */
  visit(path: string, open: () => number): void
  check(): void
  counts: Counts
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants
const ignore_bytes_max = 1 << 20
const depth_max = 200
/** Of the .gitignore files that hold at one place together. */
const ignore_machines_max = 1_000

type Level = { path: string; ignore: Ignore }
type Place = { at: string; device: number; path: string; levels: Level[]; depth: number }

/** The one way to name what is below a descriptor; the walls of files are for Linux, too. */
const toPath = (fd: number): string => `/proc/self/fd/${fd}`

export function walk(job: Walk): void {
  const at = toPath(job.fd)
  const root = fstatSync(job.fd)
  if (!root.isDirectory()) {
    job.visit("", () => openSync(at, O_RDONLY | O_NONBLOCK))
    return
  }
  walkFolder(job, { at, device: root.dev, path: "", levels: [], depth: 0 })
}

function walkFolder(job: Walk, { at, device, path, levels, depth }: Place): void {
  job.check()
  const entries = attempt(job, () => readdirSync(at, { withFileTypes: true }))
  if (!entries) return
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const own = entries.some(({ name }) => name === ".gitignore") ? readIgnore(at, levels) : undefined
  const here = own ? [...levels, { path, ignore: own }] : levels
  for (const entry of entries) {
    const { name } = entry
    const is_folder = entry.isDirectory()
    if (name === ".git" || (!is_folder && !entry.isFile())) continue
    const below = path === "" ? name : `${path}/${name}`
    const wanted = job.choose(below, is_folder) ?? !isIgnored(here, below, name, is_folder)
    if (!wanted) continue
    if (!is_folder)
      attempt(job, () =>
        job.visit(below, () => openSync(`${at}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)),
      )
    else if (depth === depth_max) job.counts.unreadable++
    else {
      const fd = attempt(job, () => openSync(`${at}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
      if (fd === undefined) continue
      try {
        // What is mounted there may be no files: /proc tells of every process, and some of its files have no end.
        if (fstatSync(fd).dev !== device && isKernels(toPath(fd))) continue
        walkFolder(job, { at: toPath(fd), device, path: below, levels: here, depth: depth + 1 })
      } finally {
        closeSync(fd)
      }
    }
  }
}

/** The nearest .gitignore that says something decides. */
function isIgnored(levels: Level[], path: string, name: string, is_folder: boolean): boolean {
  for (let i = levels.length - 1; i >= 0; i--) {
    const { path: from, ignore } = levels[i]!
    const said = ignore.says(from === "" ? path : path.slice(from.length + 1), name, is_folder)
    if (said) return said === "ignored"
  }
  return false
}

function readIgnore(at: string, levels: Level[]): Ignore | undefined {
  const machines = levels.reduce((sum, { ignore }) => sum + ignore.machines, 0)
  try {
    const fd = openSync(`${at}/.gitignore`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      if (!fstatSync(fd).isFile()) return undefined
      const bytes = Buffer.alloc(ignore_bytes_max)
      const text = bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0))
      return parseIgnore(text, ignore_machines_max - machines)
    } finally {
      closeSync(fd)
    }
  } catch (thrown) {
    // A .gitignore that cannot be read ignores nothing, which shows too much rather than too little.
    if (isSystemError(thrown)) return undefined
    throw thrown
  }
}

/** Runs it; what the system refuses is counted, for the search goes on without it. */
function attempt<T>({ counts }: Walk, run: () => T): T | undefined {
  try {
    return run()
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown
    counts.unreadable++
    return undefined
  }
}

const isSystemError = (thrown: unknown): boolean =>
  thrown instanceof Error && "errno" in thrown && "syscall" in thrown
