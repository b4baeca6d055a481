import { closeSync, fstatSync, mkdirSync } from "node:fs"
import { posix } from "node:path"
import type { Disk } from "../../kernel/disk.ts"
import { below, realPath } from "../real-path.ts"
import { type Target, ToolDenied } from "../target.ts"
import { explain } from "./errors.ts"
import type { FileGrants } from "./files.ts"

type Effect = "read" | "write"

/** A granted folder. */
export type Root = {
  /** Absolute, without links. */
  path: string
  writable: boolean
  /** Its descriptor, opened when it is first needed and kept. */
  folder(): number
}

/** Where a path lies: `names` is relative, without "." and "..", and empty for the root itself. */
export type Place = { root: Root; names: string }

export type Roots = Disposable & {
  workspace: string
  /** Opens nothing. Throws ToolDenied outside of what was granted, unless anywhere will do. */
  locate(path: string, effect: Effect, options?: { anywhere?: boolean }): Place
  /** Where something is that was found below a root, or throws ToolDenied where that is out of it by now. */
  placeOf(root: Root, found: number, path: string): Place
  toTarget(place: Place, effect: Effect): Target
}

export function openRoots(grants: FileGrants, disk: Disk): Roots {
  if (!grants.is_workspace_closed) mkdirSync(grants.workspace, { recursive: true, mode: 0o700 })
  const workspace = realPath(grants.workspace)
  const stack = new DisposableStack()
  const open = (path: string, writable: boolean) => stack.use(openRoot(path, writable, disk))
  const roots = [
    ...(grants.is_workspace_closed ? [] : [open(grants.workspace, true)]),
    ...grants.write.map((path) => open(path, true)),
    ...grants.read.map((path) => open(path, false)),
  ]
  for (const root of roots) checkForbidden(root, grants.forbidden ?? [])
  const placeIn = (root: Granted, path: string): Place | undefined => {
    const names = below(root.path, path) ?? below(root.spelled, path)
    return names === undefined ? undefined : { root, names }
  }
  return {
    workspace,
    locate(path, effect, { anywhere = false } = {}) {
      const absolute = toAbsolute(path, workspace)
      const places = roots.map((root) => placeIn(root, absolute)).filter((place) => place !== undefined)
      // The innermost grant; writing takes one that gives it, even if an inner one does not.
      const usable = places.filter(({ root }) => effect === "read" || root.writable)
      const [best] = usable.sort((a, b) => a.names.length - b.names.length)
      if (best) return best
      if (anywhere) return places[0] ?? { root: nowhere, names: absolute.slice(1) }
      throw new ToolDenied(places.length > 0 ? readOnly(path) : outside(path, roots, effect))
    },
    placeOf(root, found, path) {
      // Where the root is now, which may have been renamed since it was opened.
      const names = below(disk.pathOf(root.folder()), disk.pathOf(found))
      if (names === undefined || fstatSync(found).nlink === 0) {
        throw new ToolDenied(`"${path}" was moved or removed while it was opened.`)
      }
      if (disk.isKernels(found))
        throw new ToolDenied(`"${path}" is not a file but a part of the running system.`)
      return { root, names }
    },
    toTarget: ({ root, names }, effect) => ({ effect, kind: "path", text: toText(root, names, workspace) }),
    [Symbol.dispose]: () => stack.dispose(),
  }
}

type Granted = Root & Disposable & { spelled: string }

function openRoot(spelled: string, writable: boolean, disk: Disk): Granted {
  const normal = posix.normalize(spelled).replace(/(?<=.)\/$/, "")
  const path = realPath(normal)
  let fd: number | undefined
  return {
    path,
    spelled: normal,
    writable,
    folder() {
      // A folder that was removed and made again is another one.
      if (fd !== undefined && fstatSync(fd).nlink === 0) {
        closeSync(fd)
        fd = undefined
      }
      try {
        fd ??= disk.openFolder(path)
      } catch (thrown) {
        throw explain(thrown, path)
      }
      return fd
    },
    [Symbol.dispose]() {
      if (fd !== undefined) closeSync(fd)
      fd = undefined
    },
  }
}

function checkForbidden(root: Granted, forbidden: readonly string[]): void {
  for (const secret of forbidden) {
    const real = realPath(secret)
    const touching = [below(root.path, real), below(real, root.path), below(root.spelled, secret)]
    if (touching.every((names) => names === undefined)) continue
    throw new ToolDenied(
      `No file can be opened: the folder "${root.path}" is granted to this agent, and the gateway keeps "${secret}", which is its own, there. Whoever runs it has to grant another folder.`,
    )
  }
}

/** Paths are literal; what a shell or a browser would make something else of is refused before it surprises anybody. */
function toAbsolute(path: string, workspace: string): string {
  if (path.includes("\0")) throw new Error("A path has no zero byte in it.")
  if (Buffer.byteLength(path) > path_bytes_max) throw new Error(`A path has at most ${path_bytes_max} bytes.`)
  if (/^(~|\$\w|\$\{|file:)/i.test(path)) {
    throw new Error(
      `"${path}" is not a path: neither "~", variables nor addresses are known here. Paths are absolute, or relative to the workspace.`,
    )
  }
  const absolute = path.startsWith("/") ? posix.normalize(path) : posix.join(workspace, path)
  return absolute.replace(/(?<=.)\/$/, "")
}

const path_bytes_max = 4095
const nowhere: Root = {
  path: "/",
  writable: false,
  folder() {
    throw new ToolDenied("That is outside of the granted folders.")
  },
}

function toText(root: Root, names: string, workspace: string): string {
  const absolute = posix.join(root.path, names)
  const relative = below(workspace, absolute)
  return relative === undefined ? absolute : relative || "."
}

const readOnly = (path: string) => `"${path}" is in a folder that may be read and not written.`

function outside(path: string, roots: Root[], effect: Effect): string {
  const granted = roots.filter((root) => effect === "read" || root.writable).map(({ path }) => `"${path}"`)
  return `"${path}" is outside of the folders that this agent may ${effect}: ${granted.join(", ")}.`
}
