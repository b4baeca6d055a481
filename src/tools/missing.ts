import { nearest } from "../config/nearest.ts"
import { ToolDenied } from "../security/target.ts"
import { folderOf, nameOf, toShown } from "./text.ts"
import type { ToolContext } from "./tool.ts"

const names_max = 3
/** Comparing takes as long as the names together times the one that was asked for: so much is some 5 ms. */
const compared_letters_max = 500_000
/** Of the nearest, some may not be shown. */
const nearest_max = 5
const alike_max = 100

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
    entries.map((entry) => entry.name),
    (other) => mayTouch(files.toTarget(join(folder, other), "read")),
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

/** Names that begin with what was asked for, are a slip of the hand away or hold it; as far as they may be shown. */
function nearestOf(name: string, names: string[], mayShow: (name: string) => boolean): string[] {
  const found = new Set<string>()
  const add = (others: string[]) => {
    for (const other of others) if (found.size < names_max && mayShow(other)) found.add(other)
  }
  const stem = name.toLowerCase().replace(/\.[^.]*$/, "")
  const alike = stem.length > 2 ? names.filter((other) => other.toLowerCase().includes(stem)) : []
  const shortest = alike.filter((other) => other.toLowerCase().startsWith(stem))
  add(shortest.sort((a, b) => a.length - b.length).slice(0, 1))
  let letters_left = compared_letters_max
  let rest = names.filter((other) => {
    letters_left -= other.length * name.length
    return letters_left > 0
  })
  for (let i = 0; i < nearest_max; i++) {
    const next = nearest(name, rest)
    if (next === undefined) break
    add([next])
    rest = rest.filter((other) => other !== next)
  }
  add(alike.slice(0, alike_max))
  return [...found]
}
