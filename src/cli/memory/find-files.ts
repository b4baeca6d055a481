import { lstatSync, readdirSync } from "node:fs"
import { basename, join, relative } from "node:path"

export type Found = { path: string; shown: string }

const depth_max = 6
const files_max = 100_000

/** The files of a folder that may be something to import, in order; links are not followed. */
export function findFiles(root: string): { found: Found[]; ignored: Found[] } {
  const found: Found[] = []
  const ignored: Found[] = []
  const walk = (folder: string, depth: number) => {
    const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    )
    for (const entry of entries) {
      const path = join(folder, entry.name)
      const shown = relative(root, path)
      if (entry.isDirectory() && depth < depth_max && !entry.name.startsWith(".git")) walk(path, depth + 1)
      else if (entry.isFile() && isMeant(shown)) found.push({ path, shown })
      else if (entry.isFile() && /^(SOUL|USER|AGENTS|IDENTITY|TOOLS)\.md$/.test(entry.name))
        ignored.push({ path, shown })
      if (found.length > files_max) return
    }
  }
  if (lstatSync(root).isDirectory()) walk(root, 0)
  else found.push({ path: root, shown: basename(root) })
  return { found, ignored }
}

const isMeant = (path: string): boolean =>
  /(^|\/)(MEMORY|HISTORY)\.md$/i.test(path) ||
  /(^|\/)memory\/history\.jsonl$/i.test(path) ||
  /(^|\/)sessions\/.*\.jsonl$/i.test(path)
