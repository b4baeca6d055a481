/** The folders that a program is given: copied in whole before a call, and what it changed written back after it. */
import { isAbsolute, join, posix } from "node:path"
import type { Files } from "../../security/files/files.ts"
import { type Folder, folder_limits as limits } from "../packing.ts"

const depth_max = 32
/** Files that are read before others get a turn: a few milliseconds of work, as small ones are read at once. */
const files_at_once = 32

type Left = { files: number; bytes: number; chars: number }

const allOf = (): Left => ({ files: limits.files, bytes: limits.bytes, chars: limits.paths_chars })

export type GivenFolder = {
  /** As the grant writes it, and as the program sees it. */
  path: string
  absolute: string
  writable: boolean
}

/** Throws Error with a sentence for the model where there is too much. */
export async function readFolders(
  given: readonly GivenFolder[],
  openFolder: (path: string, writable: boolean) => Files,
): Promise<Folder[]> {
  const left = allOf()
  const folders: Folder[] = []
  for (const { path, absolute, writable } of given) {
    // Without a prototype, in which some names are not a file's.
    const folder: Folder = { path, writable, files: Object.create(null) as Folder["files"] }
    await readInto(folder.files, openFolder(absolute, writable), absolute, "", left, depth_max)
    folders.push(folder)
  }
  return folders
}

async function readInto(
  into: Folder["files"],
  files: Files,
  root: string,
  below: string,
  left: Left,
  depth: number,
): Promise<void> {
  if (depth === 0) throw new Error(`The folder ${root} nests too deeply for a program.`)
  const { entries } = await files.list(join(root, below))
  for (const { name, type, bytes: size } of entries) {
    const path = posix.join(below, name)
    if (type === "folder") await readInto(into, files, root, path, left, depth - 1)
    if (type !== "file") continue
    left.files--
    left.bytes -= size
    left.chars -= path.length
    if (left.files < 0) throw tooMuch(`${limits.files} files`, root)
    if (left.bytes < 0) throw tooMuch(`${limits.bytes} bytes`, root)
    if (left.chars < 0) throw tooMuch(`${limits.paths_chars} characters of names`, root)
    if (left.files % files_at_once === 0) await new Promise(setImmediate)
    const { bytes } = await files.read(join(root, path), { bytes_max: size })
    into[path] = bytes
  }
}

const tooMuch = (most: string, root: string) =>
  new Error(`A program gets at most ${most}, and ${root} has more.`)

/**
 * Writes what was changed or made. What the program removed stays. A file that somebody else has changed meanwhile is not
 * written: throws Error with a sentence for the model.
 */
export async function writeFolders(
  given: readonly GivenFolder[],
  before: readonly Folder[],
  after: readonly Folder[],
  openFolder: (path: string, writable: boolean) => Files,
): Promise<void> {
  const left = allOf()
  for (const { path, absolute, writable } of given) {
    const now = after.find((folder) => folder.path === path)
    if (!writable || !now) continue
    const old = before.find((folder) => folder.path === path)?.files ?? {}
    const changed = Object.entries(now.files).filter(
      ([name, bytes]) => !Object.hasOwn(old, name) || Buffer.compare(old[name]!, bytes) !== 0,
    )
    const files = openFolder(absolute, true)
    for (const [name, bytes] of changed) {
      checkName(name)
      left.files--
      left.bytes -= bytes.length
      if (left.files < 0 || left.bytes < 0) throw new Error("The program wrote more than it may.")
      const expected = Object.hasOwn(old, name) ? old[name]! : null
      await files.write(join(absolute, name), bytes, expected)
    }
  }
}

function checkName(name: string): void {
  const is_plain = !isAbsolute(name) && !name.includes("\0") && posix.normalize(name) === name
  if (is_plain && name.split("/").every((part) => part !== "" && part !== "." && part !== "..")) return
  throw new Error("The program wrote a file whose name makes no sense.")
}
