import type { BigIntStats, Stats } from "node:fs"
import { ToolDenied } from "../target.ts"

/** What a model is told of a failed call to the system. Anything else is a bug, and stays what it is. */
export function explain(thrown: unknown, path: string): unknown {
  const { code } = thrown as NodeJS.ErrnoException
  if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) return thrown
  if (code === "EXDEV") {
    return new ToolDenied(
      `"${path}" leads out of the granted folder by a link. Links that are absolute or lead out are not followed.`,
    )
  }
  return new Error(sentences[code]?.(path) ?? `"${path}" could not be used: the system says ${code}.`, {
    cause: thrown,
  })
}

const sentences: Record<string, (path: string) => string> = {
  ENOENT: (path) => `There is nothing at "${path}".`,
  ENOTDIR: (path) => `A part of "${path}" that should be a folder is not one.`,
  ELOOP: (path) => `"${path}" has too many links, or links of the kernel's own.`,
  ENAMETOOLONG: (path) => `A name in "${path.slice(0, 80)}…" is longer than the file system allows.`,
  EACCES: (path) => `The user that the gateway runs as may not open "${path}".`,
  EPERM: (path) => `The user that the gateway runs as may not change "${path}".`,
  EROFS: (path) => `"${path}" is on a disk that cannot be written.`,
  ENOSPC: (path) => `The disk is full: "${path}" was not written.`,
  EDQUOT: (path) => `The quota of the disk is used up: "${path}" was not written.`,
  EMFILE: () => "The gateway has too many files open at this moment; try again later.",
  ENFILE: () => "The system has too many files open at this moment; try again later.",
}

/** What something is that is not what was wanted. */
export function kindOf(stat: Stats | BigIntStats): string {
  if (stat.isFile()) return "a file"
  if (stat.isDirectory()) return "a folder"
  if (stat.isFIFO()) return "a named pipe"
  if (stat.isSocket()) return "a socket"
  if (stat.isSymbolicLink()) return "a link"
  return "a device"
}
