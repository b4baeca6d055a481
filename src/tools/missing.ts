import { nearest } from "../config/nearest.ts"
import { ToolDenied } from "../security/target.ts"
import { folderOf, nameOf, toShown } from "./text.ts"
import type { ToolContext } from "./tool.ts"

const names_max = 3

/**
 * What to throw instead of what opening `path` threw: names that it may have been meant to be, where its folder may be
 * seen; a refusal stays what it is.
 */
export async function explain(thrown: unknown, path: string, context: ToolContext): Promise<unknown> {
  if (thrown instanceof ToolDenied) return thrown
  const { files, mayTouch } = context
  const target = files.toTarget(path, "read")
  const folder = folderOf(target)
  if (!mayTouch(files.toTarget(folder, "read"))) return thrown
  const entries = await files.list(folder).then(
    (found) => found.entries,
    () => undefined,
  )
  const name = nameOf(target)
  if (!entries || entries.some((entry) => entry.name === name)) return thrown
  const in_folder = folder === "." ? "" : ` in ${toShown(folder)}`
  const near = nearestOf(
    name,
    entries
      .map((entry) => entry.name)
      .filter((other) => mayTouch(files.toTarget(join(folder, other), "read"))),
  )
  const hint =
    near.length > 0
      ? ` Names like it: ${near.map(toShown).join(", ")}.`
      : ` It holds ${entries.length === 0 ? "nothing" : "no name like it"}; list_dir and search_files show what there is.`
  return new Error(`There is no "${toShown(name)}"${in_folder}.${hint}`, { cause: thrown })
}

const join = (folder: string, name: string): string => {
  if (folder === ".") return name
  return folder === "/" ? `/${name}` : `${folder}/${name}`
}

/** Names that are a slip of the hand away, or begin with, or hold what was asked for. */
function nearestOf(name: string, names: string[]): string[] {
  const found: string[] = []
  let rest = names.slice(0, 20_000)
  while (found.length < names_max) {
    const next = nearest(name, rest)
    if (next === undefined) break
    found.push(next)
    rest = rest.filter((other) => other !== next)
  }
  const stem = name.toLowerCase().replace(/\.[^.]*$/, "")
  const alike = rest.filter((other) => stem.length > 2 && other.toLowerCase().includes(stem))
  return [...found, ...alike].slice(0, names_max)
}
